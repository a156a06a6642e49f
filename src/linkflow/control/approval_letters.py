"""Letters about approvals: whoever is named to decide hears of it once, with a link, and is reminded.

engine.approvals ──▶ a key for links and letters, in one transaction ──▶ noted as told

What breaks: this process between writing letters and noting that; the round is kept with the key, so letters
are written once. Nobody is told of what the projection does not show yet; it follows.
"""

from collections.abc import Mapping, Sequence

from linkflow.control.alerting import Alerting
from linkflow.control.notifications import Letter, Notifications
from linkflow.domain.approval_link import signed
from linkflow.domain.email import email_of
from linkflow.domain.errors import Invalid, LinkFlowError, NotFound, Unavailable
from linkflow.domain.execution.approvals import OPEN, Approval
from linkflow.domain.notification import moment
from linkflow.domain.values import Json
from linkflow.ports.approvals import ApprovalBoard, ApprovalLink, ApprovalRow
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.identity import MemberLine
from linkflow.ports.records import Records
from linkflow.ports.vault import SecretBox
from linkflow.telemetry import logger

LOG = logger("approvals")
BATCH = 50
SHORTEST_REMINDER_S = 60.0


class ApprovalLetters:
    """Tells deciders what they are asked."""

    def __init__(
        self,
        records: Records,
        board: ApprovalBoard,
        notifications: Notifications,
        alerting: Alerting,
        box: SecretBox,
        clock: Clock,
        ids: IdSource,
        *,
        public_url: str,
    ) -> None:
        self._records, self._board, self._notifications = records, board, notifications
        self._alerting, self._box, self._clock, self._ids = alerting, box, clock, ids
        self._public_url = public_url

    async def tell(self) -> int:
        """Tell deciders of what they are asked; how many approvals were told of. Safe to repeat."""
        untold = await self._board.untold(BATCH)
        for row in untold:
            try:
                if await self._tell(row):
                    self._notifications.nudge()
                await self._alerting.asked(row, title_of(row.approval))
            except Unavailable:
                raise
            except Exception:  # one that cannot be told of must not silence the others; the inbox shows it
                LOG.exception("not told", approval_id=row.id)
            await self._board.told(row.id, row.approval.round)
        return len(untold)

    async def _tell(self, row: ApprovalRow) -> bool:
        """Write the letters of a round; False when that was done before."""
        key = bytes.fromhex(f"{self._ids.uuid()}{self._ids.uuid()}".replace("-", ""))
        every_s = _every_s(row.approval)
        link = ApprovalLink(
            id=row.id,
            workspace_id=row.workspace_id,
            execution_id=row.execution_id,
            sealed=self._box.seal(key, place_of(row.id)),
            round=row.approval.round,
            remind_at=self._clock.now() + every_s if every_s else None,
            remind_every_s=every_s,
            until=row.approval.due_at,
        )
        try:
            async with self._records.transaction() as records:
                if not await records.approval_links.add(link):
                    return False
                kept = await records.approval_links.get(row.id)
                assert kept is not None, "it was just added"
                opened = self._key(kept)
                if opened is not None:
                    await self._write(records, row, opened, f"round {row.approval.round}")
        except NotFound:
            return False  # the workspace is gone
        return True

    async def remind(self) -> int:
        """Remind the deciders of what is still open and due for that; how many approvals."""
        done = 0
        for link in await self._records.approval_links.to_remind(self._clock.now(), BATCH):
            try:
                done += await self._remind(link)
            except Unavailable:
                raise
            except Exception:  # one that cannot be reminded of must not keep the others back
                LOG.exception("not reminded; never again", approval_id=link.id)
                await self._records.approval_links.reminded(link, None)
        if done:
            self._notifications.nudge()
        return done

    async def _remind(self, link: ApprovalLink) -> bool:
        """Remind the deciders of one approval; False when nobody is asked any more."""
        try:
            row = await self._board.get(link.workspace_id, link.id)
            await self._records.tenancy.workspace(link.workspace_id)
        except NotFound:
            row = None
        key = self._key(link)
        if row is None or key is None or row.approval.status != OPEN:
            await self._records.approval_links.reminded(link, None)
            return False
        async with self._records.transaction() as records:
            if not await records.approval_links.reminded(link, self._clock.now() + link.remind_every_s):
                return False
            await self._write(records, row, key, f"reminder {link.remind_at}", "Reminder: ")
        return True

    def _key(self, link: ApprovalLink) -> bytes | None:
        """Open the key of an approval's links; None when it cannot be, which holds nobody else up."""
        try:
            return link_key(self._box, link)
        except LinkFlowError as error:
            LOG.error("no link can be made", approval_id=link.id, error=str(error))
            return None

    async def _write(
        self, records: Records, row: ApprovalRow, key: bytes, happening: str, before: str = ""
    ) -> None:
        """Write a letter to each decider who was named."""
        workspace = await records.tenancy.workspace(row.workspace_id)
        members = await records.tenancy.members(row.workspace_id)
        asked = row.approval.asked if isinstance(row.approval.asked, dict) else {}
        title = title_of(row.approval)
        for email in _addresses(row.approval.deciders, members):
            token = signed(key, row.id, row.approval.due_at, email)
            text = "\n\n".join(
                part
                for part in (
                    title,
                    str(asked.get("description") or ""),
                    f"It waits for you until {moment(row.approval.due_at)}. "
                    "The link below is yours alone and lets you decide without signing in:",
                )
                if part
            )
            letter = Letter(
                kind="email",
                to=email,
                title=f"{before}[{workspace.name}] {title}",
                text=text,
                link=f"{self._public_url}/api/v1/approve/{token}",
            )
            await self._notifications.write(
                records,
                row.workspace_id,
                letter,
                source=f"approval:{row.id}",
                subject=f"execution:{row.execution_id}",
                happening=happening,
            )


def place_of(approval_id: str) -> str:
    """What the sealed key of an approval's links belongs to."""
    return f"approval:{approval_id}"


def link_key(box: SecretBox, link: ApprovalLink) -> bytes:
    """Open the key that signs links."""
    return box.open(link.sealed, place_of(link.id))


def title_of(approval: Approval) -> str:
    """Say an approval in one line."""
    asked = approval.asked if isinstance(approval.asked, dict) else {}
    return str(asked.get("title") or approval.label or "LinkFlow waits for your decision")


def _addresses(deciders: Sequence[str], members: Sequence[MemberLine]) -> Sequence[str]:
    """List the addresses of those who were named."""
    by_name: dict[str, list[str]] = {}
    for member in members:
        by_name.setdefault(member.user_id.lower(), []).append(member.email.lower())
        by_name.setdefault(f"role:{member.role}", []).append(member.email.lower())
    found = [email for name in deciders for email in by_name.get(name) or _address(name)]
    return list(dict.fromkeys(found))


def _address(name: str) -> Sequence[str]:
    """Say a name as an address, if it is one."""
    try:
        return [email_of(name)]
    except Invalid:
        return ()


def _every_s(approval: Approval) -> float:
    """Say the pause between reminders, seconds; 0 for none."""
    asked: Mapping[str, Json] = approval.asked if isinstance(approval.asked, dict) else {}
    try:
        every_s = float(asked.get("remind_every_s") or 0.0)
    except (TypeError, ValueError):
        return 0.0
    return max(SHORTEST_REMINDER_S, every_s) if every_s > 0 else 0.0
