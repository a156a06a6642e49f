"""The job page: what is under way, waits or failed, and trying it again (the seeds' Horizon role)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from linkflow.testing.control import Stage
from linkflow.testing.receiver import Receiver, Scripted

BASE = "/api/v1/admin/backlogs"


@pytest_asyncio.fixture
async def stage(database_dsn: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """A control plane that may call this machine."""
    found = await Stage.open(database_dsn, tmp_path, outbound_allow=("127.0.0.1",))
    yield found
    await found.close()


async def test_what_failed_is_tried_again(stage: Stage, receiver: Receiver) -> None:
    """C19r: what waits and what failed is counted, with its age; a retry sends it under the same id."""
    receiver.answer("/hook", Scripted(410), Scripted(204))
    hook = {"kind": "webhook", "url": f"{receiver.address}/hook"}
    made = await stage.client.post("/api/v1/alerts", {"name": "Watch", "kind": "failure", "channels": [hook]})
    await stage.client.post(f"/api/v1/alerts/{made.json['id']}/test")
    await stage.clock.turn(30)

    async def line() -> tuple[int, int, float]:
        backlogs = (await stage.client.get(BASE)).json["backlogs"]
        found = next(each for each in backlogs if each["name"] == "notifications")
        return found["waiting"], found["failed"], found["oldest_s"]

    waiting = await line()
    await stage.plane.notifications.send_due()
    failed = await line()
    retried = await stage.client.post(f"{BASE}/notifications/retry")
    await stage.plane.notifications.send_due()
    ids = {call.headers["webhook-id"] for call in receiver.to("/hook")}
    lines = (await stage.client.get("/api/v1/audit-logs?action=backlogs.retry")).json["data"]

    assert ((1, 0, 30.0), (0, 1, 0.0), (0, 0, 0.0)) == (waiting, failed, await line())
    assert (200, 1, 2, 1) == (retried.status, retried.json["retried"], len(receiver.to("/hook")), len(ids))
    assert [{"retried": 1}] == [each["details"] for each in lines]


async def test_what_cannot_be_tried_again_says_so(stage: Stage) -> None:
    """A name that is none, or whose work has routes of its own, is 404."""
    found = [(await stage.client.post(f"{BASE}/{name}/retry")).status for name in ("nothing", "dead-letters")]
    page = (await stage.client.get(BASE)).json

    assert [404, 404] == found
    assert {"queued", "running", "waiting"} == set(page["executions"])
    assert ["inbox", "outbox", "mails", "notifications", "deliveries", "dead-letters"] == [
        each["name"] for each in page["backlogs"]
    ]
