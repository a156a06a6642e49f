"""The life of a duty: time passes, or the owner asks; the leader does it and writes down how it went."""

from linkflow.testing.control import Client, Stage
from linkflow.testing.live import Live


async def test_a_duty_is_run_by_hand(live: Live) -> None:
    """The owner asks for a duty; the leader runs it, and its result is kept and listed."""
    run = await live.post("/admin/scheduler/duties/partitions/run?wait_ms=15000", {})
    again = await live.get(f"/admin/scheduler/runs/{run.json['id']}")
    status = (await live.get("/admin/scheduler")).json
    lines = {duty["name"]: duty["last"] for duty in status["duties"]}

    assert (200, "done", {"made": 0}, run.json, run.json["holder"]) == (
        run.status,
        run.json["outcome"],
        run.json["result"],
        lines["partitions"],
        status["leader"]["holder"],
    )
    assert run.json == again.json


async def test_a_dry_run_is_told_apart(live: Live) -> None:
    """A dry run says what would be done and does not count as the duty's newest run."""
    run = await live.post("/admin/scheduler/duties/cron/run?wait_ms=15000", {"dry_run": True})
    lines = (await live.get("/admin/scheduler")).json["duties"]

    assert (True, {"due": 0}, [None]) == (
        run.json["dry_run"],
        run.json["result"],
        [duty["last"] for duty in lines if duty["name"] == "cron"],
    )


async def test_duties_are_the_owners(stage: Stage) -> None:
    """Nobody but the owner of the installation sees or runs duties; an unknown duty names those there are."""
    unknown = await stage.client.post("/api/v1/admin/scheduler/duties/coffee/run", {})
    stranger = Client(stage.app)

    assert (404, "duty.not_found", 401) == (
        unknown.status,
        unknown.json["code"],
        (await stranger.get("/api/v1/admin/scheduler")).status,
    )
    assert "partitions" in unknown.json["detail"]


async def test_nobody_leads(stage: Stage) -> None:
    """While no scheduler runs nobody leads, and a run that is asked for is kept until one does."""
    run = await stage.client.post("/api/v1/admin/scheduler/duties/partitions/run", {})
    status = await stage.client.get("/api/v1/admin/scheduler")

    assert (202, "asked", None) == (run.status, run.json["outcome"], status.json["leader"])
