"""The executions that this member has in memory: folded states, their records, who waits for them.

A cache in the strict sense: forgetting an entry loses nothing, the next news loads it again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import islice

from linkflow.domain.errors import LinkFlowError
from linkflow.domain.execution.news import News
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.view import RunsFold
from linkflow.ports.stores import Recorded

KEPT = 2_000
"""Executions kept in memory beyond those something happens to right now."""


class Told:
    """One piece of news on its way, and where its answer goes."""

    __slots__ = ("done", "news")

    def __init__(self, news: News, done: "asyncio.Future[bool]") -> None:
        self.news = news
        self.done = done

    def answer(self, answer: bool | LinkFlowError) -> None:  # the outcome itself
        """Answer whoever waits; only the first answer counts."""
        if self.done.done():  # it was answered already, or nobody waits any more
            return
        if isinstance(answer, LinkFlowError):
            self.done.set_exception(answer)
        else:
            self.done.set_result(answer)


class Entry:
    """One execution in memory.

    Attributes:
        state: Folded; None when it must be loaded.
        records: Its history, for views and projections: what `state` was folded from; a later run lacks
            the earlier ones.
        shown: What people see of `records`, folded as far as somebody looked; None until then.
        inbox: News not decided yet.
        is_driven: Somebody decides and commits for it right now.
        wake_at: The wake-up that the timer knows of; 0 for none.
        closers: Those who wait for its end or its response.
    """

    __slots__ = ("closers", "execution_id", "inbox", "is_driven", "records", "shown", "state", "wake_at")

    def __init__(self, execution_id: str) -> None:
        self.execution_id = execution_id
        self.state: ExecutionState | None = None
        self.records: list[Recorded] = []
        self.shown: RunsFold | None = None
        self.inbox: list[Told] = []
        self.is_driven = False
        self.wake_at = 0.0
        self.closers: list[asyncio.Future[None]] = []

    def forget(self) -> None:
        """Drop what was folded, so that it is loaded again."""
        self.state = None
        self.records = []
        self.shown = None

    @property
    def is_whole(self) -> bool:
        """Whether `records` hold every event from the first on."""
        return bool(self.records) and self.records[0].first == 1

    @property
    def is_idle(self) -> bool:
        """Whether nobody needs it in memory right now."""
        return not (self.is_driven or self.inbox or self.closers)

    @property
    def is_in_flight(self) -> bool:
        """Whether attempts were given to workers, as far as is known here."""
        state = self.state
        return state is not None and any(state.nodes[key].session for key in state.flying)

    def hear(self) -> None:
        """Tell everybody who waits that something they may wait for has happened."""
        closers, self.closers = self.closers, []
        for closer in closers:
            if not closer.done():
                closer.set_result(None)


class Entries:
    """A bounded set of entries; the least recently used idle ones are dropped first."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._entries: OrderedDict[str, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def find(self, execution_id: str) -> Entry | None:
        """Find an entry that is in memory."""
        return self._entries.get(execution_id)

    def get(self, execution_id: str) -> Entry:
        """Find or make the entry of an execution."""
        entry = self._entries.get(execution_id)
        if entry is None:
            entry = self._entries[execution_id] = Entry(execution_id)
            if len(self._entries) > self._kept:
                self._shrink()
        else:
            self._entries.move_to_end(execution_id)
        return entry

    def drop(self, execution_id: str) -> None:
        """Forget an execution that is over, unless somebody needs it right now."""
        entry = self._entries.get(execution_id)
        if entry is not None and entry.is_idle:
            del self._entries[execution_id]

    def keep(self, execution_id: str, state: ExecutionState, records: Sequence[Recorded]) -> None:
        """Remember an execution that was read, unless it is at home here."""
        entry = self.get(execution_id)
        if entry.state is None and not entry.is_driven:
            entry.state, entry.records = state, list(records)

    def _shrink(self) -> None:
        """Drop idle executions with nothing in flight, up to a tenth at once."""
        spare = max(1, self._kept // 10)
        for execution_id, entry in list(islice(self._entries.items(), 4 * spare)):
            state = entry.state
            if entry.is_idle and (state is None or state.is_closed or not state.flying):
                del self._entries[execution_id]
                spare -= 1
                if not spare:
                    return
