"""The judge of usage: adds every history up by itself, and compares with what the ledger says."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.adapters.sql.usage import SqlUsage
from linkflow.domain.execution import events as e
from linkflow.domain.execution.evolve import evolve
from linkflow.domain.execution.spending import reports, since
from linkflow.domain.execution.state import ExecutionState, Status
from linkflow.domain.execution.view import node_runs
from linkflow.domain.node import Catalog, Completion, NodeClass, NodeSpec
from linkflow.domain.values import decode_json
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import parse
from linkflow.ports.nodes import NodeContext
from linkflow.ports.outbound import HttpRequest
from linkflow.ports.stores import Recorded

Line = tuple[date, str]
ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))


class Reporting:
    """A node that calls an address and reports what that used."""

    spec = NodeSpec(
        type="test.report",
        title="report",
        summary="Calls and reports what it used.",
        node_class=NodeClass.IDEMPOTENT,
        timeout_s=10.0,
    )

    async def run(self, context: NodeContext) -> Completion:
        """Call; the config says what that used."""
        config = context.config
        response = await context.http.send(HttpRequest(method="GET", url=str(config["url"])))
        return Completion(output=response.status, meta=dict(config["used"]))


async def folded(database: Database, workspace_id: str, catalog: Catalog) -> Counter[Line]:
    """Add up the histories of a workspace, by day and meter, event by event."""
    specs, store = SqlSpecStore(database), SqlHistoryStore(database)
    graphs: dict[str, ExecutionGraph] = {}
    total: Counter[Line] = Counter()
    found = await database.pool.fetch(
        "SELECT execution_id::text FROM engine.executions WHERE workspace_id = $1", workspace_id
    )
    for (execution_id,) in found:
        records = await store.load(execution_id)
        start = records[0].events[0]
        assert isinstance(start, e.WorkflowExecutionStarted)
        if start.spec_hash not in graphs:
            spec = parse(decode_json(await specs.get(workspace_id, start.spec_hash)))
            graphs[start.spec_hash] = ExecutionGraph(spec, catalog)
        _add(total, execution_id, graphs[start.spec_hash], records)
    return total


def _add(total: Counter[Line], execution_id: str, graph: ExecutionGraph, records: Sequence[Recorded]) -> None:
    """Add one history."""
    state = ExecutionState(execution_id, graph)
    for record in records:
        day, before = _day(record.at), state.spending
        for event in record.events:
            evolve(state, event, record.at)
        used = since(before, state.spending, state.start.metered) | reports(record.events)
        for meter, amount in used.items():
            total[day, meter] += amount
    total[_day(state.started_at), "started"] += 1
    if not state.is_closed:
        return
    day = _day(state.closed_at)
    total[day, "closed"] += 1
    total[day, "failed"] += state.status() in (Status.FAILED, Status.TIMED_OUT)
    for run in node_runs(graph, records):
        if run.scheduled_at is not None and run.started_at is not None and run.ended_at is not None:
            total[day, "nodes"] += 1
            total[day, "ended_ms"] += max(0, round(1000 * (run.ended_at - run.started_at)))


async def told(database: Database, workspace_id: str, *, by_month: bool = False) -> Counter[Line]:
    """Say what the ledger says of a workspace, by day, or by the first day of the month."""
    usage = SqlUsage(database)
    lines = await (usage.months if by_month else usage.days)(workspace_id, *ALWAYS)
    total: Counter[Line] = Counter()
    for line in lines:
        counts = {"started": line.started, "closed": line.closed, "failed": line.failed, "nodes": line.nodes}
        for meter, amount in {**counts, "ended_ms": line.node_ms, **line.meters}.items():
            total[line.day, meter] += amount
    return +total


def months(days: Counter[Line]) -> Counter[Line]:
    """Sum days up by month."""
    total: Counter[Line] = Counter()
    for (day, meter), amount in days.items():
        total[day.replace(day=1), meter] += amount
    return +total


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a ledger and its histories say, `{"<day> <meter>": amount}`, by day and by month."""

    folded: dict[str, int]
    told: dict[str, int]
    months: dict[str, int]
    told_months: dict[str, int]


def plain(total: Counter[Line]) -> dict[str, int]:
    """Say sums with plain keys."""
    return {f"{day} {meter}": amount for (day, meter), amount in sorted((+total).items())}
