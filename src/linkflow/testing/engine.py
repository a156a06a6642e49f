"""An engine that runs nothing: for tests of what stands in front of one."""

from collections.abc import Mapping, Sequence

from linkflow.domain.errors import ExecutionClosed, NotFound
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.services import (
    DeadLetter,
    Driver,
    ExecutionPage,
    ExecutionQuery,
    ExecutionRow,
    ExecutionView,
    Explanation,
    NodeRun,
    RecordedEvent,
    ResolveWait,
    SignalExecution,
    StartedExecution,
    StartExecution,
)
from linkflow.ports.views import WHOLE, Part


class FakeEngine:
    """Keeps what it is told; an execution ends at once and echoes its input, unless it is held open.

    It is a Frontend, a Visibility and a SpecStore.

    Attributes:
        commands: Every start, oldest first.
        signals: Every signal, oldest first.
        resolved: Every decision, oldest first.
        holds: Executions that start from now on stay open.
        held: Executions that are on hold until they are released.
        failure: What the next starts raise instead.
        refusals: How often they did.
    """

    def __init__(self, clock: Clock, ids: IdSource) -> None:
        self._clock, self.ids = clock, ids
        self.commands: list[StartExecution] = []
        self.signals: list[SignalExecution] = []
        self.resolved: list[ResolveWait] = []
        self.holds = False
        self.held: set[str] = set()
        self.parts: list[Part] = []
        self.failure: Exception | None = None
        self.refusals = 0
        self.views: dict[str, ExecutionView] = {}
        self.specs: dict[str, bytes] = {}
        self.letters: list[DeadLetter] = []
        self._keys: dict[str, str] = {}

    async def start(self, command: StartExecution) -> StartedExecution:
        """Start an execution."""
        if self.failure is not None:
            self.refusals += 1
            raise self.failure
        if command.spec_hash not in self.specs:
            raise NotFound("There is no such spec.")
        known = self._keys.get(command.request_id, "") or command.execution_id
        if known in self.views:
            return self._started(self.views[known], is_new=False)
        self.commands.append(command)
        execution_id = known or self.ids.execution_id()
        if command.request_id:
            self._keys[command.request_id] = execution_id
        now = self._clock.now()
        is_open = self.holds
        self.views[execution_id] = ExecutionView(
            execution_id=execution_id,
            workspace_id=command.workspace_id,
            workflow_id=command.workflow_id,
            workflow_version=command.workflow_version,
            spec_hash=command.spec_hash,
            status="waiting" if is_open else "completed",
            version=3 if is_open else 4,
            trigger_kind=command.trigger_kind,
            trigger=command.trigger,
            mode=command.mode,
            input=command.input,
            result=None if is_open else command.input,
            started_at=now,
            closed_at=None if is_open else now,
            origin=command.origin,
            nodes=[NodeRun(key="start", node_id="start", status="success", output=command.input, event=1)],
        )
        return self._started(self.views[execution_id], is_new=True)

    @staticmethod
    def _started(view: ExecutionView, *, is_new: bool) -> StartedExecution:
        """Answer a start."""
        return StartedExecution(
            execution_id=view.execution_id, status=view.status, is_new=is_new, result=view.result
        )

    async def wait(self, execution_id: str, wait_ms: int) -> StartedExecution:
        """Answer at once."""
        return self._started(await self.view(execution_id), is_new=False)

    async def signal(self, command: SignalExecution) -> None:
        """Keep a signal."""
        self._open(command.execution_id)
        self.signals.append(command)

    async def resolve(self, command: ResolveWait) -> None:
        """Keep a decision."""
        self._open(command.execution_id)
        if not command.key and not command.token:
            raise NotFound("Nothing is waited for under this key or token.")
        self.resolved.append(command)

    async def cancel(self, execution_id: str, reason: str, by: str) -> None:
        """End an execution."""
        self.close(execution_id, "cancelled")

    async def terminate(self, execution_id: str, reason: str, by: str) -> None:
        """End an execution."""
        self.close(execution_id, "cancelled")

    async def release(self, execution_id: str, by: str) -> None:
        """Release an execution that is held."""
        if execution_id not in self.held:
            raise NotFound("The execution is not quarantined.")
        self.held.remove(execution_id)

    async def view(self, execution_id: str, part: Part = WHOLE) -> ExecutionView:
        """Show all of an execution, and remember what was asked for."""
        if execution_id not in self.views:
            raise NotFound("There is no such execution.")
        self.parts.append(part)
        return self.views[execution_id]

    async def events(self, execution_id: str, after: int = 0, limit: int = 1000) -> Sequence[RecordedEvent]:
        """Make up a history of the right length."""
        view = await self.view(execution_id)
        made = [
            RecordedEvent(
                number=number, type="Snapshot", at=view.started_at, data={"workspace_id": view.workspace_id}
            )
            for number in range(1, view.version + 1)
        ]
        return made[after : after + limit]

    async def awaiting(self, workspace_id: str, name: str, match: str, after: str = "") -> Sequence[str]:
        """List executions held open: they wait for the event `paid`."""
        waiting = [each for each, view in self.views.items() if view.status == "waiting"]
        return waiting if name == "paid" and not after else []

    async def explain(self, execution_id: str) -> Explanation:
        """Say that an open execution waits for the event `paid`."""
        view = await self.view(execution_id)
        waits = Driver(kind="event", message="It waits for paid.", key="start", name="paid", token="t0k3n")  # noqa: S106  a made-up token
        return Explanation(
            execution_id=execution_id,
            status=view.status,
            summary="It waits." if view.status == "waiting" else "It is over.",
            version=view.version,
            drivers=[waits] if view.status == "waiting" else (),
        )

    def close(self, execution_id: str, status: str = "completed", result: Json = None) -> None:
        """End an execution that was held open."""
        self._open(execution_id)
        before = self.views[execution_id]
        changes: dict[str, Json] = {
            "status": status,
            "version": before.version + 1,
            "result": result,
            "closed_at": self._clock.now(),
        }
        self.views[execution_id] = ExecutionView(
            **{name: getattr(before, name) for name in before.__struct_fields__} | changes
        )

    def _open(self, execution_id: str) -> None:
        """Go on only with an execution that is not over."""
        if execution_id not in self.views:
            raise NotFound("There is no such execution.")
        if self.views[execution_id].closed_at is not None:
            raise ExecutionClosed

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """List executions, newest first."""
        rows = [
            ExecutionRow(
                execution_id=view.execution_id,
                workspace_id=view.workspace_id,
                workflow_id=view.workflow_id,
                status=view.status,
                started_at=view.started_at,
                version=view.version,
            )
            for view in reversed(self.views.values())
            if view.workspace_id == query.workspace_id and (not query.status or view.status in query.status)
        ]
        return ExecutionPage(rows=rows[: query.limit])

    async def count(self, query: ExecutionQuery) -> Mapping[str, int]:
        """Count executions by status."""
        found: dict[str, int] = {}
        for row in (await self.list(query)).rows:
            found[row.status] = found.get(row.status, 0) + 1
        return found

    async def latest(
        self, workspace_id: str, workflow_ids: Sequence[str], limit: int
    ) -> Sequence[ExecutionRow]:
        """List the newest executions of each of some workflows."""
        page = await self.list(ExecutionQuery(workspace_id=workspace_id, limit=len(self.views)))
        groups = ([row for row in page.rows if row.workflow_id == each][:limit] for each in workflow_ids)
        return [row for group in groups for row in group]

    async def dead_letters(self, workspace_id: str, after: str = "", limit: int = 50) -> Sequence[DeadLetter]:
        """List letters."""
        return [letter for letter in self.letters if letter.workspace_id == workspace_id]

    async def put(self, workspace_id: str, spec_hash: str, spec: bytes) -> None:
        """Keep a spec."""
        self.specs[spec_hash] = spec

    async def get(self, workspace_id: str, spec_hash: str) -> bytes:
        """Read a spec."""
        if spec_hash not in self.specs:
            raise NotFound("There is no such spec.")
        return self.specs[spec_hash]
