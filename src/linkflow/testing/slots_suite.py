"""Contract suite of the instants at which start policies let executions begin."""

import asyncio

from linkflow.domain.pacing import DebouncePolicy, RatePolicy
from linkflow.ports.coordination import Slots
from linkflow.testing.fakes import NOW
from linkflow.testing.history_suites import new_id
from linkflow.testing.store_suites import Close

TWO_A_MINUTE = RatePolicy("rate:k", 2, 60.0)
FIVE_S = DebouncePolicy("debounce:k", 5.0, 12.0)


class SlotsSuite:
    """What every Slots must do; provide `store`, and `close`, which makes an execution that is over."""

    async def test_so_many_in_a_period(self, store: Slots) -> None:
        """As many begin at once as the limit says; a further one a period after the one so many before."""
        found = [await store.reserve(TWO_A_MINUTE, new_id(), NOW + each) for each in (0, 10, 11, 12, 13)]

        assert found == [NOW, NOW + 10, NOW + 60, NOW + 70, NOW + 120]

    async def test_an_instant_is_given_once(self, store: Slots) -> None:
        """Who asks again hears its instant again, and nobody else's place moves by that."""
        a, b, c = new_id(), new_id(), new_id()
        first = [await store.reserve(TWO_A_MINUTE, each, NOW) for each in (a, b, c)]
        again = [await store.reserve(TWO_A_MINUTE, each, NOW + 300) for each in (c, b, a)]

        assert first == [NOW, NOW, NOW + 60]
        assert again == first[::-1]
        assert await store.reserve(TWO_A_MINUTE, new_id(), NOW + 1) == NOW + 60

    async def test_all_at_the_same_moment(self, store: Slots) -> None:
        """Of many who ask at the same moment, some of them twice, no two hear the same place in line."""
        one_a_minute = RatePolicy("rate:one", 1, 60.0)
        ids = [new_id() for _ in range(30)]
        asked = [store.reserve(one_a_minute, each, NOW) for each in (*ids, *ids[:10])]
        found = await asyncio.gather(*asked)

        assert [NOW + 60 * each for each in range(30)] == sorted(each or 0.0 for each in found[:30])
        assert found[30:] == found[:10]

    async def test_who_may_not_wait_gets_none(self, store: Slots) -> None:
        """Where the policy is to skip, one too many gets no instant, and none is taken for it."""
        skipping = RatePolicy("rate:k", 2, 60.0, "skip")
        found = [await store.reserve(skipping, new_id(), NOW + each) for each in (0, 1, 2, 3, 60, 60.5, 61)]

        assert found == [NOW, NOW + 1, None, None, NOW + 60, None, NOW + 61]

    async def test_an_instant_given_back_is_free(self, store: Slots) -> None:
        """An instant that is given back goes to whoever asks next; giving back again changes nothing."""
        a, b, c = new_id(), new_id(), new_id()
        for each in (a, b, c):
            await store.reserve(TWO_A_MINUTE, each, NOW)
        for _ in range(2):
            await store.give_back("rate:k", c)
        await store.give_back("rate:nobody", c)

        assert await store.reserve(TWO_A_MINUTE, new_id(), NOW + 1) == NOW + 60

    async def test_what_is_over_gets_no_instant(self, store: Slots, close: Close) -> None:
        """A question that comes after the end gets nothing and takes nothing."""
        over = new_id()
        await close(over)
        found = [await store.reserve(TWO_A_MINUTE, each, NOW) for each in (over, new_id(), new_id())]

        assert found == [None, NOW, NOW]

    async def test_a_changed_limit_holds_from_the_next_question(self, store: Slots) -> None:
        """Whoever asks says how many there may be, now and after a change."""
        for _ in range(4):
            await store.reserve(TWO_A_MINUTE, new_id(), NOW)
        slower = await store.reserve(RatePolicy("rate:k", 1, 60.0), new_id(), NOW)
        quicker = await store.reserve(RatePolicy("rate:k", 100, 60.0), new_id(), NOW)

        assert (slower, quicker) == (NOW + 120, NOW)

    async def test_keys_are_apart(self, store: Slots) -> None:
        """What begins under one key, and what follows under it, is nothing to another."""
        for _ in range(3):
            await store.reserve(TWO_A_MINUTE, new_id(), NOW)
        await store.debounce(FIVE_S, new_id(), NOW)
        other = await store.debounce(DebouncePolicy("debounce:other", 5.0), new_id(), NOW + 1)

        assert await store.reserve(RatePolicy("rate:other", 2, 60.0), new_id(), NOW) == NOW
        assert (other.older, other.newer, other.begins_at) == ("", "", NOW + 6)

    async def test_the_latest_start_runs(self, store: Slots) -> None:
        """A start that follows closely takes the place of the one before; one that does not stands alone."""
        a, b, c, later = (new_id() for _ in range(4))
        found = [
            await store.debounce(FIVE_S, each, NOW + at) for each, at in ((a, 0), (b, 3), (c, 6), (later, 11))
        ]

        assert ["", a, b, ""] == [each.older for each in found]
        assert [each.begins_at for each in found] == [NOW + 5, NOW + 8, NOW + 11, NOW + 16]

    async def test_starts_without_end(self, store: Slots) -> None:
        """However many follow, one runs when the longest time is over; then it begins anew."""
        found = [await store.debounce(FIVE_S, new_id(), NOW + at) for at in (0, 4, 8, 11, 12, 14)]

        assert [each.begins_at - NOW for each in found] == [5, 9, 12, 12, 17, 19]
        assert [found[0].older, found[4].older] == ["", ""]
        assert [each.execution_id for each in found[:3]] == [each.older for each in found[1:4]]

    async def test_a_start_is_decided_about_once(self, store: Slots) -> None:
        """Who asks again hears the same, and since then perhaps who took its place."""
        a, b = new_id(), new_id()
        first = [await store.debounce(FIVE_S, each, NOW + at) for each, at in ((a, 0), (b, 3))]
        again = [await store.debounce(FIVE_S, each, NOW + at) for each, at in ((b, 3), (a, 0))]

        assert (first[1], b, "") == (again[0], again[1].newer, first[0].newer)

    async def test_who_asks_late_does_not_run_as_well(self, store: Slots) -> None:
        """A start that is asked about after one that came later within the time has lost its place to it."""
        a, b, old = new_id(), new_id(), new_id()
        await store.debounce(FIVE_S, b, NOW + 3)
        late = await store.debounce(FIVE_S, a, NOW)
        alone = await store.debounce(FIVE_S, old, NOW - 60)

        assert (b, "", NOW - 55) == (late.newer, alone.newer, alone.begins_at)

    async def test_what_is_over_takes_nobodys_place(self, store: Slots, close: Close) -> None:
        """A start that was cancelled before it was asked about leaves the one before it alone."""
        a, over = new_id(), new_id()
        await store.debounce(FIVE_S, a, NOW)
        await close(over)

        assert (await store.debounce(FIVE_S, over, NOW + 1)).older == ""
        assert (await store.debounce(FIVE_S, a, NOW)).newer == ""

    async def test_who_has_an_instant_ahead(self, store: Slots) -> None:
        """Ahead is whose instant is to come, by rate or debounce; not who has none, and not who may begin."""
        a, b, c, d, stranger = (new_id() for _ in range(5))
        for each in (a, b, c):
            await store.reserve(TWO_A_MINUTE, each, NOW)
        await store.debounce(FIVE_S, d, NOW)

        assert {c, d} == set(await store.ahead([a, b, c, d, stranger], NOW))
        assert {c} == set(await store.ahead([c, d], NOW + 5))
        assert not await store.ahead([], NOW)
