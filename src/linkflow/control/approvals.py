"""Approvals: what executions ask people, who is told of it, and how they decide.

engine.approvals (projection) ──▶ approval_letters ──▶ a person decides here ──▶ the execution goes on

The engine decides which answer counts: the first one. What is shown here may be a moment older.
"""

from collections.abc import Sequence

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.approval_letters import link_key
from linkflow.control.executions import Executions
from linkflow.domain.access import may
from linkflow.domain.approval_link import LinkUnknown, read, require_genuine
from linkflow.domain.errors import Conflict, Denied, ExecutionClosed, Invalid, NotFound
from linkflow.domain.execution.approvals import OPEN, Approval
from linkflow.domain.parameters import schema_problems
from linkflow.domain.values import Json
from linkflow.ports.approvals import ApprovalBoard, ApprovalQuery, ApprovalRow
from linkflow.ports.clock import Clock
from linkflow.ports.identity import MemberLine
from linkflow.ports.records import Records
from linkflow.ports.services import Driver, Frontend, ResolveWait
from linkflow.ports.vault import SecretBox
from linkflow.ports.views import HEAD

DECISIONS = ("approved", "rejected")
PERMISSION = "approval.decide"
LONGEST_COMMENT = 2_000


class NotADecider(Denied):
    """Others were named to decide this."""

    code = "approval.not_a_decider"


class Decided(Conflict):
    """This was decided already, or is not asked any more."""

    code = "approval.decided"


class LinkView(msgspec.Struct, frozen=True):
    """What a link shows: the approval and whom the link was sent to."""

    row: ApprovalRow
    decider: str


class Approvals:
    """What people are asked, and their decisions."""

    def __init__(
        self,
        records: Records,
        board: ApprovalBoard,
        frontend: Frontend,
        executions: Executions,
        box: SecretBox,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._records, self._board, self._frontend = records, board, frontend
        self._executions, self._box, self._audit, self._clock = executions, box, audit, clock

    # ------------------------------------------------------------ signed in

    async def list(self, actor: Actor, query: ApprovalQuery, *, is_mine: bool) -> Sequence[ApprovalRow]:
        """List approvals, newest first; with `is_mine` only those that the actor may decide."""
        actor.require("execution.view")
        if is_mine and not actor.may(PERMISSION):
            return ()
        names = _names(actor) if is_mine else None
        return await self._board.list(
            msgspec.structs.replace(query, workspace_id=actor.workspace_id, names=names)
        )

    async def read(self, actor: Actor, approval_id: str) -> ApprovalRow:
        """Read an approval.

        Raises:
            NotFound: No such approval in the actor's workspace.
        """
        actor.require("execution.view")
        return await self._board.get(actor.workspace_id, approval_id)

    async def decide(
        self, actor: Actor, approval_id: str, decision: str, answer: Json, comment: str
    ) -> ApprovalRow:
        """Decide an approval; the execution goes on.

        Raises:
            NotFound: No such approval.
            NotADecider: Others were named.
            Invalid: `approval.form`: the answer does not fit the form; `approval.decision`.
            Decided: Somebody was first.
        """
        actor.require(PERMISSION)
        row = await self._board.get(actor.workspace_id, approval_id)
        asked = await self._still_asked(row)
        require_decider(actor, asked)
        decided = await self._resolve(row, asked, decision, answer, comment, actor.email)
        await self._note(actor, row, decision, comment)
        return decided

    async def resolve(self, actor: Actor, execution_id: str, *, key: str, action: str, data: Json) -> None:
        """Decide whatever an execution waits for; an approval by its own rules.

        Raises:
            LinkFlowError: As `decide`, and as `Executions.resolve`.
        """
        actor.require(PERMISSION)
        await self._executions.read(actor, execution_id, HEAD)
        asked = await self._waiting(execution_id, key)
        if asked is not None:
            require_decider(actor, asked)
            if action == "approved":
                require_fits(asked, data)
        await self._executions.resolve(actor, execution_id, key=key, action=action, data=data)

    # ------------------------------------------------------------ by a link

    async def look(self, token: str) -> LinkView:
        """Show what a link decides; nothing is decided by looking.

        Raises:
            LinkUnknown: The link is wrong or over.
        """
        link = read(token)
        kept = await self._records.approval_links.get(link.approval_id)
        if kept is None:
            raise LinkUnknown
        require_genuine(link, link_key(self._box, kept), self._clock.now())
        try:
            await self._records.tenancy.workspace(kept.workspace_id)
            return LinkView(await self._board.get(kept.workspace_id, kept.id), link.decider)
        except NotFound as error:
            raise LinkUnknown from error

    async def decide_by_link(self, token: str, decision: str, answer: Json, comment: str) -> ApprovalRow:
        """Decide by a link, as whom it was sent to.

        Raises:
            LinkUnknown: The link is wrong or over.
            NotADecider: Others are asked by now.
            Invalid: The answer does not fit the form.
            Decided: Somebody was first.
        """
        view = await self.look(token)
        row = view.row
        asked = await self._still_asked(row)
        member = await self._member(row.workspace_id, view.decider)
        if not _is_asked(asked, view.decider, member):
            raise NotADecider
        decided = await self._resolve(row, asked, decision, answer, comment, view.decider)
        actor = Actor(
            user_id=member.user_id if member else "",
            workspace_id=row.workspace_id,
            email=view.decider,
            role="",
        )
        await self._note(actor, row, decision, comment, by_link=view.decider)
        return decided

    async def _member(self, workspace_id: str, email: str) -> MemberLine | None:
        """Find a member by address."""
        members = await self._records.tenancy.members(workspace_id)
        return next((each for each in members if each.email.lower() == email), None)

    # ------------------------------------------------------------ both

    async def _waiting(self, execution_id: str, key: str) -> Approval | None:
        """Say what an execution asks under a key, from its history; None for no approval."""
        try:
            found = await self._frontend.explain(execution_id)
        except ExecutionClosed:
            return None
        for driver in found.drivers:
            is_budget = driver.kind == "budget" and not driver.match  # the workspace's is no approval
            if driver.key == key and (driver.kind == "approval" or is_budget):
                return asked_by(driver)
        return None

    async def _still_asked(self, row: ApprovalRow) -> Approval:
        """Say what is asked now.

        Raises:
            Decided: Nothing is.
        """
        found = None
        if row.approval.status == OPEN:
            found = await self._waiting(row.execution_id, row.approval.key)
        if found is None:
            by = row.approval.decided_by
            raise Decided(
                f"This was {row.approval.status.replace('_', ' ')} already{f' by {by}' if by else ''}."
                if row.approval.status != OPEN
                else None,
                status_now=row.approval.status,
            )
        return found

    async def _resolve(
        self, row: ApprovalRow, asked: Approval, decision: str, answer: Json, comment: str, by: str
    ) -> ApprovalRow:
        """Hand a decision to the engine; how the approval stands then."""
        if decision not in DECISIONS:
            raise Invalid(f"A decision is one of {', '.join(DECISIONS)}.", code="approval.decision")
        if len(comment) > LONGEST_COMMENT:
            raise Invalid(f"A comment has at most {LONGEST_COMMENT} characters.", code="approval.comment")
        if decision == "approved":
            require_fits(asked, answer)
        command = ResolveWait(
            execution_id=row.execution_id,
            key=row.approval.key,
            action=decision,
            data=answer,
            by=by,
            comment=comment,
        )
        try:
            await self._frontend.resolve(command)
        except (NotFound, ExecutionClosed) as error:
            raise Decided from error
        approval = msgspec.structs.replace(
            row.approval,
            status=decision,
            decided_at=self._clock.now(),
            decided_by=by,
            comment=comment,
            answer=answer,
        )
        return msgspec.structs.replace(row, approval=approval)

    async def _note(self, actor: Actor, row: ApprovalRow, decision: str, comment: str, **more: Json) -> None:
        """Write the line of the audit log."""
        said: dict[str, Json] = {
            "decision": decision,
            "execution": row.execution_id,
            "node": row.approval.key,
            **more,
        }
        if comment:
            said["comment"] = comment
        await self._audit.note(self._records.ledger, actor, "approval.decide", f"approval:{row.id}", **said)


def asked_by(driver: Driver) -> Approval:
    """Say what a wait asks."""
    return Approval(
        key=driver.key,
        node_id=driver.node_id,
        label=driver.label,
        opened_at=driver.since or 0.0,
        due_at=driver.until or 0.0,
        asked=driver.data,
    )


def may_decide(actor: Actor, approval: Approval) -> bool:
    """Say whether somebody who is signed in may decide."""
    named = approval.deciders
    return actor.may(PERMISSION) and (not named or not set(named).isdisjoint(_names(actor)))


def may_hold(actor: Actor, driver: Driver) -> bool:
    """Say whether somebody may see the token that resolves a wait: whoever holds it decides."""
    return actor.may(PERMISSION) and (driver.kind != "approval" or may_decide(actor, asked_by(driver)))


def require_decider(actor: Actor, approval: Approval) -> None:
    """Go on only when the actor may decide this.

    Raises:
        NotADecider: Others were named.
    """
    actor.require(PERMISSION)
    if not may_decide(actor, approval):
        raise NotADecider(f"Only {', '.join(approval.deciders)} may decide this.")


def require_fits(approval: Approval, answer: Json) -> None:
    """Go on only when an answer fits the form.

    Raises:
        Invalid: `approval.form`, with what is wrong by path.
    """
    form = approval.asked.get("form") if isinstance(approval.asked, dict) else None
    if not isinstance(form, dict) or not form:
        return
    wrong = schema_problems(form, {} if answer is None else answer)
    if wrong:
        raise Invalid(
            f"The answer does not fit the form: {wrong[0][0]}: {wrong[0][1]}",
            code="approval.form",
            errors=[{"path": path, "message": message} for path, message in wrong[:50]],
        )


def _names(actor: Actor) -> Sequence[str]:
    """Say under which names an actor may be asked."""
    return [actor.email.lower(), actor.user_id.lower(), f"role:{actor.role}"]


def _is_asked(approval: Approval, email: str, member: MemberLine | None) -> bool:
    """Say whether whoever has an address is asked: by the address itself, or as a member."""
    named = approval.deciders
    if email in named:
        return True
    if member is None:
        return False
    if not named:
        return may(member.role, PERMISSION)
    return member.user_id.lower() in named or f"role:{member.role}" in named
