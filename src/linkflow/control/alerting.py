"""Alerting: what happens is compared with the rules of its workspace, and whoever asked hears of it.

    engine.followed (ends of executions) ─┐
    audit log, from where a rule was told ┼─▶ control.alert_happenings ─▶ window ─▶ control.notifications
    looked for by the duty `alerts` ──────┘      once per rule            counts what comes too soon

Every source is durable and read again after a crash; what happened has a name, and a rule hears of a name
once.
While a rule cools down for a subject, the rest is counted; the next message says how much there was.
"""

from collections.abc import Awaitable, Sequence

import msgspec

from linkflow.control.alerts import channels_of, letters
from linkflow.control.notifications import Notifications
from linkflow.domain.alert import LEAST_RUNS, OF_EXECUTIONS, Occasion, is_about, is_slow, span
from linkflow.domain.errors import LinkFlowError, NotFound, Unavailable
from linkflow.domain.notification import moment
from linkflow.domain.subscription import instant
from linkflow.domain.values import Json
from linkflow.ports.alerts import Alert, AlertSources, AlertWindow
from linkflow.ports.approvals import ApprovalRow
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Prepared
from linkflow.ports.records import Records
from linkflow.ports.subscriptions import FollowedExecution
from linkflow.ports.vault import SecretBox
from linkflow.telemetry import logger

LOG = logger("alerting")
BATCH = 100
BAD_ENDS = frozenset({"failed", "timed_out"})
P95_OVER_S = 7 * 24 * 3600.0
P95_KEPT_S = 60.0
NEEDS_REAUTH = "credential.needs_reauth"


class Alerting:
    """Finds what rules are about, and tells."""

    def __init__(
        self,
        records: Records,
        sources: AlertSources,
        notifications: Notifications,
        box: SecretBox,
        prepared: Prepared,
        clock: Clock,
        *,
        public_url: str,
    ) -> None:
        self._records, self._sources, self._notifications = records, sources, notifications
        self._box, self._prepared = box, prepared
        self._clock, self._public_url = clock, public_url

    # ------------------------------------------------------------ as it happens

    async def workspaces(self) -> frozenset[str]:
        """List the workspaces whose executions rules are about."""
        return frozenset(
            alert.workspace_id for alert in await self._records.alerts.active() if alert.kind in OF_EXECUTIONS
        )

    async def consider(self, happened: Sequence[FollowedExecution]) -> None:
        """Compare ends of executions with the rules. Safe to repeat."""
        ended = [each for each in happened if each.what == "closed" and each.mode != "test"]
        if not ended:
            return
        alerts = [each for each in await self._records.alerts.active() if each.kind in OF_EXECUTIONS]
        for each in ended:
            for alert in alerts:
                if alert.workspace_id == each.workspace_id and is_about(alert.rule, each.workflow_id):
                    await self.guarded(alert, self._compare(alert, each))

    async def _compare(self, alert: Alert, ended: FollowedExecution) -> bool:
        """Compare the end of an execution with a rule; whether a message leaves."""
        occasion = await self._of_end(alert, ended)
        return occasion is not None and await self.fire(alert, occasion)

    async def _of_end(self, alert: Alert, ended: FollowedExecution) -> Occasion | None:
        """Say what a rule finds in the end of an execution."""
        took_s = (ended.closed_at or ended.started_at) - ended.started_at
        if alert.kind == "failure":
            if ended.status not in BAD_ENDS:
                return None
            name = await self.workflow_name(ended.workspace_id, ended.workflow_id)
            how = "timed out" if ended.status == "timed_out" else "failed"
            why = f"{ended.error_code}: {ended.error_text}" if ended.error_code else "No error was given."
            return self._about(ended, "failure", f"{name} {how}", f"{why}\nIt ran for {span(took_s)}.")
        p95_s = await self._p95_s(ended) if alert.times_p95 is not None else None
        if not is_slow(alert.rule, took_s, p95_s):
            return None
        name = await self.workflow_name(ended.workspace_id, ended.workflow_id)
        usual = f"; 95 of 100 take at most {span(p95_s)}" if p95_s is not None else ""
        return self._about(ended, "slow", f"{name} was slow", f"It took {span(took_s)}{usual}.")

    def _about(self, ended: FollowedExecution, what: str, title: str, text: str) -> Occasion:
        """Say an occasion about an execution that ended."""
        return Occasion(
            happening=f"{what} {ended.execution_id}",
            subject=f"workflow:{ended.workflow_id}",
            title=title,
            text=text,
            path=f"/executions/{ended.execution_id}",
            data={
                "execution_id": ended.execution_id,
                "workflow_id": ended.workflow_id,
                "status": ended.status,
                "started_at": instant(ended.started_at),
                "closed_at": None if ended.closed_at is None else instant(ended.closed_at),
                "error": {"code": ended.error_code, "message": ended.error_text}
                if ended.error_code
                else None,
            },
        )

    async def _p95_s(self, ended: FollowedExecution) -> float | None:
        """Say what is usual for a workflow, seconds; looked up once a minute."""
        key = f"p95:{ended.workspace_id}:{ended.workflow_id}"
        found: float | None = self._prepared.get(key)
        if found is None:
            since = self._clock.now() - P95_OVER_S
            found = await self._sources.p95_s(ended.workspace_id, ended.workflow_id, since, LEAST_RUNS)
            self._prepared.put(key, found, P95_KEPT_S)
        return found

    async def asked(self, row: ApprovalRow, title: str) -> None:
        """Tell of an approval that was opened. Safe to repeat."""
        for alert in await self._records.alerts.active(row.workspace_id):
            if alert.kind == "approval" and is_about(alert.rule, row.workflow_id):
                await self.guarded(alert, self.fire(alert, _of_approval(row, title)))

    async def gather(self) -> int:
        """Compare new lines of the audit log with the rules about credentials; how many lines."""
        rules = [each for each in await self._records.alerts.active() if each.kind == "credential"]
        if not rules:
            return 0
        ends = await self._records.audit_log.ends(sorted({each.workspace_id for each in rules}))
        behind = [each for each in rules if each.audit_number < ends.get(each.workspace_id, 0)]
        return sum([await self.guarded(each, self._of_audit(each)) for each in behind])

    async def _of_audit(self, alert: Alert) -> int:
        """Compare new lines of the audit log with a rule; how many lines."""
        lines = await self._records.audit_log.chain(alert.workspace_id, alert.audit_number, BATCH)
        for line in lines:
            if line.action == NEEDS_REAUTH:
                credential_id = line.resource.partition(":")[2]
                name = await self._credential(alert.workspace_id, credential_id)
                occasion = Occasion(
                    happening=f"line {line.number}",
                    subject=line.resource,
                    title=f"Connect {name} again",
                    text=f"The credential {name!r} stopped working; workflows that use it fail.",
                    path="/credentials",
                    data={"credential_id": credential_id, "name": name},
                )
                await self.fire(alert, occasion)
        if lines:
            await self._records.alerts.told(alert.workspace_id, alert.id, lines[-1].number)
        return len(lines)

    # ------------------------------------------------------------ telling

    async def guarded(self, alert: Alert, work: Awaitable[int]) -> int:
        """Do something for a rule; a bug with one must not silence the others.

        Raises:
            Unavailable: The database does not answer; it is done again.
        """
        try:
            return int(await work)
        except Unavailable:
            raise
        except Exception:
            LOG.exception("passed over", alert_id=alert.id, kind=alert.kind)
            return 0

    async def fire(self, alert: Alert, occasion: Occasion) -> bool:
        """Tell of something, unless the rule heard of it or cools down; whether a message leaves."""
        now = self._clock.now()
        fresh = AlertWindow(
            alert.workspace_id, alert.id, occasion.subject, now, now + alert.cooldown_s, 0, occasion.title
        )
        async with self._records.transaction() as records:
            if not await records.alerts.happened(alert.workspace_id, alert.id, occasion.happening, now):
                return False
            window = await records.alerts.window(fresh)
            if window is not None and window.until > now:
                counted = msgspec.structs.replace(window, missed=window.missed + 1, title=occasion.title)
                await records.alerts.put_window(counted)
                return False
            more = ""
            if window is not None:
                more = _more(window)
                await records.alerts.put_window(fresh)
            await self._write(records, alert, occasion, f"{occasion.text}{more}")
        self._notifications.nudge()
        LOG.info("told", alert_id=alert.id, kind=alert.kind, subject=occasion.subject)
        return True

    async def sum_up(self) -> int:
        """Tell how much there was while a rule cooled down; it cools down anew."""
        now, told = self._clock.now(), 0
        for window in await self._records.alerts.ended(now, BATCH):
            try:
                alert = await self._records.alerts.get(window.workspace_id, window.alert_id)
            except NotFound:
                continue  # it was removed meanwhile
            async with self._records.transaction() as records:
                locked = await records.alerts.window(window)
                if locked is None or locked.missed == 0 or locked.until > now:
                    continue
                fresh = msgspec.structs.replace(locked, since=now, until=now + alert.cooldown_s, missed=0)
                await records.alerts.put_window(fresh)
                if not alert.is_active:
                    continue
                occasion = Occasion(
                    happening=f"summary {locked.subject} {locked.since:.3f}",
                    subject=locked.subject,
                    title=f"{locked.missed} more: {locked.title}",
                    text=_more(locked).strip(),
                    data={"more": locked.missed, "since": instant(locked.since)},
                )
                await self._write(records, alert, occasion, occasion.text)
                told += 1
        if told:
            self._notifications.nudge()
        return told

    async def _write(self, records: Records, alert: Alert, occasion: Occasion, text: str) -> None:
        """Write a message to every channel."""
        workspace = await records.tenancy.workspace(alert.workspace_id)
        data: Json = {
            "alert": {"id": alert.id, "name": alert.name, "kind": alert.kind},
            "title": occasion.title,
            "text": text,
            **(occasion.data if isinstance(occasion.data, dict) else {}),
        }
        try:
            channels = channels_of(self._box, alert)
        except LinkFlowError as error:  # its key is gone: nothing can be sent, the others go on
            LOG.error("channels unreadable", alert_id=alert.id, error=str(error))
            return
        for letter in letters(
            channels,
            f"[{workspace.name}] {occasion.title}",
            f"{text}\n\nAlert “{alert.name}”",
            link=self._link(alert.workspace_id, occasion.path),
            event=f"alert.{alert.kind}",
            data=data,
        ):
            await self._notifications.write(
                records,
                alert.workspace_id,
                letter,
                source=f"alert:{alert.id}",
                subject=occasion.subject,
                happening=occasion.happening,
            )

    def _link(self, workspace_id: str, path: str) -> str:
        """Say the address of a page in its workspace, as its reader may be in another; empty for none."""
        return f"{self._public_url}{path}{'&' if '?' in path else '?'}in={workspace_id}" if path else ""

    # ------------------------------------------------------------ names

    async def workflow_name(self, workspace_id: str, workflow_id: str) -> str:
        """Say the name of a workflow; its id once it is gone."""
        try:
            return (await self._records.workflows.get(workspace_id, workflow_id)).name
        except NotFound:
            return workflow_id

    async def _credential(self, workspace_id: str, credential_id: str) -> str:
        """Say the name of a credential; its id once it is gone."""
        try:
            return (await self._records.ledger.credential(workspace_id, credential_id)).name
        except NotFound:
            return credential_id


def _more(window: AlertWindow) -> str:
    """Say how much there was while a rule cooled down; empty for nothing."""
    return f"\n{window.missed} more since {moment(window.since)}." if window.missed else ""


def _of_approval(row: ApprovalRow, title: str) -> Occasion:
    """Say an approval that was opened."""
    approval = row.approval
    asked = approval.asked if isinstance(approval.asked, dict) else {}
    who = f"\nAsked of {', '.join(approval.deciders)}." if approval.deciders else ""
    return Occasion(
        happening=f"approval {row.id} {approval.round}",
        subject=f"approval:{row.id}",
        title=title,
        text=f"{asked.get('description') or 'A decision is needed.'}{who}\nUntil {moment(approval.due_at)}.",
        path=f"/approvals?id={row.id}",
        data={
            "approval_id": row.id,
            "execution_id": row.execution_id,
            "workflow_id": row.workflow_id,
            "due_at": instant(approval.due_at),
        },
    )
