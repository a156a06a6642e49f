"""The life of old executions: hidden, archived, dropped by the month; what is open lives on."""

import gzip
import json
from typing import Any

import pytest

from linkflow.adapters.blobs import FileBlobStore
from linkflow.adapters.sql.retention import SqlRetention
from linkflow.domain.errors import Unavailable
from linkflow.ports.retention import Counted, Kept
from linkflow.ports.services import DeadLetter
from linkflow.ports.upkeep import DAY_S, Archive, Fenced, Turn
from linkflow.scheduler.retention import ExecutionsRetention, SoftDelete
from linkflow.testing.fakes import FixedClock
from linkflow.testing.live import Live

HELLO = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "hello", "type": "data.set", "config": {"values": {"text": "{{input.text}}"}}}],
    "edges": [{"source": "start", "target": "hello"}],
}
WAITING = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "wait", "type": "logic.wait_event", "config": {"name": "paid"}}],
    "edges": [{"source": "start", "target": "wait"}],
}
LARGE = "x" * 100_000
TURN = Turn(token=1)


class Later:
    """The retention of a LinkFlow as it will be a while later.

    Attributes:
        clock: Days ahead of the running LinkFlow.
        archive: Where its histories go.
    """

    def __init__(self, live: Live, days: float, kept: Kept | None = None) -> None:
        database = live.running.database
        now = live.running.plane.clock.now()
        self.clock = FixedClock(now + days * DAY_S)
        self.store = SqlRetention(database)
        self.archive: Archive = FileBlobStore(live.home / "blobs")
        self.kept = kept or Kept()
        self.blobs = FileBlobStore(live.home / "blobs")

    def retention(self, archive: Archive | None = None) -> ExecutionsRetention:
        """Build the duty."""
        return ExecutionsRetention(self.store, archive or self.archive, self.blobs, self.kept, self.clock)

    async def run(self, turn: Turn = TURN) -> Any:
        """Do the duty once."""
        return await self.retention().do(turn)

    async def segments(self) -> list[Any]:
        """Read the archived executions."""
        found = []
        for key in await self.archive.keys("executions/"):
            found += [
                json.loads(line) for line in gzip.decompress(await self.archive.fetch(key)).splitlines()
            ]
        return found


class Failing:
    """An archive that fails after a number of objects."""

    def __init__(self, archive: Archive, good: int) -> None:
        self._archive, self._good = archive, good

    async def store(self, key: str, data: bytes) -> None:
        """Keep an object, or fail."""
        if not self._good:
            raise Unavailable("The archive is full.")
        self._good -= 1
        await self._archive.store(key, data)

    async def fetch(self, key: str) -> bytes:
        """Read an object."""
        return await self._archive.fetch(key)

    async def keys(self, prefix: str) -> Any:
        """List keys."""
        return await self._archive.keys(prefix)


async def settled(live: Live, count: int) -> None:
    """Wait until so many executions are listed and nothing of them is on its way any more."""
    await live.listed(lambda rows: len(rows) == count)
    sql = "SELECT count(*) FROM engine.outbox"
    while await live.running.database.pool.fetchval(sql):
        await live.listed(lambda rows: True)


async def test_an_open_execution_lives_on(live: Live) -> None:
    """L7, C17: an execution open for 200 days survives the drop of its month and goes on; closed ones go."""
    closed = [await live.run(HELLO, {"text": LARGE}) for _ in range(3)]
    waiting = await live.start(await live.made(WAITING))
    await live.waits(waiting)
    await settled(live, 4)
    later = Later(live, 200)
    result = await later.run()
    await live.post(f"/executions/{waiting}/signal", {"name": "paid", "data": {"n": 1}})
    ended = await live.ended(waiting)
    gone = [(await live.get(f"/executions/{each['id']}")).status for each in closed]
    again = await live.run(HELLO, {"text": "Hello"})

    assert (3, 1, 3, True, []) == (
        result["deleted"],
        result["moved"],
        result["archived"],
        bool(result["months"]),
        result["busy"],
    )
    assert ("completed", "completed") == (ended["status"], again["status"])
    assert {each["id"] for each in closed} == {each["execution_id"] for each in await later.segments()}
    assert await live.running.database.pool.fetchval("SELECT count(*) FROM engine.archived") == 0
    assert [404] * 3 == gone


async def test_a_month_in_which_many_live_on(live: Live) -> None:
    """Where more live on than may be carried, the closed ones go page by page and the month stays for now."""
    closed = [await live.run(HELLO) for _ in range(3)]
    waiting = await live.start(await live.made(WAITING))
    await live.waits(waiting)
    await settled(live, 4)
    later = Later(live, 200)
    later.store = SqlRetention(live.running.database, carried=0)
    month = (await later.store.months(later.clock.now()))[0]
    result = await later.run()
    gone = [(await live.get(f"/executions/{each['id']}")).status for each in closed]
    await live.post(f"/executions/{waiting}/signal", {"name": "paid", "data": {"n": 1}})
    ended = await live.ended(waiting)

    assert (3, 1, True) == (
        result["deleted"],
        result["moved"],
        month in await later.store.months(later.clock.now()),
    )
    assert ([404] * 3, "completed") == (gone, ended["status"])


async def test_the_archive_is_whole(live: Live) -> None:
    """L7: an archived execution has its head, every event in order, and the large values they name."""
    closed = await live.run(HELLO, {"text": LARGE})
    await settled(live, 1)
    events = (await live.get(f"/executions/{closed['id']}/events")).json["data"]
    later = Later(live, 200)
    await later.run()
    [archived] = await later.segments()
    types = [event["type"] for record in archived["records"] for event in record["events"]]
    blobs = [json.loads(await later.archive.fetch(key)) for key in await later.archive.keys("blobs/")]

    assert ("completed", [event["type"] for event in events], True) == (
        archived["status"],
        types,
        {"text": LARGE} in blobs,
    )


async def test_a_crash_in_the_middle_repeats_safely(live: Live) -> None:
    """C17: when archiving fails in the middle nothing is dropped; done again, everything is there once."""
    closed = [await live.run(HELLO, {"text": LARGE}) for _ in range(2)]
    await settled(live, 2)
    later = Later(live, 200)
    for good in (0, 1):
        with pytest.raises(Unavailable):
            await later.retention(Failing(later.archive, good)).do(TURN)
    listed = (await live.get("/executions")).json["data"]
    first, second = await later.run(), await later.run()

    assert (2, 2, 0) == (len(listed), first["deleted"], second["deleted"])
    assert sorted(each["id"] for each in closed) == sorted(
        each["execution_id"] for each in await later.segments()
    )


async def test_what_waits_for_people_stays(live: Live) -> None:
    """An execution with a dead letter is kept until the letter is gone, and then goes by itself."""
    done = await live.run(HELLO, {"text": "a"})
    await settled(live, 1)
    workspace_id = live.running.owner.user.workspace_id
    letters = live.running.engine.letters
    letter = DeadLetter(
        id="one", workspace_id=workspace_id, kind="task", execution_id=done["id"], reason="", at=1.0
    )
    await letters.add(letter)
    later = Later(live, 200)
    kept = await later.run()
    await letters.take(workspace_id, "one")
    gone = await later.run()

    assert ((0, 1), (1, 0)) == ((kept["deleted"], kept["moved"]), (gone["deleted"], gone["moved"]))


async def test_recent_ones_stay(live: Live) -> None:
    """L7: what ended less than 90 days ago stays, and everything for ever with a retention of 0 days."""
    await live.run(HELLO, {"text": "a"})
    await settled(live, 1)
    results = [
        await Later(live, 80).run(),
        await Later(live, 200, Kept(executions=0)).run(),
        await Later(live, 200).run(Turn(token=1, is_dry=True)),
    ]
    months = [month for month in results[2] if month != "no month"]

    assert (0, {"kept": "for ever"}) == (results[0]["deleted"], results[1])
    assert {"can_go": 1, "stays": 0} in [results[2][month] for month in months]
    assert 1 == len((await live.get("/executions")).json["data"])


async def test_without_an_archive(live: Live) -> None:
    """Who wants no archive gets none: executions are dropped and nothing is written."""
    await live.run(HELLO, {"text": "a"})
    await settled(live, 1)
    later = Later(live, 200, Kept(is_archived=False))
    result = await later.run()

    assert (1, 0, []) == (result["deleted"], result["archived"], await later.segments())


async def test_yesterdays_leader_drops_nothing(live: Live) -> None:
    """C13r: a leader whose token is older than one seen before archives and drops nothing."""
    await live.run(HELLO, {"text": "a"})
    await settled(live, 1)
    later = Later(live, 200)
    [month, *_] = [
        name
        for name in await later.store.months(later.clock.now() - 90 * DAY_S)
        if (await later.store.count(name, later.clock.now())).going
    ]
    await later.store.archived([], 7)
    for work in (later.run(Turn(token=6)), later.store.drop(month, later.clock.now(), 6)):
        with pytest.raises(Fenced):
            await work

    assert Counted(1, 0) == await later.store.count(month, later.clock.now())


async def test_old_ones_are_hidden_first(live: Live) -> None:
    """L10: executions that ended long ago are taken out of the lists before they are dropped."""
    await live.run(HELLO, {"text": "a"})
    waiting = await live.start(await live.made(WAITING))
    await live.waits(waiting)
    await live.listed(lambda rows: sorted(row["status"] for row in rows) == ["completed", "waiting"])
    later = Later(live, 200)
    duty = SoftDelete(later.store, later.kept, later.clock)
    found = [await duty.do(Turn(token=1, is_dry=True)), await duty.do(TURN), await duty.do(TURN)]

    assert [1, 1, 0] == [each["executions"] for each in found]
    assert [waiting] == [row["id"] for row in (await live.get("/executions")).json["data"]]


async def test_a_plan_may_show_fewer_days(live: Live) -> None:
    """A workspace whose plan shows fewer days than are kept does not list what ended before them."""
    await live.run(HELLO, {"text": "a"})
    await settled(live, 1)
    plane, workspace_id = live.running.plane, live.running.owner.user.workspace_id
    duty = SoftDelete(SqlRetention(live.running.database), Kept(), plane.clock, plane.plans)
    before = await duty.do(TURN)
    await live.put("/admin/plans", {"workspace_id": workspace_id, "limits": {"retention_days": 0}})
    found = [await duty.do(Turn(token=1, is_dry=True)), await duty.do(TURN), await duty.do(TURN)]

    assert [0, 1, 1, 0] == [each["by_plan"] for each in (before, *found)]
    assert [] == (await live.get("/executions")).json["data"]
