"""The life of a start under a policy: a rate lets so many begin in a period, a debounce only the last one."""

from typing import Any

import pytest

from linkflow.adapters.memory import MemoryEventBus
from linkflow.domain.schedule import Misfire
from linkflow.scheduler.cron import Cron
from linkflow.testing.fakes import FixedClock
from linkflow.testing.live import Live

HOUR_S, SHORT_S = 3600, 1


def spec(**settings: Any) -> dict[str, Any]:
    """Say a workflow that gives back what it was started with."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [{"id": "end", "type": "flow.output", "config": {"value": "{{ trigger }}"}}],
        "edges": [{"source": "start", "target": "end"}],
        "settings": settings,
    }


async def events(live: Live, execution_id: str) -> list[str]:
    """List the types of an execution's events."""
    return [each["type"] for each in (await live.get(f"/executions/{execution_id}/events")).json["data"]]


async def explained(live: Live, execution_id: str) -> Any:
    """Wait until an execution is queued and knows until when; how it explains itself."""
    found: list[Any] = [None]

    async def is_told() -> bool:
        found[0] = (await live.get(f"/executions/{execution_id}/explain")).json
        return bool(found[0]["drivers"] and found[0]["drivers"][0].get("until"))

    with live.running.plane.bus.subscribe(f"execution:{execution_id}") as changes:
        while not await is_told():
            await changes.nudged(1.0)
    return found[0]


async def test_so_many_begin_in_a_period(live: Live) -> None:
    """Beyond the limit an execution is acknowledged and queued; when its instant comes it runs by itself."""
    workflow_id = await live.made(spec(rate={"limit": 2, "periodSeconds": SHORT_S}))
    ids = [await live.start(workflow_id, {"n": number}) for number in range(5)]
    ended = [await live.ended(each) for each in ids]
    seen = [(await events(live, each))[1:4] for each in (ids[0], ids[4])]

    assert [("completed", {"n": number}) for number in range(5)] == [
        (found["status"], found["result"]) for found in ended
    ]
    assert [["SlotAsked", "SlotPromised", "SlotReached"]] * 2 == seen


async def test_the_time_in_the_queue_is_none_of_the_time_it_may_take(live: Live) -> None:
    """An execution begins long after its limit would have been over, and completes."""
    rate = {"limit": 1, "periodSeconds": SHORT_S}
    workflow_id = await live.made(spec(rate=rate, maxExecutionTimeMs=900))
    ids = [await live.start(workflow_id) for _ in range(3)]

    assert ["completed"] * 3 == [(await live.ended(each))["status"] for each in ids]


async def test_one_too_many_says_until_when(live: Live) -> None:
    """While it is queued, an execution explains itself; cancelled, it gives its instant to the next start."""
    workflow_id = await live.made(spec(rate={"limit": 1, "periodSeconds": HOUR_S}))
    await live.ended(await live.start(workflow_id))
    queued = [await live.start(workflow_id) for _ in range(2)]
    found = [await explained(live, each) for each in queued]
    untils = [each["drivers"][0]["until"] for each in found]
    await live.post(f"/executions/{queued[1]}/cancel", {})
    cancelled = await live.ended(queued[1])
    again = await explained(live, await live.start(workflow_id))

    assert ["queued", "queued", "cancelled"] == [*(each["status"] for each in found), cancelled["status"]]
    assert found[0]["summary"].startswith(
        "It is queued. It waits for its turn: at most 1 of these begin in 3600 s. At the latest in "
    )
    assert untils[0] < untils[1]
    assert untils[1] == again["drivers"][0]["until"]


async def test_each_value_of_the_key_has_its_own_rate(live: Live) -> None:
    """What one customer starts does not hold up another; one too many is skipped where the policy is to."""
    rate = {"limit": 1, "periodSeconds": HOUR_S, "key": "trigger.customer", "onExceed": "skip"}
    workflow_id = await live.made(spec(rate=rate))
    ids = [await live.start(workflow_id, {"customer": name}) for name in ("ann", "ben", "ann")]
    ended = [await live.ended(each) for each in ids]
    why = (await live.get(f"/executions/{ids[2]}/explain")).json["summary"]

    assert ["completed", "completed", "cancelled"] == [found["status"] for found in ended]
    assert why == (
        "It is over: cancelled. The rate of 1 in 3600 s is used up, and the workflow's policy is to skip "
        "further executions."
    )


async def test_starts_that_follow_closely_become_one(live: Live) -> None:
    """Every start is acknowledged and stays; the last of each key runs, the others name what replaced it."""
    workflow_id = await live.made(spec(debounce={"seconds": SHORT_S, "key": "trigger.order"}))
    orders = enumerate((1, 1, 2, 1))
    ids = [await live.start(workflow_id, {"order": order, "n": number}) for number, order in orders]
    ended = [await live.ended(each) for each in ids]
    why = [(await live.get(f"/executions/{each}/explain")).json["summary"] for each in ids[:2]]

    assert ["cancelled", "cancelled", "completed", "completed"] == [found["status"] for found in ended]
    assert {"order": 1, "n": 3} == ended[3]["result"]
    assert [
        f"It is over: cancelled. Another start followed within 1 s, and execution {newer} runs in its place."
        for newer in (ids[1], ids[3])
    ] == why


@pytest.mark.one_process
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rate": {"limit": 1, "periodSeconds": SHORT_S}}, ["completed"] * 3),
        ({"debounce": {"seconds": SHORT_S}}, ["cancelled", "cancelled", "completed"]),
    ],
    ids=["rate", "debounce"],
)
async def test_what_a_schedule_makes_up_for_waits_like_any_start(
    live: Live, settings: Any, expected: list[str]
) -> None:
    """Missed fires are starts under the workflow's policies: paced they all run, debounced the last one."""
    plane, workflow_id = live.running.plane, await live.made(spec(**settings))
    await live.post("/schedules", {"workflow_id": workflow_id, "interval_s": HOUR_S, "misfire": Misfire.ALL})
    later = FixedClock(plane.clock.now() + 3.5 * HOUR_S)
    await Cron(plane.records, plane.schedules, MemoryEventBus(), later).fire_due()
    rows = await live.running.database.pool.fetch("SELECT execution_id::text FROM engine.executions")

    assert expected == sorted([(await live.ended(row[0]))["status"] for row in rows])


async def test_a_retry_waits_for_nothing(live: Live) -> None:
    """What a person runs again neither waits for its turn nor takes anybody's."""
    workflow_id = await live.made(spec(rate={"limit": 1, "periodSeconds": HOUR_S}))
    first = await live.start(workflow_id, {"n": 1})
    await live.ended(first)
    again = (await live.post(f"/executions/{first}/retry", {})).json["execution_id"]

    assert "completed" == (await live.ended(again))["status"]


async def parents(live: Live, count: int, **settings: Any) -> list[Any]:
    """Start parents that each wait for a child of one workflow with these settings; how they end."""
    child = await live.made(spec(**settings))
    nodes = [
        {"id": "ask", "type": "flow.sub_workflow", "config": {"workflow_id": child}},
        {"id": "end", "type": "flow.output", "config": {"value": "{{ input }}"}},
    ]
    edges = [{"source": "start", "target": "ask"}, {"source": "ask", "target": "end"}]
    parent = await live.made({**spec(), "nodes": nodes, "edges": edges})
    ids = [await live.start(parent, {"n": number}) for number in range(count)]
    return [await live.ended(each) for each in ids]


async def test_a_parent_waits_for_a_child_that_waits_for_its_turn(live: Live) -> None:
    """A child under a rate begins when its instant comes, and its parent waits for its result."""
    ended = await parents(live, 3, rate={"limit": 1, "periodSeconds": SHORT_S})

    assert [("completed", {"n": number}) for number in range(3)] == [
        (found["status"], found["result"]) for found in ended
    ]


@pytest.mark.parametrize(
    ("settings", "which", "says"),
    [
        ({"debounce": {"seconds": SHORT_S}}, 0, "another start followed within 1 s, and execution "),
        ({"rate": {"limit": 1, "periodSeconds": HOUR_S, "onExceed": "skip"}}, 1, "the rate of 1 in 3600 s"),
    ],
    ids=["debounce", "rate"],
)
async def test_a_parent_is_told_that_its_child_does_not_run(
    live: Live, settings: Any, which: int, says: str
) -> None:
    """Whoever waits for a child that a policy drops fails at once, and its error says why."""
    ended = await parents(live, 2, **settings)
    error = ended[which]["error"]

    assert ("failed", "completed") == (ended[which]["status"], ended[1 - which]["status"])
    assert "workflow.child_cancelled" == error["code"]
    assert error["message"].startswith(f"The sub-workflow ended as cancelled: {says}"), error


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"rate": {"limit": 0}}, "rate.limit is 1 to 10,000"),
        ({"rate": {"periodSeconds": 0}}, "rate.periodSeconds is 1 to 2,592,000"),
        ({"rate": {"onExceed": "drop"}}, "$.settings.rate.onExceed"),
        ({"debounce": {"seconds": 0}}, "debounce.seconds is above 0"),
        ({"debounce": {"seconds": 9, "maxSeconds": 5}}, "debounce.maxSeconds is 0, for no bound"),
    ],
)
async def test_wrong_settings_are_said(live: Live, settings: Any, says: str) -> None:
    """What cannot be meant is refused in words that say where it is and how to mend it."""
    answer = await live.post("/workflows/validate", spec(**settings))

    assert (200, False, True) == (answer.status, answer.json["valid"], says in str(answer.json["errors"]))
