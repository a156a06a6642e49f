"""Trying credentials out: one harmless call that only a working one survives."""

import base64
import re
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.broker import Broker
from linkflow.control.credential_types import CredentialType, HttpTrial, type_of
from linkflow.domain.credential import Redaction, secrets_in
from linkflow.domain.errors import ActivityError, Denied, Invalid, Unavailable
from linkflow.domain.values import Json, decode_json
from linkflow.ports.clock import Clock
from linkflow.ports.outbound import HttpClient, HttpRequest
from linkflow.ports.probe import Probe
from linkflow.ports.records import Records

TIMEOUT_S = 15.0
MAX_BYTES = 1024 * 1024
_FIELD = re.compile(r"\{([a-z_]+)\}")


class Trial(msgspec.Struct, frozen=True):
    """How a trial ended: whether it works, what was said (without secrets), how long it took."""

    works: bool
    message: str
    took_ms: float


class CredentialTrials:
    """Tries credentials out."""

    def __init__(
        self,
        records: Records,
        broker: Broker,
        http: HttpClient,
        probe: Probe,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._records, self._broker = records, broker
        self._http, self._probe = http, probe
        self._audit, self._clock = audit, clock

    async def run(self, actor: Actor, credential_id: str) -> Trial:
        """Try a credential out; a credential that does not work is an answer, not an error.

        Raises:
            NotFound: No such credential.
            Invalid: `credential.no_test`: nothing is known that one of its type could be tried with.
        """
        actor.require("credential.update")
        found = await self._records.ledger.credential(actor.workspace_id, credential_id)
        kind = type_of(found.type)
        if not kind.is_testable and not kind.provider:
            raise Invalid(
                f"A {kind.title} cannot be tried out by itself; run a workflow that uses it.",
                code="credential.no_test",
            )
        began = self._clock.monotonic()
        try:
            fields = await self._broker.open(actor.workspace_id, found.id, f"test by {actor.user_id}")
        except (Denied, Unavailable) as error:
            return self._ended(began, str(error), {}, works=False)
        try:
            said = await self._tried(kind, fields)
        except ActivityError as error:
            return self._ended(began, str(error), fields, works=False)
        return self._ended(began, said, fields, works=True)

    def _ended(self, began: float, message: str, fields: Mapping[str, Json], *, works: bool) -> Trial:
        """Say how it ended."""
        took_ms = round((self._clock.monotonic() - began) * 1000, 1)
        return Trial(works, Redaction(secrets_in(fields)).text(message), took_ms)

    async def _tried(self, kind: CredentialType, fields: Mapping[str, Json]) -> str:
        """Make the call.

        Raises:
            ActivityError: It does not work.
            Invalid: It cannot be tried.
        """
        if kind.reach:
            return await self._probe.reach(kind.reach, fields)
        if kind.trial is None:
            return "Its access token is fresh."
        response = await self._http.send(_request(kind.trial, fields))
        if response.status >= 400:
            raise ActivityError(f"The service answers {response.status} {response.reason}.")
        if kind.trial.says:
            try:
                said = decode_json(response.body)
            except (msgspec.DecodeError, ValueError):
                said = None
            if not (isinstance(said, dict) and said.get(kind.trial.says)):
                reason = said.get("error") if isinstance(said, dict) else None
                raise ActivityError(f"The service says no: {str(reason or 'no reason given')[:200]}.")
        return f"The service answers {response.status}."


def _request(trial: HttpTrial, fields: Mapping[str, Json]) -> HttpRequest:
    """Fill a trial's call in."""

    def field(name: str) -> str:
        return str(fields.get(name) or "")

    def placed(found: "re.Match[str]") -> str:
        value = field(found[1])
        if found.start() == 0:  # a whole address, or its beginning
            return value.rstrip("/")
        return trial.words.get(value, quote(value, safe=""))

    url = _FIELD.sub(placed, trial.url)
    if not url.startswith(("https://", "http://")):
        raise Invalid("Say its test_url to try it out.", code="credential.no_test")
    headers = {
        _FIELD.sub(lambda found: field(found[1]), name): _FIELD.sub(lambda found: field(found[1]), value)
        for name, value in trial.headers
    }
    if trial.basic is not None:
        pair = ":".join(map(field, trial.basic))
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return HttpRequest(
        method=trial.method,
        url=url,
        headers=headers,
        body=trial.body.encode() if trial.body else None,
        timeout_s=TIMEOUT_S,
        max_bytes=MAX_BYTES,
    )
