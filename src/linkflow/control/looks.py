"""Looks at long executions: node runs, log lines and events in pages, by the event that changed them."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from linkflow.control.actor import Actor
from linkflow.control.executions import Executions
from linkflow.domain.errors import NotFound
from linkflow.domain.execution.view import LogLine, N, NodeRun, page_after
from linkflow.domain.values import is_execution_id
from linkflow.ports.coordination import Prepared
from linkflow.ports.services import ExecutionView, Frontend, RecordedEvent
from linkflow.ports.views import HEAD, Part

MOST = 1000
"""Node runs or log lines of an answer that was asked for without a limit."""
KEPT_S = 10.0
"""So long what the first page was cut from is kept for the next one."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a page is about.

    Attributes:
        execution_id: The execution.
        after: Only what changed after this event number.
        limit: How many at most, more only where one event changed several; 0 for `MOST`.
        version: That of the page before, so that all pages say the same instant; 0 for the first page.
        node: Only runs of this node id, or of this key; empty for all.
    """

    execution_id: str
    after: int = 0
    limit: int = 0
    version: int = 0
    node: str = ""


class RunsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Node runs in the order of their last events; without a limit, where all fit, of their first."""

    data: Sequence[NodeRun]
    next: int | None
    version: int


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """Log lines, oldest first."""

    data: Sequence[LogLine]
    next: int | None
    version: int


class _Kept(NamedTuple):
    """What pages are cut from: a view with what changed after an event number."""

    after: int
    view: ExecutionView


class Looks:
    """Read an execution page by page, without folding all of it for each."""

    def __init__(self, executions: Executions, frontend: Frontend, prepared: Prepared) -> None:
        self._executions, self._frontend, self._prepared = executions, frontend, prepared

    async def runs(self, actor: Actor, look: Look) -> RunsPage:
        """Read a page of node runs.

        Raises:
            NotFound: No such execution in the actor's workspace.
        """
        kept = await self._kept(actor, look, Part(after=look.after))
        view = kept.view
        found = [run for run in view.nodes if not look.node or look.node in (run.key, run.node_id)]
        data, following = page_of(found, look.after, look.limit)
        self._keep(_name(actor, look.execution_id, view.version, "runs"), look, kept, following)
        return RunsPage(data=data, next=following, version=view.version)

    async def log(self, actor: Actor, look: Look) -> LogPage:
        """Read a page of the log.

        Raises:
            NotFound: No such execution in the actor's workspace.
        """
        kept = await self._kept(actor, look, Part(after=look.after, runs=False, logs=True))
        view = kept.view
        data, following = page_of(view.logs, look.after, look.limit)
        self._keep(_name(actor, look.execution_id, view.version, "logs"), look, kept, following)
        return LogPage(data=data, next=following, version=view.version)

    async def events(
        self, actor: Actor, execution_id: str, after: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Read the history after an event number, oldest first.

        Whose it is its first event says: the rest of a long history is not read for a page.

        Raises:
            NotFound: No such execution in the actor's workspace.
        """
        actor.require("execution.view")
        missing = NotFound("There is no such execution.", execution_id=execution_id)
        if not is_execution_id(execution_id):
            raise missing
        try:
            (started,) = await self._frontend.events(execution_id, 0, 1)
        except NotFound:
            await self._executions.read(actor, execution_id, HEAD)  # in the inbox, with no event yet
            return ()
        if started.data.get("workspace_id") != actor.workspace_id:
            raise missing
        return await self._frontend.events(execution_id, after, limit)

    async def _kept(self, actor: Actor, look: Look, part: Part) -> _Kept:
        """Take what the page before was cut from, if all of this one is in it; else read it."""
        actor.require("execution.view")
        name = _name(actor, look.execution_id, look.version, "logs" if part.logs else "runs")
        kept = self._prepared.get(name) if look.version else None
        if kept is not None and kept.after <= look.after:
            assert isinstance(kept, _Kept)
            return kept
        return _Kept(look.after, await self._executions.read(actor, look.execution_id, part))

    def _keep(self, name: str, look: Look, kept: _Kept, following: int | None) -> None:
        """Keep it for the page that follows; forget it after the last one.

        Others may be on their way through the same instant: what is less takes no place of what is more.
        """
        known = self._prepared.get(name)
        if following is None:
            if look.version:
                self._prepared.drop(name)
        elif known is None or kept.after <= known.after:
            self._prepared.put(name, kept, KEPT_S)


def page_of(found: Sequence[N], after: int, limit: int) -> tuple[Sequence[N], int | None]:
    """Take a page of runs or lines; see `page_after`. Without a limit all in their own order, if they fit."""
    if not limit:
        ahead = [each for each in found if each.event > after]
        if len(ahead) <= MOST:
            return ahead, None
    return page_after(found, after, limit or MOST)


def _name(actor: Actor, execution_id: str, version: int, what: str) -> str:
    return f"look:{what}:{actor.workspace_id}:{execution_id}:{version}"
