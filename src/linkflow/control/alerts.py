"""Alert rules: who is told of what, and where; `alerting.py` tells them."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.notifications import Letter, Notifications
from linkflow.domain.alert import Channel, Rule, checked_channels, checked_rule
from linkflow.domain.audit import changed
from linkflow.domain.errors import Invalid
from linkflow.domain.notification import masked
from linkflow.domain.subscription import secret_of
from linkflow.domain.values import Json
from linkflow.ports.alerts import Alert
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.notifications import Notification
from linkflow.ports.records import Records
from linkflow.ports.subscriptions import FollowedExecutions
from linkflow.ports.vault import SecretBox

MOST = 50
"""Rules of a workspace."""
LONGEST_COOLDOWN_S = 7 * 24 * 3600.0
TEST = "alert.test"


def place_of(alert_id: str) -> str:
    """What the sealed channels of a rule belong to."""
    return f"alert:{alert_id}"


def channels_of(box: SecretBox, alert: Alert) -> Sequence[Channel]:
    """Open the channels of a rule."""
    return msgspec.json.decode(box.open(alert.sealed, place_of(alert.id)), type=list[Channel])


def shown(channel: Channel) -> Mapping[str, Json]:
    """Say a channel without its secrets."""
    said: dict[str, Json] = {"kind": channel.kind}
    if channel.to:
        said["to"] = list(channel.to)
    if channel.url:
        said["url"] = masked(channel.url) if channel.kind == "slack" else channel.url
    if channel.credential:
        said |= {"credential": channel.credential, "channel": channel.channel}
    return said


def letters(
    channels: Sequence[Channel], title: str, text: str, *, link: str, event: str, data: Json
) -> Sequence[Letter]:
    """Write what is sent to each receiver."""
    found: list[Letter] = []
    for channel in channels:
        said = Letter(kind=channel.kind, title=title, text=text, link=link, event=event, data=data)
        if channel.kind == "email":
            found += [msgspec.structs.replace(said, to=to) for to in channel.to]
        else:
            found.append(
                msgspec.structs.replace(
                    said,
                    to=channel.channel,
                    url=channel.url,
                    secret=channel.secret,
                    credential=channel.credential,
                )
            )
    return found


class Alerts:
    """The alert rules of workspaces."""

    def __init__(
        self,
        records: Records,
        followed: FollowedExecutions,
        notifications: Notifications,
        box: SecretBox,
        audit: Audit,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._records, self._followed, self._notifications = records, followed, notifications
        self._box, self._audit, self._clock, self._ids = box, audit, clock, ids

    async def create(
        self, actor: Actor, name: str, rule: Rule, channels: Sequence[Channel], *, cooldown_s: float
    ) -> tuple[Alert, Sequence[Channel]]:
        """Tell of something from now on; also gives the channels, whose new secrets are shown this once.

        Raises:
            Invalid: `alert.rule`, `alert.channel`, `alert.cooldown`, `alert.too_many`.
            NotFound: No such workflow or credential.
        """
        actor.require("alert.manage")
        if len(await self._records.alerts.list(actor.workspace_id)) >= MOST:
            raise Invalid(f"A workspace has at most {MOST} alerts.", code="alert.too_many")
        rule, opened = checked_rule(rule), self._with_secrets(checked_channels(channels), ())
        await self._require_there(actor, rule, opened)
        alert_id, now = self._ids.uuid(), self._clock.now()
        head = await self._records.audit_log.head(actor.workspace_id)
        alert = Alert(
            id=alert_id,
            workspace_id=actor.workspace_id,
            name=name,
            **msgspec.structs.asdict(rule),
            cooldown_s=_cooldown(cooldown_s),
            sealed=self._sealed(alert_id, opened),
            is_active=True,
            audit_number=head.number,
            created_by=actor.user_id,
            created_at=now,
            updated_at=now,
        )
        await self._followed.follow([actor.workspace_id])
        async with self._records.transaction() as records:
            await records.alerts.create(alert)
            await self._audit.note(
                records.ledger, actor, "alert.create", f"alert:{alert_id}", name=name, kind=rule.kind
            )
        await self._followed.follow([actor.workspace_id])  # others see it: nobody forgets the workspace
        return alert, opened

    async def change(
        self,
        actor: Actor,
        alert_id: str,
        *,
        name: str | None = None,
        rule: Rule | None = None,
        channels: Sequence[Channel] | None = None,
        cooldown_s: float | None = None,
        is_active: bool | None = None,
    ) -> tuple[Alert, Sequence[Channel]]:
        """Change a rule; None keeps what it is. A webhook that stays keeps its secret.

        Raises:
            Invalid: As `create`.
            NotFound: No such rule, workflow or credential.
        """
        actor.require("alert.manage")
        before = await self._records.alerts.get(actor.workspace_id, alert_id)
        kept = channels_of(self._box, before)
        opened = kept if channels is None else self._with_secrets(checked_channels(channels), kept)
        checked = before.rule if rule is None else checked_rule(rule)
        await self._require_there(actor, checked, opened)
        after = msgspec.structs.replace(
            before,
            name=before.name if name is None else name,
            **msgspec.structs.asdict(checked),
            cooldown_s=before.cooldown_s if cooldown_s is None else _cooldown(cooldown_s),
            sealed=before.sealed if channels is None else self._sealed(before.id, opened),
            is_active=before.is_active if is_active is None else is_active,
            updated_at=self._clock.now(),
        )
        if after.is_active and not before.is_active:
            head = await self._records.audit_log.head(actor.workspace_id)
            after = msgspec.structs.replace(after, audit_number=head.number)
        hidden = msgspec.structs.replace(before, sealed=b""), msgspec.structs.replace(after, sealed=b"")
        said = {**changed(*hidden), **({"channels": True} if channels is not None else {})}
        if after.is_active:
            await self._followed.follow([actor.workspace_id])
        async with self._records.transaction() as records:
            await records.alerts.change(after)
            await self._audit.note(records.ledger, actor, "alert.update", f"alert:{alert_id}", **said)
        if after.is_active:
            await self._followed.follow([actor.workspace_id])
        return after, [each for each in opened if each not in kept]

    def _with_secrets(self, channels: Sequence[Channel], kept: Sequence[Channel]) -> Sequence[Channel]:
        """Give each webhook a secret: the one it has, or a new one."""
        known = {each.url: each.secret for each in kept if each.kind == "webhook"}
        return [
            msgspec.structs.replace(each, secret=known.get(each.url) or self._secret())
            if each.kind == "webhook"
            else each
            for each in channels
        ]

    def _secret(self) -> str:
        """Make up a secret of 32 bytes."""
        return secret_of(bytes.fromhex(f"{self._ids.uuid()}{self._ids.uuid()}".replace("-", "")))

    def _sealed(self, alert_id: str, channels: Sequence[Channel]) -> bytes:
        """Seal channels."""
        return self._box.seal(msgspec.json.encode(channels), place_of(alert_id))

    async def _require_there(self, actor: Actor, rule: Rule, channels: Sequence[Channel]) -> None:
        """Go on only when the workflows and credentials that are named belong to the workspace."""
        for workflow_id in rule.workflow_ids:
            await self._records.workflows.get(actor.workspace_id, workflow_id)
        for channel in channels:
            if channel.credential:
                await self._records.ledger.credential(actor.workspace_id, channel.credential)

    async def list(self, actor: Actor) -> Sequence[Alert]:
        """List rules, newest first."""
        actor.require("alert.view")
        return await self._records.alerts.list(actor.workspace_id)

    async def read(self, actor: Actor, alert_id: str) -> Alert:
        """Read a rule."""
        actor.require("alert.view")
        return await self._records.alerts.get(actor.workspace_id, alert_id)

    def channels(self, alert: Alert) -> Sequence[Channel]:
        """Say the channels of a rule; show them by `shown`."""
        return channels_of(self._box, alert)

    async def delete(self, actor: Actor, alert_id: str) -> None:
        """Remove a rule; what was sent stays in the history."""
        actor.require("alert.manage")
        await self._records.alerts.get(actor.workspace_id, alert_id)
        async with self._records.transaction() as records:
            await records.alerts.delete(actor.workspace_id, alert_id)
            await self._audit.note(records.ledger, actor, "alert.delete", f"alert:{alert_id}")

    async def test(self, actor: Actor, alert_id: str) -> Sequence[Notification]:
        """Send a message that says that it is a test to every channel; the history says how it went."""
        actor.require("alert.manage")
        alert = await self._records.alerts.get(actor.workspace_id, alert_id)
        said = letters(
            channels_of(self._box, alert),
            f"Test of the alert “{alert.name}”",
            "Nothing happened: somebody tried whether this alert arrives.",
            link="",
            event=TEST,
            data={"alert": {"id": alert.id, "name": alert.name, "kind": alert.kind}},
        )
        happening = self._ids.uuid()
        async with self._records.transaction() as records:
            found = [
                await self._notifications.write(
                    records,
                    alert.workspace_id,
                    each,
                    source=f"alert:{alert.id}",
                    subject="test",
                    happening=happening,
                    is_test=True,
                )
                for each in said
            ]
            await self._audit.note(records.ledger, actor, "alert.test", f"alert:{alert.id}")
        self._notifications.nudge()
        return found

    async def history(self, actor: Actor, alert_id: str, after: str, limit: int) -> Sequence[Notification]:
        """List what was sent, newest first: by one rule, or by all of them."""
        actor.require("alert.view")
        if alert_id:
            await self._records.alerts.get(actor.workspace_id, alert_id)
        return await self._records.notifications.list(actor.workspace_id, f"alert:{alert_id}", after, limit)


def _cooldown(cooldown_s: float) -> float:
    """Say a cool-down.

    Raises:
        Invalid: `alert.cooldown`.
    """
    if not 0 <= cooldown_s <= LONGEST_COOLDOWN_S:
        raise Invalid(f"cooldown_s is 0 to {LONGEST_COOLDOWN_S:g} seconds.", code="alert.cooldown")
    return cooldown_s
