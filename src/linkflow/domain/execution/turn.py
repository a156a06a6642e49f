"""One turn of the decider: a copy of the state, folded forward as events are decided."""

from collections.abc import Iterator, Mapping, Sequence

from linkflow.domain.execution.events import Event, NodesSkipped
from linkflow.domain.execution.evolve import evolve
from linkflow.domain.execution.scope import NodeScope
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.values import Json

PURE_NODES_PER_TURN = 50
"""After this many pure nodes a turn ends, so that one execution never holds the others up."""


class Turn:
    """What is decided in one go.

    Attributes:
        state: Folded forward with every event.
        events: What was decided so far.
        at: Seconds since 1970: the time of the record.
        sessions: Credits of worker sessions that may start an activity at once.
        accepted: For each piece of news whether it was wanted.
        budget: Pure nodes that may still be decided in this turn.
    """

    __slots__ = ("_blobs", "_sessions", "accepted", "at", "budget", "events", "state")

    def __init__(
        self, state: ExecutionState, at: float, sessions: Sequence[str], blobs: Mapping[str, Json]
    ) -> None:
        self.state = state
        self.at = at
        self.events: list[Event] = []
        self.accepted: list[bool] = []
        self.budget = PURE_NODES_PER_TURN
        self._sessions: Iterator[str] = iter(sessions)
        self._blobs = blobs

    def emit(self, event: Event) -> None:
        """Decide an event: note it and fold it."""
        events = self.events
        evolve(self.state, event, self.at)
        if events and type(event) is NodesSkipped and type(events[-1]) is NodesSkipped:
            events[-1] = NodesSkipped([*events[-1].keys, *event.keys])
            self.state.version -= 1
            return
        events.append(event)

    def take_session(self) -> str:
        """Take one credit; empty when there is none."""
        return next(self._sessions, "")

    def scope(self, index: int, scope_id: str, key: str, *, output: Json = None) -> NodeScope:
        """What the expressions of a node see; with `output`, those on the edges that leave it."""
        return NodeScope(self.state, index, scope_id, key, self.at, self._blobs, output)
