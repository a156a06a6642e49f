"""A folded state as JSON, and back: where the next run of a long history begins.

The graph is not part of it: an execution pins one for ever. What `freeze` writes is read by later releases,
so a field may be added with a default, and none may change its meaning.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from linkflow.domain.errors import NodeError
from linkflow.domain.execution.event import (
    CancelRequested,
    FailureDecided,
    Snapshot,
    WorkflowExecutionStarted,
)
from linkflow.domain.execution.parts import Loop, NodeState, NodeStatus, Scope, Slot, Spending, Wait
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.wait_events import SignalReceived
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph

_PLAIN = ("started_at", "quarantine", "ticket_since", "has_responded", "responded", "run", "run_event")
_KEYS = ("flying", "retries", "seen")
_DICTS = ("children", "bases", "ready")


def freeze(state: ExecutionState) -> Json:
    """Say a state as JSON.

    Args:
        state: An open execution between two turns.
    """
    frozen: dict[str, Any] = {name: getattr(state, name) for name in _PLAIN}
    frozen |= {name: list(getattr(state, name)) for name in _KEYS}
    frozen |= {name: dict(getattr(state, name)) for name in _DICTS}
    frozen["begun_at"] = state.begun_at
    frozen["started"] = state.started
    frozen["cancel"] = state.cancel
    frozen["failure"] = state.failure
    frozen["spending"] = state.spending
    frozen["slot"] = state.slot
    frozen["dead"] = state.dead
    frozen["leaves"] = list(state.leaves.items())
    frozen["mailbox"] = list(state.mailbox.values())
    frozen["nodes"] = {key: _slots(node) for key, node in state.nodes.items()}
    frozen["waits"] = {key: _slots(wait) for key, wait in state.waits.items()}
    frozen["scopes"] = [_frozen_scope(scope) for scope in state.scopes.values()]
    frozen["loops"] = {key: _frozen_loop(loop) for key, loop in state.loops.items()}
    return msgspec.json.decode(msgspec.json.encode(frozen))


def thaw(execution_id: str, graph: ExecutionGraph, frozen: Json, version: int) -> ExecutionState:
    """Build the state that `freeze` said.

    Args:
        execution_id: Whose it is.
        graph: The pinned graph.
        frozen: What `freeze` gave.
        version: Number of the last event it holds.
    """
    state = ExecutionState(execution_id, graph)
    state.version = version
    for name in _PLAIN:
        setattr(state, name, frozen[name])
    state.begun_at = frozen.get("begun_at", 0.0)
    for name in _KEYS:
        setattr(state, name, dict.fromkeys(frozen[name]))
    state.children = {key: (child[0], child[1]) for key, child in frozen["children"].items()}
    state.bases = frozen["bases"]
    state.ready = {key: (entry[0], entry[1], entry[2]) for key, entry in frozen["ready"].items()}
    state.started = _event(frozen["started"], WorkflowExecutionStarted)
    state.cancel = _event(frozen["cancel"], CancelRequested)
    state.failure = _event(frozen["failure"], FailureDecided)
    state.spending = _event(frozen.get("spending"), Spending)
    state.slot = _event(frozen.get("slot"), Slot)
    state.dead = [(index, scope_id) for index, scope_id in frozen["dead"]]
    state.leaves = dict(frozen["leaves"])
    signals = [msgspec.convert(signal, SignalReceived) for signal in frozen["mailbox"]]
    state.mailbox = {signal.id: signal for signal in signals}
    state.nodes = {key: _node(fields) for key, fields in frozen["nodes"].items()}
    state.waits = {key: _wait(fields) for key, fields in frozen["waits"].items()}
    state.scopes = {fields["id"]: _scope(fields) for fields in frozen["scopes"]}
    state.loops = {key: _loop(fields) for key, fields in frozen["loops"].items()}
    return state


def started_of(records: Sequence[Any]) -> WorkflowExecutionStarted:
    """Find the first event of an execution in its history, or in the snapshot that a later run begins with.

    Raises:
        LookupError: Neither is there.
    """
    for event in records[0].events:
        if isinstance(event, WorkflowExecutionStarted):
            return event
        if isinstance(event, Snapshot):
            return msgspec.convert(event.state["started"], WorkflowExecutionStarted)
    raise LookupError("the history begins neither with a start nor with a snapshot")


def _slots(thing: Any) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in thing.__slots__}


def _event(frozen: Json, kind: type[Any]) -> Any:
    return None if frozen is None else msgspec.convert(frozen, kind)


def _error(frozen: Json) -> NodeError | None:
    return None if frozen is None else msgspec.convert(frozen, NodeError)


def _node(fields: dict[str, Any]) -> NodeState:
    given = dict(fields)
    head = (given.pop("index"), given.pop("scope"), NodeStatus(given.pop("status")), given.pop("at"))
    return NodeState(*head, **{**given, "error": _error(given["error"])})


def _wait(fields: dict[str, Any]) -> Wait:
    given = dict(fields)
    return Wait(given.pop("kind"), given.pop("since"), given.pop("until"), **given)


def _frozen_scope(scope: Scope) -> dict[str, Any]:
    fields = _slots(scope)
    for name in ("arrived", "visits", "latest"):
        fields[name] = list(fields[name].items())
    return fields


def _scope(fields: dict[str, Any]) -> Scope:
    head = (fields[name] for name in ("id", "parent", "path", "loop", "iteration", "base"))
    scope = Scope(*head)
    scope.open, scope.last = fields["open"], fields["last"]
    scope.arrived = {index: (tuple(taken), tuple(dead)) for index, (taken, dead) in fields["arrived"]}
    scope.visits = dict(fields["visits"])
    scope.latest = dict(fields["latest"])
    return scope


def _frozen_loop(loop: Loop) -> dict[str, Any]:
    fields = _slots(loop)
    for name in ("running", "results", "errors"):
        fields[name] = list(fields[name].items())
    return fields


def _loop(fields: dict[str, Any]) -> Loop:
    loop = Loop(fields["mode"], fields["count"], fields["items"], fields["parallelism"])
    loop.begun = fields["begun"]
    loop.running = dict(fields["running"])
    loop.results = dict(fields["results"])
    loop.errors = {iteration: msgspec.convert(error, NodeError) for iteration, error in fields["errors"]}
    return loop
