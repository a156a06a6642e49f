"""The audit log: list, export, check."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.plans import Plans
from linkflow.domain.audit import AuditLine, ChainCheck, Verdict, head_of
from linkflow.ports.audit import AuditQuery
from linkflow.ports.records import Records

PAGE = 1000


class AuditLogs:
    """What happened in a workspace, for those who may see it."""

    def __init__(self, records: Records, audit: Audit, plans: Plans) -> None:
        self._records, self._audit, self._plans = records, audit, plans

    async def list(self, actor: Actor, query: AuditQuery) -> Sequence[AuditLine]:
        """List lines of the actor's workspace, newest first."""
        actor.require("audit.view")
        return await self._records.audit_log.list(
            msgspec.structs.replace(query, workspace_id=actor.workspace_id)
        )

    async def export(self, actor: Actor) -> AsyncIterator[Sequence[AuditLine]]:
        """Give the whole chain, oldest first, a page at a time; taking it out leaves a line too.

        Raises:
            FeatureMissing: The plan does not include it.
        """
        actor.require("audit.view")
        await self._plans.include(actor.workspace_id, "audit_export")
        await self._audit.note(self._records.ledger, actor, "audit.export", f"workspace:{actor.workspace_id}")
        return self._pages(actor.workspace_id)

    async def _pages(self, workspace_id: str) -> AsyncIterator[Sequence[AuditLine]]:
        """Read the chain; what is written meanwhile is read too."""
        after = 0
        while True:
            page = await self._records.audit_log.chain(workspace_id, after, PAGE)
            if page:
                yield page
                after = page[-1].number
            if len(page) < PAGE:
                return

    async def verify(self, actor: Actor, expect: str = "") -> Verdict:
        """Check the whole chain.

        Args:
            actor: Whose workspace.
            expect: `NUMBER:HASH` of a line that somebody noted; empty for none.

        Raises:
            Invalid: `audit.expect`: it is something else.
        """
        actor.require("audit.view")
        check = ChainCheck(head_of(expect) if expect else None)
        head = await self._records.audit_log.head(actor.workspace_id)
        after = 0
        while after < head.number:
            page = await self._records.audit_log.chain(
                actor.workspace_id, after, min(PAGE, head.number - after)
            )
            page = [line for line in page if line.number <= head.number]
            if not page:
                break
            check.look(page)
            after = page[-1].number
        return check.verdict(head)
