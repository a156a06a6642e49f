"""One turn of the decider: a copy of the state, folded forward as events are decided."""

from collections.abc import Mapping, Sequence

from linkflow.domain.execution.events import Event, NodesSkipped
from linkflow.domain.execution.evolve import evolve
from linkflow.domain.execution.scope import UNSET, NodeScope
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.values import Json

PURE_NODES_PER_TURN = 50
"""After this many pure nodes a turn ends, so that one execution never holds the others up."""


STEPS_PER_TURN = 2_000
"""After this many steps of any kind a turn ends, however little each of them takes."""


class Turn:
    """What is decided in one go.

    Attributes:
        state: Folded forward with every event.
        events: What was decided so far.
        at: Seconds since 1970: the time of the record.
        sessions: Credits of worker sessions that may start an activity at once.
        accepted: For each piece of news whether it was wanted.
        budget: Pure nodes that may still be decided in this turn.
        steps: Steps of any kind that may still be taken in this turn.
        scheduled: Keys of the activities scheduled in this turn.
        sessions_used: How many of the credits were taken.
    """

    __slots__ = (
        "_blobs",
        "_sessions",
        "accepted",
        "at",
        "budget",
        "events",
        "scheduled",
        "sessions_used",
        "state",
        "steps",
    )

    def __init__(
        self, state: ExecutionState, at: float, sessions: Sequence[str], blobs: Mapping[str, Json]
    ) -> None:
        self.state = state
        self.at = at
        self.events: list[Event] = []
        self.accepted: list[bool] = []
        self.budget = PURE_NODES_PER_TURN
        self.steps = STEPS_PER_TURN
        self.scheduled: list[str] = []
        self.sessions_used = 0
        self._sessions = sessions
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
        if self.sessions_used == len(self._sessions):
            return ""
        self.sessions_used += 1
        return self._sessions[self.sessions_used - 1]

    def scope(self, index: int, scope_id: str, key: str, *, output: Json = UNSET) -> NodeScope:
        """What the expressions of a node see; with `output`, those on the edges that leave it."""
        return NodeScope(self.state, index, scope_id, key, self.at, self._blobs, output)
