"""The life of a schedule, with a clock that the test turns."""

import pytest

from linkflow.domain.errors import Overloaded
from linkflow.scheduler.cron import Cron
from linkflow.testing.control import Stage


async def schedule(stage: Stage, **body: object) -> str:
    """Create a schedule for a new workflow and return its id."""
    workflow_id = await stage.workflow()
    found = await stage.client.post("/api/v1/schedules", {"workflow_id": workflow_id} | body)
    assert found.status == 201, found.body
    return str(found.json["id"])


def cron(stage: Stage) -> Cron:
    """Build the duty as the scheduler runs it."""
    return Cron(stage.side.records, stage.plane.schedules, stage.side.bus, stage.clock)


async def test_a_fire_is_named_by_its_nominal_time(stage: Stage) -> None:
    """C6, A11: two schedulers that fire the same nominal time start one execution."""
    schedule_id = await schedule(stage, interval_s=60)
    await stage.clock.turn(61)
    due = await stage.side.records.schedules.due(stage.clock.now(), 10)
    for _ in range(2):
        await stage.plane.schedules.fire(due[0], stage.clock.now())
    nominal = due[0].next_at or 0
    read = (await stage.client.get(f"/api/v1/schedules/{schedule_id}")).json

    assert ([f"schedule:{schedule_id}:{nominal:.3f}"], 1, "schedule") == (
        [each.request_id for each in stage.engine.commands],
        read["run_count"],
        stage.engine.commands[0].trigger_kind,
    )


async def test_missed_fires_follow_the_policy(stage: Stage) -> None:
    """C6: of five missed fires `skip` starts none, `once` the last and `all` each of them."""
    for misfire in ("skip", "once", "all"):
        await schedule(stage, interval_s=600, misfire=misfire)
    await stage.clock.turn(5 * 600 + 120)
    await cron(stage).fire_due()
    starts = [each.request_id.split(":")[1] for each in stage.engine.commands]

    assert [1, 5] == sorted(starts.count(each) for each in set(starts))


async def test_a_paused_schedule_keeps_its_place(stage: Stage) -> None:
    """A paused schedule fires nothing and makes up for nothing when it is resumed."""
    schedule_id = await schedule(stage, interval_s=60, misfire="all")
    await stage.client.post(f"/api/v1/schedules/{schedule_id}/pause")
    await stage.clock.turn(600)
    await cron(stage).fire_due()
    resumed = await stage.client.post(f"/api/v1/schedules/{schedule_id}/resume")
    await cron(stage).fire_due()

    assert ([], False) == (stage.engine.commands, resumed.json["is_paused"])


async def test_a_schedule_that_can_never_fire_is_refused(stage: Stage) -> None:
    """A wrong cron expression or time zone is 400 and says what to write."""
    workflow_id = await stage.workflow()
    found = [
        await stage.client.post("/api/v1/schedules", {"workflow_id": workflow_id} | body)
        for body in ({"cron": "61 * * * *"}, {"cron": "@daily", "timezone": "Mars/Base"}, {})
    ]

    assert [(400, "schedule.invalid")] * 3 == [(each.status, each.json["code"]) for each in found]


async def test_a_schedule_whose_workflow_is_gone_is_disabled(stage: Stage) -> None:
    """A schedule that cannot start anything is disabled with the reason and bothers nobody again."""
    schedule_id = await schedule(stage, interval_s=60)
    await stage.database.pool.execute("UPDATE control.workflows SET deleted_at = 1")
    me = (await stage.client.get("/api/v1/auth/me")).json
    stage.plane.prepared.drop(f"executable:{me['workspace_id']}")
    await stage.clock.turn(61)
    await cron(stage).fire_due()
    read = (await stage.client.get(f"/api/v1/schedules/{schedule_id}")).json

    assert (None, True, 0) == (
        read["next_run_at"],
        bool(read["disabled_reason"]),
        await cron(stage).fire_due(),
    )


async def test_a_schedule_ends_after_so_many_runs(stage: Stage) -> None:
    """A schedule with max_executions fires so often and no more."""
    await schedule(stage, interval_s=60, max_executions=2, misfire="all")
    for _ in range(4):
        await stage.clock.turn(60)
        await cron(stage).fire_due()

    assert 2 == len(stage.engine.commands)


async def test_trigger_nodes_have_their_schedule(stage: Stage) -> None:
    """G6, G7: an active workflow with a schedule trigger starts there, with the nominal time as input."""
    workflow_id = await stage.workflow(type="trigger.schedule", config={"cron": "*/5 * * * *"})
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    await stage.clock.turn(301)
    await cron(stage).fire_due()
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/deactivate")
    await stage.clock.turn(301)
    await cron(stage).fire_due()

    assert (["start"], {"scheduled_time", "execution_time"}) == (
        [each.trigger for each in stage.engine.commands],
        stage.engine.commands[0].input.keys(),
    )


async def test_an_unreachable_engine_loses_no_fire(stage: Stage) -> None:
    """A fire that the engine could not take stays due and is taken later, once."""
    await schedule(stage, interval_s=60)
    await stage.clock.turn(61)
    stage.engine.failure = Overloaded()
    with pytest.raises(Overloaded):
        await cron(stage).fire_due()
    stage.engine.failure = None
    await cron(stage).fire_due()

    assert 1 == len(stage.engine.commands)
