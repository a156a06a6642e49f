"""Contract suites of the engine's smaller stores: specs, tickets, sessions, dead letters, late results."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from linkflow.domain.errors import NotFound
from linkflow.ports.coordination import Sessions, Tickets
from linkflow.ports.services import DeadLetter
from linkflow.ports.stores import DeadLetters, LateResults, Message, SpecStore
from linkflow.ports.views import LetterFilter
from linkflow.testing.fakes import NOW
from linkflow.testing.history_suites import new_id

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


class SpecStoreSuite:
    """What every SpecStore must do; provide the fixture `store`."""

    async def test_specs_come_back(self, store: SpecStore) -> None:
        """A spec comes back byte by byte under its hash; storing it again is harmless."""
        await store.put(ONE, "hash", b'{"a":1}')
        await store.put(ONE, "hash", b'{"a":1}')

        assert await store.get(ONE, "hash") == b'{"a":1}'

    async def test_specs_never_change(self, store: SpecStore) -> None:
        """What a hash stands for stays, whatever is put under it later."""
        await store.put(ONE, "hash", b"first")
        await store.put(ONE, "hash", b"second")

        assert await store.get(ONE, "hash") == b"first"

    async def test_workspaces_are_apart(self, store: SpecStore) -> None:
        """A spec of one workspace does not exist in another."""
        await store.put(ONE, "hash", b"{}")

        with pytest.raises(NotFound):
            await store.get(TWO, "hash")


Close = Callable[[str], Awaitable[None]]


class TicketsSuite:
    """What every Tickets must do; provide `store`, and `close`, which makes an execution that is over."""

    async def test_in_order_of_asking(self, store: Tickets) -> None:
        """Who asks first gets a ticket; the next in line gets it when it comes back."""
        a, b, c = new_id(), new_id(), new_id()

        assert [a] == list(await store.acquire("t", 1, a))
        assert list(await store.acquire("t", 1, c)) == []
        assert list(await store.acquire("t", 1, b)) == []
        assert [a, c, b] == list(await store.asked("t"))
        assert [c] == list(await store.release("t", a))
        assert [b] == list(await store.release("t", c))
        assert list(await store.release("t", b)) == []
        assert list(await store.asked("t")) == []

    async def test_repeats(self, store: Tickets) -> None:
        """Asking or giving back again changes nothing; a holder that asks again hears that it has it."""
        a, b = new_id(), new_id()
        await store.acquire("t", 1, a)

        assert [a] == list(await store.acquire("t", 1, a))
        assert list(await store.acquire("t", 1, b)) == []
        assert list(await store.acquire("t", 1, b)) == []
        assert [b] == list(await store.release("t", a))
        assert list(await store.release("t", a)) == []
        assert [b] == list(await store.asked("t"))

    async def test_limits(self, store: Tickets) -> None:
        """As many hold a ticket as its limit says, never more, also when all ask at the same moment."""
        ids = [new_id() for _ in range(12)]
        granted = await asyncio.gather(*(store.acquire("t", 3, each) for each in ids))
        having = {holder for each in granted for holder in each}

        assert len(having) == 3
        assert set(ids) == set(await store.asked("t"))

    async def test_a_raised_limit(self, store: Tickets) -> None:
        """A raised limit lets in those who wait already, before whoever asks now."""
        ids = [new_id() for _ in range(4)]
        for each in ids[:3]:
            await store.acquire("t", 1, each)

        assert set(ids[1:3]) == set(await store.acquire("t", 3, ids[3]))

    async def test_leaving_the_line(self, store: Tickets) -> None:
        """Who waits may leave the line; nobody gets a ticket from that."""
        a, b, c = new_id(), new_id(), new_id()
        for each in (a, b, c):
            await store.acquire("t", 1, each)

        assert list(await store.release("t", b)) == []
        assert [c] == list(await store.release("t", a))

    async def test_what_is_over_gets_no_ticket(self, store: Tickets, close: Close) -> None:
        """A question that comes after the end gets nothing and keeps nobody waiting."""
        a, b, over = new_id(), new_id(), new_id()
        await close(over)
        await store.acquire("t", 1, a)

        assert list(await store.acquire("t", 1, over)) == []
        assert list(await store.acquire("t", 1, b)) == []
        assert [a, b] == list(await store.asked("t"))
        assert [b] == list(await store.release("t", a))

    async def test_a_ticket_is_never_lost(self, store: Tickets, close: Close) -> None:
        """What an execution that is over still has is free when somebody asks."""
        a, b = new_id(), new_id()
        await store.acquire("t", 1, a)
        await store.acquire("t", 1, b)
        await close(a)

        assert [b] == list(await store.acquire("t", 1, b))
        assert [b] == list(await store.asked("t"))

    async def test_who_is_behind_others(self, store: Tickets) -> None:
        """Behind others is who waits and is not the first of those asked about; no holder, no stranger."""
        a, b, c, d, stranger = (new_id() for _ in range(5))
        for each in (a, b, c, d):
            await store.acquire("t", 1, each)
        await store.acquire("u", 1, stranger)

        assert {c, d} == set(await store.behind([a, b, c, d, stranger, new_id()]))
        assert {d} == set(await store.behind([a, c, d]))
        assert not await store.behind([a, d])
        assert not await store.behind([])

    async def test_a_changed_limit_holds_from_the_next_question(self, store: Tickets) -> None:
        """Whoever comes last says how many there may be, also when a ticket is given back."""
        ids = [new_id() for _ in range(5)]
        for each in ids[:4]:
            await store.acquire("t", 2, each)
        await store.acquire("t", 1, ids[4])

        assert list(await store.release("t", ids[0])) == []
        assert ids[2:3] == list(await store.release("t", ids[1]))

    async def test_tickets_are_apart(self, store: Tickets) -> None:
        """One ticket's line does not hold up another's."""
        a, b = new_id(), new_id()
        await store.acquire("t", 1, a)

        assert [b] == list(await store.acquire("u", 1, b))
        assert list(await store.release("nobody asked", a)) == []


class SessionsSuite:
    """What every Sessions must do; provide the fixture `store`."""

    async def test_a_lease_ends(self, store: Sessions) -> None:
        """A session whose lease has run out is expired until it is buried; one that was renewed is not."""
        await store.renew("old", -5.0)
        await store.renew("back", -5.0)
        await store.renew("back", 60.0)
        expired = list(await store.expired())
        await store.bury(["old"])
        await store.bury(["old", "never there"])

        assert (expired, list(await store.expired())) == (["old"], [])

    async def test_renewing_tells_of_a_burial(self, store: Sessions) -> None:
        """Renewing says whether the session was there: not when it is new, and not after its burial."""
        said = [await store.renew("mine", 60.0), await store.renew("mine", 60.0)]
        await store.bury(["mine"])
        said += [await store.renew("mine", 60.0), await store.renew("mine", 60.0)]

        assert said == [False, True, False, True]

    async def test_burying_what_ended(self, store: Sessions) -> None:
        """Sessions whose lease has run out are buried once, and told when they come back; others stay."""
        for session, lease_s in (("a", 60.0), ("dead", -5.0)):
            await store.renew(session, lease_s)
        buried = [list(await store.bury_expired(60.0)), list(await store.bury_expired(60.0))]

        renewed = [await store.renew(session, 60.0) for session in ("a", "dead")]

        assert (buried, renewed) == ([["dead"], []], [True, False])

    async def test_a_burial_is_told_until_it_is_settled(self, store: Sessions) -> None:
        """Whoever buried sessions may die: after a while they are told again, until somebody has settled."""
        for session in ("a", "b"):
            await store.renew(session, -5.0)
        told = [sorted(await store.bury_expired(again_s)) for again_s in (60.0, 60.0, -1.0)]
        await store.settle(["a", "never there"], 0.0)
        told.append(list(await store.bury_expired(-1.0)))
        await store.settle(["b"], 0.0)
        told.append(list(await store.bury_expired(-1.0)))

        assert told == [["a", "b"], [], ["a", "b"], ["b"], []]

    async def test_a_young_burial_is_told_again(self, store: Sessions) -> None:
        """Settling leaves burials that are too young: something may have been started since."""
        await store.renew("a", -5.0)
        told = [list(await store.bury_expired(60.0))]
        await store.settle(["a"], 60.0)
        told.append(list(await store.bury_expired(-1.0)))

        assert told == [["a"], ["a"]]

    async def test_one_that_came_back_is_buried_again(self, store: Sessions) -> None:
        """A session may end again before its first burial is settled: it is told once."""
        told = []
        for _ in range(2):
            await store.renew("a", -5.0)
            told.append(list(await store.bury_expired(60.0)))
        await store.settle(["a"], 0.0)

        assert (told, list(await store.bury_expired(-1.0))) == ([["a"], ["a"]], [])

    async def test_the_others(self, store: Sessions) -> None:
        """Every session but the asking one is known until it is buried, alive or not."""
        for session, lease_s in (("mine", 60.0), ("alive", 60.0), ("dead", -5.0)):
            await store.renew(session, lease_s)

        assert {"alive", "dead"} == set(await store.others("mine"))


def letter(number: int, **fields: Any) -> DeadLetter:
    """Say a letter; higher numbers are newer."""
    return DeadLetter(
        **{
            "id": f"letter-{number}",
            "workspace_id": ONE,
            "kind": "task",
            "execution_id": "x",
            "reason": "It failed.",
            "at": NOW + number,
            "body": {"key": "a", "n": [1, None, "ü"]},
            **fields,
        }
    )


class DeadLettersSuite:
    """What every DeadLetters must do; provide the fixture `store`."""

    async def test_letters_come_back(self, store: DeadLetters) -> None:
        """D35: letters are listed newest first, whole, page by page, and only to their workspace."""
        for number in (2, 1, 3):
            await store.add(letter(number))
        await store.add(letter(9, workspace_id=TWO))
        first = await store.list(ONE, "", 2)

        assert [letter(3), letter(2)] == list(first)
        assert [letter(1)] == list(await store.list(ONE, first[-1].id, 2))

    async def test_any_text(self, store: DeadLetters) -> None:
        """A letter about text with a NUL in it is kept."""
        await store.add(letter(1, reason="a\0b", body={"text": "a\0b"}))

        assert [each.id for each in await store.list(ONE, "", 10)] == ["letter-1"]

    async def test_the_same_letter(self, store: DeadLetters) -> None:
        """A letter that is kept twice is there once, as it was first."""
        await store.add(letter(1))
        await store.add(letter(1, reason="later"))

        assert [letter(1)] == list(await store.list(ONE, "", 10))

    async def test_taking(self, store: DeadLetters) -> None:
        """A letter can be taken once, by its own workspace."""
        await store.add(letter(1))
        with pytest.raises(NotFound):
            await store.take(TWO, "letter-1")
        taken = await store.take(ONE, "letter-1")

        with pytest.raises(NotFound):
            await store.take(ONE, "letter-1")

        assert letter(1) == taken

    async def test_choosing(self, store: DeadLetters) -> None:
        """Letters are chosen by kind, execution, workflow, part of the reason and age, all at once."""
        await store.add(letter(1, kind="callback", execution_id="y", body={"workflow_id": "w"}))
        await store.add(letter(2, kind="callback", reason="The receiver ANSWERED 500."))
        await store.add(letter(3))

        async def chosen(**where: Any) -> list[str]:
            return [each.id for each in await store.list(ONE, "", 10, LetterFilter(**where))]

        assert await chosen(kind="callback") == ["letter-2", "letter-1"]
        assert await chosen(kind="callback", execution_id="y", workflow_id="w") == ["letter-1"]
        assert await chosen(reason="answered 5") == ["letter-2"]
        assert await chosen(before=NOW + 2) == ["letter-1"]

    async def test_reading(self, store: DeadLetters) -> None:
        """A letter can be read by its own workspace, and stays."""
        await store.add(letter(1))
        with pytest.raises(NotFound):
            await store.get(TWO, "letter-1")

        assert [letter(1)] * 2 == [await store.get(ONE, "letter-1") for _ in range(2)]

    async def test_sending_again(self, store: DeadLetters) -> None:
        """A message is put back once, and its letter goes in the same step."""
        await store.add(letter(1))
        message = Message(execution_id=new_id(), number=3, kind="callback", to="http://x", body={"a": 1})
        sent = await asyncio.gather(*(store.resend(letter(1), message) for _ in range(3)))

        assert sorted(sent) == [False, False, True]
        assert list(await store.list(ONE, "", 10)) == []


class LateResultsSuite:
    """What every LateResults must do; provide the fixture `store`."""

    async def test_what_came_late(self, store: LateResults) -> None:
        """Results that came late are listed once each, oldest first, with the reason."""
        one = new_id()
        await store.note(one, "a", 1, "timed out")
        await store.note(one, "a", 2, "closed")
        await store.note(one, "a", 1, "again")

        found = [(line["key"], line["attempt"], line["reason"]) for line in await store.list(one)]

        assert found == [("a", 1, "timed out"), ("a", 2, "closed")]
        assert list(await store.list(new_id())) == []
