"""The read model made again from the histories: after it was lost, or when it shows more than it did."""

from collections.abc import Callable, Sequence
from typing import Protocol

from linkflow.ports.services import Projected
from linkflow.ports.stores import VisibilityStore

PAGE = 200


class Projections(Protocol):
    """What says how executions are to be shown; `History` does."""

    async def projected(self, execution_ids: Sequence[str]) -> Sequence[Projected]:
        """Read what the projection writes for executions."""
        ...


async def rebuild(store: VisibilityStore, history: Projections, tell: Callable[[int], None]) -> int:
    """Write the row of every execution again. Safe to repeat, and beside a running LinkFlow.

    Args:
        store: Where rows go.
        history: Says what they are.
        tell: Told how many are done, after each page.

    Returns:
        How many executions there are.
    """
    after, done = "", 0
    while ids := await store.executions(after, PAGE):
        await store.rewrite(await history.projected(ids))
        after, done = ids[-1], done + len(ids)
        tell(done)
    return done
