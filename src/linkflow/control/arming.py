"""Webhooks made ready for calls: rules compiled, secrets opened, what a call starts looked up."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from linkflow.control.executables import Executables
from linkflow.domain.errors import Invalid, NotFound
from linkflow.domain.signature import Signature
from linkflow.domain.values import Json
from linkflow.domain.webhook import Rules, check_rules
from linkflow.ports.clock import IdSource
from linkflow.ports.coordination import Prepared
from linkflow.ports.records import Records
from linkflow.ports.services import CredentialBroker
from linkflow.ports.triggers import Start, Webhook
from linkflow.ports.vault import SecretBox

ARMED_S = 60.0
CREDENTIAL = re.compile(r"\{\{\s*credential\.([\w-]+)(?:\.(\w+))?\s*\}\}")
MODES = {
    "onReceived": "immediately",
    "immediate": "immediately",
    "lastNode": "wait",
    "responseNode": "respond",
}


class Armed(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook ready to take calls.

    Attributes:
        webhook: None when there is none under this address.
        mode: immediately, wait or respond.
        start: What a call starts; None while the workflow does not take calls.
    """

    webhook: Webhook | None
    rules: Rules
    secrets: Sequence[str]
    mode: str = "immediately"
    status: int = 202
    wait_ms: int = 30_000
    start: Start | None = None


def first(settings: Mapping[str, Json], *names: str) -> Json:
    """Read a setting by the first of its spellings that is there."""
    return next((settings[name] for name in names if settings.get(name) is not None), None)


def rules_of(settings: Mapping[str, Json], *, has_secret: bool) -> Rules:
    """Read what a webhook asks of its callers out of its trigger's config.

    Raises:
        Invalid: Something in it could never work.
    """
    methods = first(settings, "methods", "method", "httpMethod") or ()
    signature = dict(first(settings, "signature") or {})
    signature.pop("secret", None)
    if signature.get("preset") in ("generic", "custom"):
        signature["preset"] = "hmac"
    signature = {_camel(name): value for name, value in signature.items()}
    try:
        rules = Rules(
            methods=(methods,) if isinstance(methods, str) else tuple(methods),
            signature=msgspec.convert(signature, Signature) if signature or has_secret else None,
            schema=first(settings, "schema"),
            mapping=first(settings, "mapping"),
            dedup=str(first(settings, "dedup_key", "dedupKey", "dedup") or ""),
        )
    except (msgspec.ValidationError, TypeError) as error:
        raise Invalid(f"The webhook's settings are wrong: {error}.", code="webhook.settings") from error
    check_rules(rules)
    return rules


def _camel(name: str) -> str:
    """Say a snake_case name in camelCase."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


class Arming:
    """Prepares webhooks."""

    def __init__(
        self,
        records: Records,
        executables: Executables,
        broker: CredentialBroker,
        box: SecretBox,
        prepared: Prepared,
        ids: IdSource,
    ) -> None:
        self._records, self._executables, self._broker = records, executables, broker
        self._box, self._prepared, self._ids = box, prepared, ids

    def secret(self, webhook: Webhook) -> str:
        """Open a webhook's own secret; empty for none."""
        return self._box.open(webhook.sealed, f"webhook:{webhook.id}").decode() if webhook.sealed else ""

    async def armed(self, webhook_id: str) -> Armed:
        """Prepare a webhook for calls; an unknown address is prepared as one that refuses everybody."""
        found: Armed | None = self._prepared.get(f"webhook:{webhook_id}")
        if found is None:
            webhook = await self._records.webhooks.find(webhook_id)
            found = await self._arm(webhook)
            self._prepared.put(f"webhook:{webhook_id}", found, ARMED_S)
        return found

    async def _arm(self, webhook: Webhook | None) -> Armed:
        """Open the secret, compile the rules and find what a call starts."""
        if webhook is None:
            return Armed(webhook=None, rules=Rules(signature=Signature()), secrets=(self._ids.uuid(),))
        settings = webhook.settings
        secret = self.secret(webhook)
        if named := CREDENTIAL.fullmatch(secret.strip()):
            secret = await self._of_credential(webhook.workspace_id, webhook.id, named[1], named[2] or "")
        mode = str(first(settings, "response_mode", "responseMode") or "immediately")
        wait_s = first(settings, "timeout_s")
        status = first(settings, "response_status", "responseStatus", "responseCode")
        start = None
        if webhook.is_active:
            try:
                published = await self._executables.published(webhook.workspace_id, webhook.workflow_id)
                start = Start(
                    execution_id="",
                    workflow_id=webhook.workflow_id,
                    spec_hash=published.spec_hash,
                    workflow_version=published.workflow_version,
                    trigger=webhook.node_id,
                )
            except (NotFound, Invalid):
                start = None
        return Armed(
            webhook=webhook,
            rules=rules_of(settings, has_secret=bool(secret)),
            secrets=(secret,) if secret else (),
            mode=MODES.get(mode, mode),
            status=status if isinstance(status, int) else 202,
            wait_ms=int(wait_s * 1000) if isinstance(wait_s, int | float) else 30_000,
            start=start,
        )

    async def _of_credential(self, workspace_id: str, webhook_id: str, name: str, field: str) -> str:
        """Read the signing secret that the trigger's config names as `{{credential.NAME.FIELD}}`."""
        fields = await self._broker.open(workspace_id, name, f"webhook:{webhook_id}")
        found: Any = fields.get(field) if field else next(iter(fields.values()), None)
        if not isinstance(found, str):
            raise Invalid(f"The credential {name!r} has no field {field!r}.", code="webhook.settings")
        return found
