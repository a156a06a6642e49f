"""The cluster: who is there, and what is said to all."""

import asyncio
from typing import Any

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.members import SqlConfigs, SqlMembers
from linkflow.domain.errors import Invalid
from linkflow.engine.cluster import Cluster, RunTimeSetting
from linkflow.ports.cluster import Member
from linkflow.testing.fakes import FixedClock


def process(database: Database, name: str, *roles: str, said: dict[str, Any] | None = None) -> Cluster:
    """Make a process; what it is told at run time goes to `said`."""
    noted = {} if said is None else said
    settings = {
        "log_level": RunTimeSetting("How much.", _level, lambda value: noted.update(log_level=value)),
    }
    member = Member(id=name, roles=roles, state="ready", release="1")
    return Cluster(member, SqlMembers(database), SqlConfigs(database), FixedClock(), settings)


def _level(text: str) -> str:
    if text not in ("debug", "info"):
        raise ValueError("is no level")
    return text


async def until(cluster: Cluster, role: str, names: list[str]) -> None:
    """Look until a role has these members."""
    async with asyncio.timeout(10):
        while [each.id for each in cluster.of(role)] != names:
            await cluster.look()


async def test_members_find_each_other(database: Database) -> None:
    """C7r: a process that starts is known to the others with its roles, and is off the list when it stops."""
    one, two = process(database, "one", "history", "timer"), process(database, "two", "history")
    running = [asyncio.create_task(each.run()) for each in (one, two)]
    await until(one, "history", ["one", "two"])
    two.say(addresses={"history": "127.0.0.1:1"})
    changed = asyncio.create_task(one.changed())
    async with asyncio.timeout(10):
        while one.of("history")[1].addresses != {"history": "127.0.0.1:1"}:  # others may change before
            await one.look()
        await changed
    running[1].cancel()
    await asyncio.gather(running[1], return_exceptions=True)
    await until(one, "history", ["one"])
    running[0].cancel()

    assert [] == one.of("worker")


async def test_one_that_drains_gets_no_calls(database: Database) -> None:
    """A member that drains is there, and nobody is sent to it."""
    one, two = process(database, "one", "history"), process(database, "two", "history")
    two.say(state="draining")
    running = [asyncio.create_task(each.run()) for each in (one, two)]
    await until(one, "history", ["one"])
    async with asyncio.timeout(10):
        while len((await one.status()).members) < 2:
            await one.look()
    for each in running:
        each.cancel()


async def test_the_newest_leader_is_the_active_one(database: Database) -> None:
    """Of several members of a role with one active member, the one with the greatest token is called."""
    one, two = process(database, "one", "matching"), process(database, "two", "matching")
    running = [asyncio.create_task(each.run()) for each in (one, two)]
    one.say(leads={"matching": 4})
    await until(two, "matching", ["one"])
    two.say(leads={"matching": 5})
    await until(one, "matching", ["two"])
    for each in running:
        each.cancel()


async def test_what_is_missing(database: Database) -> None:
    """One call says which services are missing, who waits for what, and who has an old configuration."""
    one = process(database, "one", "history", "matching")
    one.say(waits_for="a worker")
    running = asyncio.create_task(one.run())
    await until(one, "history", ["one"])
    await one.configure({"log_level": "debug"})
    status = await one.status()
    running.cancel()

    assert {"worker", "timer", "visibility"} <= set(status.missing)
    assert "No process has the role worker." in status.problems
    assert "one waits: a worker." in status.problems
    assert (["1"], ["one"]) == (status.releases, status.behind)


async def test_configuration_reaches_everybody(database: Database) -> None:
    """C7r: a setting changed at run time is applied by every member, which says so; taken back, as well."""
    told: list[dict[str, Any]] = [{}, {}]
    both = [process(database, name, "worker", said=said) for name, said in zip("ab", told, strict=True)]
    first = await both[0].configure({"log_level": "debug"})
    for each in both:
        await each.look()
    applied = [dict(said) for said in told]
    await both[1].configure({"log_level": None})
    for each in both:
        await each.look()

    assert (1, {"log_level": "debug"}) == (first.version, first.values)
    assert [{"log_level": "debug"}] * 2 == applied
    assert [{"log_level": None}] * 2 == told
    assert [2, 2] == [each.member.config_version for each in both]


async def test_configuration_that_cannot_be(database: Database) -> None:
    """A setting that cannot be changed at run time, or not to this value, is refused with the reason."""
    one = process(database, "one", "history")
    with pytest.raises(Invalid, match="these can: log_level"):
        await one.configure({"home": "/"})
    with pytest.raises(Invalid, match="is no level"):
        await one.configure({"log_level": "loud"})

    assert (await one.config()).version == 0
