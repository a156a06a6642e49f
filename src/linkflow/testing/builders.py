"""Short ways to say a workflow, and to lead an execution through the decider by hand.

graph = workflow("t -> a -> b", "a.error -> c", b=say(1))
play = Play(graph, {"msisdn": "+254…"})
play.done("a", {"ok": True})
assert play.status == "completed"
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import msgspec

from linkflow.domain.errors import Kind, NodeError
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.decide import decide, has_more
from linkflow.domain.execution.drivers import drivers
from linkflow.domain.execution.evolve import fold
from linkflow.domain.execution.snapshot import freeze, thaw
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.turn import Turn
from linkflow.domain.node import NOT_DONE, Completion, NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json, decode_json, encode_json, execution_id
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import WorkflowSpec, parse
from linkflow.nodes.registry import BUILTIN, NodeRegistry
from linkflow.ports.nodes import NodeContext
from linkflow.ports.outbound import HttpRequest
from linkflow.testing.fakes import NOW

EXECUTION = execution_id(int(NOW * 1000), 7, 42)
"""An execution id for tests that need only one."""

_LINK = re.compile(r"^(?P<source>[\w-]+)(?:\.(?P<handle>[\w ]+))?$")


class _Effect:
    """A node of one class that runs on a worker; tests of the decider report its outcome themselves."""

    def __init__(self, name: str, node_class: NodeClass, **fields: Any) -> None:
        self.spec = NodeSpec(type=f"test.{name}", title=name, summary="", node_class=node_class, **fields)

    async def run(self, context: NodeContext) -> Completion:
        """Ask the receiver, under the effect key; its answer is the output."""
        asked = {"execution_id": context.execution_id, "key": context.key, "attempt": context.attempt}
        request = HttpRequest(
            method="POST",
            url=f"http://receiver/{self.spec.type}",
            headers={"Idempotency-Key": context.effect_key},
            body=encode_json(asked),
        )
        return Completion(output=decode_json((await context.http.send(request)).body))


class _Asking(_Effect):
    """An effect whose receiver can be asked what became of it."""

    async def look_up(self, context: NodeContext) -> Completion:
        """Ask the receiver under the effect key; 404 means that it did not happen."""
        request = HttpRequest(
            method="GET",
            url=f"http://receiver/{self.spec.type}",
            headers={"Idempotency-Key": context.effect_key},
        )
        answer = await context.http.send(request)
        return NOT_DONE if answer.status == 404 else Completion(output=decode_json(answer.body))


class _Say:
    """A pure node that says what its config says."""

    spec = NodeSpec(type="test.say", title="say", summary="", node_class=NodeClass.PURE)

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Give the resolved value."""
        return PureResult(config.get("value"))


class _Broken:
    """A pure node with a bug."""

    spec = NodeSpec(type="test.broken", title="broken", summary="", node_class=NodeClass.PURE)

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Raise what no node may raise."""
        raise ZeroDivisionError("a bug in a node")


@lru_cache(maxsize=1)
def catalog() -> NodeRegistry:
    """The built-in nodes and `test.get` (idempotent), `pay` (keyed), `send`, `post`, `ask` (once).

    Unknown outcomes of `send` are parked, those of `ask` looked up. `test.say` is pure and gives its `value`;
    `test.broken` is pure and has a bug.
    """
    return NodeRegistry(
        (
            *BUILTIN,
            _Effect("get", NodeClass.IDEMPOTENT),
            _Effect("pay", NodeClass.KEYED),
            _Effect("send", NodeClass.ONCE, unknown="park"),
            _Effect("post", NodeClass.ONCE),
            _Asking("ask", NodeClass.ONCE, unknown="look_up", can_look_up=True),
            _Say(),
            _Broken(),
        )
    )


def node(
    node_type: str = "test.get", *, settings: Mapping[str, Json] | None = None, **config: Json
) -> dict[str, Json]:
    """Say a node: its type, its config, and in `settings` what else stands on it (`onError`, `retry`, …)."""
    return {"type": node_type, "config": config, **(settings or {})}


def say(value: Json) -> dict[str, Json]:
    """Say a pure node whose output is a value, or what an expression gives."""
    return node("test.say", value=value)


def spec(
    *paths: str, workflow: Mapping[str, Json] | None = None, **nodes: str | dict[str, Json]
) -> WorkflowSpec:
    """Say a workflow by its paths.

    Args:
        paths: `"t -> a -> b.true -> c"`; `b.true` leaves the handle `true`; `a -> b if output.x > 1`
            gives the last edge a condition. The trigger is `t`.
        workflow: Further fields of the spec, such as `settings`.
        nodes: What a node is: a type, or `node(…)`. Others are `test.get`.
    """
    named: dict[str, dict[str, Json]] = {}
    edges: list[Json] = []
    for path in paths:
        chain, _, condition = path.partition(" if ")
        links = [_LINK.match(part.strip()) for part in chain.split("->")]
        for link in links:
            assert link is not None, f"cannot read {path!r}"
            named.setdefault(link["source"], {})
        ends = [link for link in links if link is not None]
        for left, right in pairwise(ends):
            edge = {"source": left["source"], "target": right["source"]}
            if left["handle"]:
                edge["sourceHandle"] = left["handle"]
            edges.append(edge)
        if condition:
            edges[-1]["condition"] = condition
    for name, said in nodes.items():
        named[name] = {"type": said} if isinstance(said, str) else said
    trigger = {"type": "trigger.manual", **named.pop("t", {}), "id": "t"}
    vertices = [{"type": "test.get", **said, "id": name} for name, said in named.items()]
    return parse({"trigger": trigger, "nodes": vertices, "edges": edges, **(workflow or {})})


def workflow(
    *paths: str, workflow: Mapping[str, Json] | None = None, **nodes: str | dict[str, Json]
) -> ExecutionGraph:
    """Say a workflow by its paths, compiled; as `spec`."""
    return ExecutionGraph(spec(*paths, workflow=workflow, **nodes), catalog())


def failure(
    code: str = "http.status", kind: Kind = Kind.PERMANENT, message: str = "It failed.", **fields: Any
) -> NodeError:
    """Say what went wrong in a node."""
    return NodeError(code=code, kind=kind, message=message, **fields)


class Told(msgspec.Struct, frozen=True):
    """One record of a play: what was told when, and what followed."""

    first: int
    at: float
    news: Sequence[n.News]
    sessions: Sequence[str]
    events: Sequence[e.Event]


class Play:
    """One execution, led by hand.

    Every turn is checked: the state given is not changed, the events fold to the state after, the same
    inputs decide the same again, the state survives a snapshot, and an open execution has something that
    drives it.

    Attributes:
        state: Where it stands.
        records: What was told and what followed, oldest first; also what a store would load.
        at: Seconds since 1970; moves with `wake`.
        room: Activities that workers may start at once.
    """

    def __init__(
        self,
        graph: ExecutionGraph,
        input: Json = None,  # noqa: A002  # the event's word
        *,
        begins: bool = True,
        room: int = 1_000,
        **started: Any,
    ) -> None:
        self.graph = graph
        self.state = ExecutionState(EXECUTION, graph)
        self.records: list[Told] = []
        self.at = NOW
        self.room = room
        self.accepted: Sequence[bool] = ()
        self._accepted: Sequence[bool] = ()
        self.started = e.WorkflowExecutionStarted(
            "workspace", "workflow", graph.spec_hash, **{"input": input, "seed": 11, **started}
        )
        if begins:
            self.tell(n.Begin(self.started))

    # -- what it is told

    def tell(self, *news: n.News) -> list[e.Event]:
        """Tell it news in one record, and let it go on until it stops; the events that followed."""
        sessions = ["worker"] * self.room
        found = list(self._turn(news, sessions).events)
        self.accepted = self._accepted
        while has_more(self.state):
            further = self._turn((), sessions).events
            assert further, "an execution that has more to decide decides it"
            found += further
        self._require_driver()
        return found

    def done(self, key: str, output: Json = None, handle: str = "out") -> list[e.Event]:
        """Report that an attempt ended well."""
        return self.tell(self.report(key, Completion(output=output, handle=handle)))

    def failed(self, key: str, error: NodeError | None = None, *, unknown: bool = False) -> list[e.Event]:
        """Report that an attempt failed."""
        return self.tell(self.report(key, Completion(error=error or failure(), unknown=unknown)))

    def report(self, key: str, completion: Completion) -> n.Report:
        """Say a report of the current attempt under a key."""
        current = self.state.nodes[key]
        return n.Report(key, current.attempt, current.session or "worker", completion)

    def wake(self, after_s: float | None = None) -> list[e.Event]:
        """Move time on, by default to the next deadline, and wake it."""
        wakeup_at = self.state.wakeup_at()
        assert wakeup_at is not None or after_s is not None, "nothing will ever fall due"
        self.at = max(self.at, wakeup_at or 0.0) if after_s is None else self.at + after_s
        return self.tell(n.Wake())

    def signal(self, name: str, data: Json = None, *, match: str = "", id: str = "") -> list[e.Event]:  # noqa: A002
        """Send it a message."""
        return self.tell(n.Signal(id or f"{name}-{len(self.records)}", name, match, data))

    def run(self, answer: Callable[[str], Completion] | None = None, limit: int = 10_000) -> "Play":
        """Answer every activity, and turn the clock, until it is over."""
        for _ in range(limit):
            if self.state.is_closed:
                return self
            started = [key for key in self.state.flying if self.state.nodes[key].session]
            if started:
                said = {key: answer(key) if answer else Completion(output={"key": key}) for key in started}
                self.tell(*(self.report(key, completion) for key, completion in said.items()))
            elif self.state.flying:
                self.tell(
                    *(n.Claim(key, self.state.nodes[key].attempt, "worker") for key in self.state.flying)
                )
            else:
                self.wake()
        raise AssertionError(f"not over after {limit} turns")

    # -- what can be seen

    @property
    def status(self) -> str:
        """Its status, as people see it."""
        return self.state.status().value

    @property
    def events(self) -> list[e.Event]:
        """Its history."""
        return [event for record in self.records for event in record.events]

    @property
    def result(self) -> Json:
        """The result of a completed execution."""
        closed = self.state.closed
        assert isinstance(closed, e.WorkflowExecutionCompleted), f"it is {closed or self.status}"
        return closed.result

    @property
    def error(self) -> NodeError:
        """The error of a failed execution."""
        closed = self.state.closed
        assert isinstance(closed, e.WorkflowExecutionFailed), f"it is {closed or self.status}"
        return closed.error

    @property
    def flying(self) -> list[str]:
        """Keys of activities that are scheduled or started."""
        return list(self.state.flying)

    @property
    def waits(self) -> list[str]:
        """Keys that wait for something outside."""
        return list(self.state.waits)

    def keys(self, *types: type[e.Event]) -> list[str]:
        """Keys of its events of some types, oldest first; every key of a `NodesSkipped`."""
        found: list[str] = []
        for event in self.events:
            if isinstance(event, types):
                found += event.keys if isinstance(event, e.NodesSkipped) else [getattr(event, "key", "")]
        return found

    def output(self, key: str) -> Json:
        """The output of a finished node."""
        return self.state.nodes[key].output

    # -- how a turn is checked

    def _turn(self, news: Sequence[n.News], sessions: Sequence[str]) -> Turn:
        before = facts(self.state)
        turn = decide(self.state, news, self.at, sessions=sessions)
        assert before == facts(self.state), "decide changed the state it was given"
        again = decide(fold(EXECUTION, self.graph, self.records), recoded(news), self.at, sessions=sessions)
        assert turn.events == again.events, "the same inputs decide the same"
        self._accepted = turn.accepted
        if turn.events:
            events = e.decode(e.encode(turn.events))
            self.records.append(Told(self.state.version + 1, self.at, tuple(news), tuple(sessions), events))
        self.state = turn.state
        assert facts(fold(EXECUTION, self.graph, self.records)) == facts(self.state), (
            "events fold to the state"
        )
        self._require_freezing()
        return turn

    def _require_freezing(self) -> None:
        state = self.state
        if state.started is not None and state.closed is None and state.fault is None:
            thawed = thaw(EXECUTION, self.graph, freeze(state), state.version)
            assert facts(thawed) == facts(state), "a later run begins where the one before it ended"

    def _require_driver(self) -> None:
        if not self.state.is_closed and self.state.started is not None:
            assert drivers(self.state), "an open execution has something that drives it"


def recoded(news: Iterable[n.News]) -> list[n.News]:
    """Send news through JSON and back, as a wire would."""
    return NEWS.decode(msgspec.json.encode(list(news)))


def facts(state: ExecutionState) -> Json:
    """Say a state as plain values, so that two of them can be compared; order in queues counts."""
    return {name: _plain(getattr(state, name)) for name in state.__slots__ if name != "graph"}


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {"struct": type(value).__name__, **{k: _plain(v) for k, v in _fields(value)}}
    if isinstance(value, Mapping):
        return [[_plain(key), _plain(found)] for key, found in value.items()]
    if isinstance(value, list | tuple):
        return [_plain(found) for found in value]
    if hasattr(value, "__slots__") and not isinstance(value, str):
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    return value


def _fields(value: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for name in value.__struct_fields__:
        yield name, getattr(value, name)


NEWS: msgspec.json.Decoder[list[n.News]] = msgspec.json.Decoder(
    list[
        n.Begin
        | n.Report
        | n.Claim
        | n.Wake
        | n.SessionsLost
        | n.Signal
        | n.Resolve
        | n.Cancel
        | n.Terminate
        | n.ChildEnded
        | n.Granted
        | n.Promised
        | n.Refused
        | n.Quarantine
        | n.Release
    ]
)
"""Reads news as JSON."""
