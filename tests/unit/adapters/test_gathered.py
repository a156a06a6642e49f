"""What concurrent reads of one thing each promise."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from linkflow.adapters.sql.gathered import MOST, Gathered
from linkflow.domain.errors import Unavailable


class Shelf:
    """Things that can be read; a read begins when it is let."""

    def __init__(self) -> None:
        self.things: dict[str, int] = {}
        self.asked: list[Sequence[str]] = []
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.has_begun = asyncio.Event()
        self.is_away = False

    async def read(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Read several; a key with a ! cannot be read."""
        self.asked.append(keys)
        self.has_begun.set()
        found = {key: self.things[key] for key in keys if key in self.things}
        await self.may_read.wait()
        if self.is_away:
            raise Unavailable
        if any("!" in key for key in keys):
            raise ValueError("unreadable")
        return found


@pytest.fixture
def shelf() -> Shelf:
    """Make an empty one."""
    return Shelf()


@pytest.fixture
async def gathered(shelf: Shelf) -> AsyncIterator[Gathered[int]]:
    """Run reads."""
    found = Gathered(shelf.read)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(found.run())
        yield found
        running.cancel()


async def test_what_is_asked_together_is_read_together(shelf: Shelf, gathered: Gathered[int]) -> None:
    """A hundred questions are one read, each has its own answer, and more than that are several reads."""
    shelf.things = {str(number): number for number in range(2 * MOST)}
    answers = await asyncio.gather(*(gathered.get(str(number)) for number in range(MOST + 1)))

    assert (list(range(MOST + 1)), [MOST, 1]) == (answers, [len(keys) for keys in shelf.asked])


async def test_what_is_not_there_is_none(gathered: Gathered[int]) -> None:
    """Whoever asks for what is not there hears that."""
    assert await gathered.get("nothing") is None


async def test_a_question_during_a_read_is_answered_by_the_next(
    shelf: Shelf, gathered: Gathered[int]
) -> None:
    """An answer is never older than its question."""
    shelf.may_read.clear()
    shelf.things["a"] = 1
    first = asyncio.ensure_future(gathered.get("a"))
    await shelf.has_begun.wait()
    shelf.things["a"] = 2
    second = asyncio.ensure_future(gathered.get("a"))
    await asyncio.sleep(0)
    shelf.may_read.set()

    assert (1, 2) == (await first, await second)


async def test_what_cannot_be_read_keeps_no_other_from_it(shelf: Shelf, gathered: Gathered[int]) -> None:
    """One unreadable thing is told to who asked for it, and to nobody else."""
    shelf.things["good"] = 1
    bad, good = await asyncio.gather(gathered.get("bad!"), gathered.get("good"), return_exceptions=True)

    assert (ValueError, 1) == (type(bad), good)


async def test_a_store_that_is_away_is_told_to_all(shelf: Shelf, gathered: Gathered[int]) -> None:
    """When the store does not answer, everybody hears it after one try; later questions are asked again."""
    shelf.is_away = True
    answers = await asyncio.gather(gathered.get("a"), gathered.get("b"), return_exceptions=True)
    shelf.is_away = False

    assert ([Unavailable] * 2, 1, None) == (
        [type(answer) for answer in answers],
        len(shelf.asked),
        await gathered.get("a"),
    )


async def test_who_goes_away_takes_nothing_with_it(shelf: Shelf, gathered: Gathered[int]) -> None:
    """A question that is given up does not end the same question of another."""
    shelf.may_read.clear()
    shelf.things["a"] = 1
    impatient = asyncio.ensure_future(gathered.get("a"))
    patient = asyncio.ensure_future(gathered.get("a"))
    await shelf.has_begun.wait()
    impatient.cancel()
    shelf.may_read.set()

    assert 1 == await patient


async def test_nobody_waits_for_a_store_that_is_closed(shelf: Shelf) -> None:
    """Whoever waits when the reads end is told so."""
    gathered = Gathered(shelf.read)
    shelf.may_read.clear()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(gathered.run())
        waiting = [asyncio.ensure_future(gathered.get(key)) for key in "ab"]
        await shelf.has_begun.wait()
        waiting.append(asyncio.ensure_future(gathered.get("c")))
        await asyncio.sleep(0)
        running.cancel()

    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [Unavailable] * 3 == [type(answer) for answer in answers]
