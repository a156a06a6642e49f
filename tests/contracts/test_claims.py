"""Claims of messages are fair: few to one place, few of one workspace, everybody's oldest first."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.records import SqlRecords
from linkflow.ports.identity import OutgoingMail
from linkflow.ports.notifications import Notification
from linkflow.ports.sending import Room
from linkflow.ports.subscriptions import Delivery, Subscription

NOW = 1_000.0
WIDE = Room(most=1000, of_place=1000, of_workspace=1000)


@pytest_asyncio.fixture
async def records(database_dsn: str) -> AsyncIterator[SqlRecords]:
    """Records with two workspaces: one has three subscriptions with ten messages each, the other one."""
    database = await Database.open(database_dsn, pool_size=4)
    found = SqlRecords(database)
    for workspace_id in ("loud", "quiet"):
        await database.pool.execute(
            "INSERT INTO control.workspaces (id, name, created_at) VALUES ($1, $1, 0)", workspace_id
        )
    for number, workspace_id in enumerate(("loud", "loud", "loud", "quiet")):
        subscription = Subscription(
            id=f"s{number}", workspace_id=workspace_id, url="https://x.example", events=["*"]
        )
        await found.subscriptions.create(subscription)
        await found.subscriptions.add([_delivery(subscription, nth) for nth in range(10)])
    yield found
    await database.close()


def _delivery(subscription: Subscription, nth: int) -> Delivery:
    """Say a message; those of the quiet workspace are the youngest."""
    at = NOW - 100 + nth + (50 if subscription.workspace_id == "quiet" else 0)
    return Delivery(
        id=f"{subscription.id}-{nth}",
        workspace_id=subscription.workspace_id,
        subscription_id=subscription.id,
        event="x",
        body=b"{}",
        at=at,
        due_at=at,
    )


async def claimed(records: SqlRecords, room: Room, now: float = NOW) -> Sequence[str]:
    """Claim messages to subscriptions."""
    return sorted(each.id for each in await records.subscriptions.claim(now, now + 60, room))


async def test_few_go_to_one_place(records: SqlRecords) -> None:
    """Of every subscription the oldest are taken, as many as its limit says, those under way included."""
    room = Room(most=1000, of_place=2, of_workspace=1000, places={"s0": 1, "s1": 2})

    assert ["s0-0", "s2-0", "s2-1", "s3-0", "s3-1"] == await claimed(records, room)


async def test_few_go_out_for_one_workspace(records: SqlRecords) -> None:
    """A workspace gets its limit over all of its places, those under way included."""
    room = Room(most=1000, of_place=4, of_workspace=5, workspaces={"loud": 2})
    found = Counter(each[:2] == "s3" for each in await claimed(records, room))

    assert {True: 4, False: 3} == found


async def test_everybody_is_served_before_anybody_is_served_twice(records: SqlRecords) -> None:
    """Where there is room for two, each workspace gets one, however much older those of one are."""
    assert ["s0-0", "s3-0"] == await claimed(records, Room(most=2, of_place=9, of_workspace=9))


async def test_a_claim_ends_by_itself(records: SqlRecords) -> None:
    """What was claimed is nobody else's until the claim ends; then it is due again."""
    first = await claimed(records, WIDE)

    assert (40, [], first) == (len(first), await claimed(records, WIDE, NOW + 59), await claimed(
        records, WIDE, NOW + 61
    ))  # fmt: skip


async def test_two_who_claim_at_once_take_different_messages(records: SqlRecords) -> None:
    """However many claim at the same moment, every message is taken once."""
    room = Room(most=7, of_place=1000, of_workspace=1000)
    taken: list[str] = []
    while True:
        found = await asyncio.gather(*(claimed(records, room) for _ in range(4)))
        if not any(found):
            break
        taken += [each for some in found for each in some]

    assert (40, 40) == (len(taken), len(set(taken)))


async def test_who_is_switched_off_gets_nothing(records: SqlRecords) -> None:
    """Messages to a subscription that is off stay where they are."""
    await records.subscriptions.disable("quiet", "s3", "off", NOW)

    assert {"s0", "s1", "s2"} == {each[:2] for each in await claimed(records, WIDE)}


@pytest.mark.parametrize("is_mail", [True, False])
async def test_notifications_are_claimed_by_kind_and_receiver(records: SqlRecords, is_mail: bool) -> None:
    """E-mails and other messages are claimed apart, few to one receiver, and a full one hides no other."""
    kind = "email" if is_mail else "slack"
    for nth in range(5):
        for receiver in ("ann", "bob"):
            for each in ("email", "slack"):
                await records.notifications.add(
                    Notification(
                        id=f"{each}-{receiver}-{nth}", workspace_id="loud", source="alert:a", subject="",
                        kind=each, receiver=receiver, title="", sealed=b"", at=NOW, due_at=NOW - 10 + nth,
                    )
                )  # fmt: skip
    place = "ann" if is_mail else "loud slack ann"
    room = Room(most=100, of_place=2, of_workspace=100, places={place: 2})
    found = await records.notifications.claim(NOW, NOW + 60, room, is_mail=is_mail)

    assert [f"{kind}-bob-0", f"{kind}-bob-1"] == sorted(each.id for each in found)
    assert {place.replace("ann", "bob")} == {each.place for each in found}


async def test_letters_are_claimed_by_address(records: SqlRecords) -> None:
    """Few letters to one address are taken, each counted as a try; a full address hides no other."""
    for nth in range(5):
        for place in ("a", "b"):
            await records.mails.add(
                OutgoingMail(id=f"{place}{nth}", sealed=b"", due_at=NOW - 9 + nth, created_at=0, place=place)
            )
    room = Room(most=100, of_place=2, of_workspace=100, places={"a": 2})
    found = await records.mails.claim(NOW, NOW + 60, room)

    assert [("b0", 1), ("b1", 1)] == sorted((each.id, each.attempts) for each in found)
