"""Budgets of executions: what runs away stops within one node, and fails or asks."""

import pytest

from linkflow.domain.budget import Budget, OnExceeded, reported
from linkflow.domain.errors import Conflict, Invalid, Kind, NotFound
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.approvals import Approval, approvals, has_approvals
from linkflow.domain.execution.budget import CODE
from linkflow.domain.execution.drivers import drivers, explain
from linkflow.domain.execution.effects import outgoing
from linkflow.domain.execution.evolve import fold
from linkflow.domain.execution.spending import KEY
from linkflow.domain.node import Completion
from linkflow.domain.values import Json
from linkflow.domain.workflow.check import check
from linkflow.testing.builders import EXECUTION, Play, catalog, failure, node, say, spec, workflow

FOR_EVER: dict[str, Json] = {"mode": "while", "while": "true", "max_items": 9_999}
TRANSIENT = failure("net.lost", Kind.TRANSIENT)


def away(graph: str = "endless", *, pause: bool = False, **limits: int) -> Play:
    """Start a workflow that never ends by itself, with a budget."""
    graphs = {
        "endless": workflow(
            "t -> l",
            "l.body -> a",
            l=node("logic.loop", **FOR_EVER),
        ),
        "pure": workflow(
            "t -> l",
            "l.body -> a",
            l=node("logic.loop", **FOR_EVER),
            a=say(1),
        ),
        "chain": workflow("t -> a -> b -> c"),
        "wide": workflow("t -> a", "t -> b -> c"),
    }
    policy = OnExceeded.PAUSE if pause else OnExceeded.FAIL
    return Play(graphs[graph], budget=Budget(limits, policy, 3_600_000))


def resolve(play: Play, action: str, data: Json = None, by: str = "ann") -> list[e.Event]:
    return play.tell(n.Resolve(KEY, action=action, data=data, by=by))


def test_a_loop_that_runs_away_stops_before_the_node_too_many() -> None:
    """The node that would exceed the budget never begins: attempts stop exactly at the limit."""
    play = away(attempts=11).run()

    assert CODE == play.error.code
    assert 10 == len(play.keys(e.ActivityTaskScheduled))  # and the loop itself
    assert {"meter": "attempts", "limit": 11, "used": 11, "period": "execution"} == play.error.details


def test_nodes_that_no_worker_runs_count_too() -> None:
    """A loop over pure nodes is stopped as exactly as one over activities."""
    play = away("pure", attempts=101)

    assert (CODE, 100) == (play.error.code, len(play.keys(e.NodeCompleted)) - 1)  # less the trigger


def test_a_retry_counts_as_a_node() -> None:
    """Attempts are counted, so a node that is tried for ever stops as well."""
    play = Play(
        workflow("t -> a", a=node(settings={"retry": {"maxAttempts": 50, "initialDelayMs": 1000}})),
        budget=Budget({"attempts": 3}),
    ).run(lambda key: Completion(error=TRANSIENT))

    assert (CODE, 3) == (play.error.code, len(play.keys(e.ActivityTaskStarted)))


def test_what_was_taken_over_costs_nothing() -> None:
    """The trigger and nodes whose output was given beforehand use no budget."""
    play = Play(workflow("t -> a -> b"), budget=Budget({"attempts": 1}), overrides={"a": {"output": 1}}).run()

    assert "completed" == play.status


@pytest.mark.parametrize("meter", ["ai_tokens", "sms_parts", "airtime_cents"])
def test_what_nodes_report_is_limited(meter: str) -> None:
    """The node after the one whose report reached the limit does not begin."""
    play = Play(workflow("t -> a -> b"), budget=Budget({meter: 100}))
    play.tell(play.report("a", Completion(output=1, meta={meter: 99.2})))

    assert (CODE, ["a"]) == (play.error.code, play.keys(e.ActivityTaskScheduled))
    assert 100 == play.error.details["used"]  # a part of a unit is a whole one


def test_failed_attempts_use_their_budget() -> None:
    """What a failed attempt reports was used all the same."""
    play = away("chain", ai_tokens=10)
    play.tell(play.report("a", Completion(error=TRANSIENT, meta={"ai_tokens": 10})))
    play.wake()

    assert (CODE, ["a"]) == (play.error.code, play.keys(e.ActivityTaskScheduled))


def test_time_on_nodes_is_limited() -> None:
    """The time between start and end of attempts is summed up."""
    play = away("chain", node_ms=5_000)
    play.at += 5.0
    play.done("a")

    assert (CODE, {"a"}) == (play.error.code, set(play.keys(e.ActivityTaskScheduled)))


def test_what_is_under_way_may_end() -> None:
    """Nodes that began before the budget was used up end in peace; then the execution fails."""
    play = away("wide", attempts=2)
    play.done("b")
    before = play.status
    play.done("a")

    assert ("running", CODE) == (before, play.error.code)
    assert ["b", "a"] == play.keys(e.ActivityTaskCompleted)


def test_no_error_handle_catches_it() -> None:
    """A budget that is used up ends the execution, whatever nodes do about errors."""
    graph = workflow("t -> a -> b", "b.error -> c", workflow={"errorHandling": {"continueOnError": True}})
    play = Play(graph, budget=Budget({"attempts": 1})).run()

    assert CODE == play.error.code


def test_a_paused_execution_waits_for_a_decision() -> None:
    """With the policy `pause` no further node begins, it is `waiting`, and explain says for what."""
    play = away(pause=True, attempts=11)
    while play.flying:
        play.done(play.flying[0])
    (driver,) = drivers(play.state)

    assert ("waiting", "budget", ("raise", "stop", "cancel")) == (play.status, driver.kind, driver.can)
    assert driver.until == play.at + 3_600
    assert "11 of 11 attempts of nodes" in explain(play.state, play.at)


def paused() -> Play:
    play = away(pause=True, attempts=11)
    while play.flying:
        play.done(play.flying[0])
    return play


def test_raising_lets_it_go_on_by_as_much_again() -> None:
    """`approved` without limits gives the budget once more; then it asks again."""
    play = paused()
    resolve(play, "approved")
    while play.flying:
        play.done(play.flying[0])

    assert ("waiting", 21) == (play.status, len(play.keys(e.ActivityTaskScheduled)))


def test_raising_to_a_limit() -> None:
    """`approved` with limits says how far it may go."""
    play = paused()
    resolve(play, "approved", {"limits": {"attempts": 13}})
    while play.flying:
        play.done(play.flying[0])

    assert 12 == len(play.keys(e.ActivityTaskScheduled))


@pytest.mark.parametrize("limits", [{"attempts": 11}, {"attempts": 5}])
def test_a_limit_that_is_used_up_already_is_refused(limits: dict[str, int]) -> None:
    """Raising to what was used already would pause again at once; the answer says how much was used."""
    play = paused()

    with pytest.raises(Conflict, match="11 attempts of nodes are used"):
        resolve(play, "approved", {"limits": limits})


def test_limits_are_whole_numbers() -> None:
    """Limits that are no numbers are refused in words."""
    with pytest.raises(Invalid, match="whole numbers"):
        resolve(paused(), "approved", {"limits": {"attempts": "many"}})


def test_stopping_fails_it() -> None:
    """`rejected` ends it with the budget's error, which names who decided."""
    play = paused()
    resolve(play, "rejected")

    assert CODE == play.error.code
    assert "ann decided to stop" in play.error.message


def test_nobody_decides() -> None:
    """At the deadline a paused execution fails."""
    play = paused()
    play.wake()

    assert CODE == play.error.code
    assert "Nobody decided in time" in play.error.message


def test_it_can_be_cancelled() -> None:
    """A paused execution ends when somebody cancels it."""
    play = paused()
    play.tell(n.Cancel("enough"))

    assert "cancelled" == play.status


def test_a_retry_waits_for_the_decision() -> None:
    """A retry that falls due while the execution is paused does not begin, and begins after."""
    play = Play(workflow("t -> a", "t -> b"), budget=Budget({"attempts": 2}, OnExceeded.PAUSE), room=2)
    play.failed("a", TRANSIENT)
    play.done("b")
    play.wake()
    play.wake(60)
    before = (play.flying, play.status)
    resolve(play, "approved")

    assert (([], "waiting"), ["a"]) == (before, play.flying)


@pytest.mark.parametrize("action", ["approved", "rejected"])
def test_without_a_question_there_is_nothing_to_decide(action: str) -> None:
    """A decision about a budget that is not asked for is refused."""
    with pytest.raises(NotFound):
        resolve(away("chain", attempts=3), action)


def exceeded(on_exceeded: str = "pause") -> Json:
    return {
        "period": "day 2026-01-31",
        "meter": "ai_tokens",
        "limit": 100,
        "used": 120,
        "on_exceeded": on_exceeded,
        "deadline_at": 4_000_000_000.0,
    }


def test_the_workspace_s_budget_pauses_what_runs() -> None:
    """Told that the workspace's budget is used up, it starts nothing further, with or without its own."""
    play = Play(workflow("t -> a -> b"))
    resolve(play, "exceeded", exceeded())
    play.done("a")

    assert ("waiting", ["a"]) == (play.status, play.keys(e.ActivityTaskScheduled))


def test_room_in_the_workspace_s_budget_lets_it_go_on() -> None:
    """When there is room again it goes on by itself, and may be stopped again."""
    play = Play(workflow("t -> a -> b"))
    resolve(play, "exceeded", exceeded())
    play.done("a")
    resolve(play, "lifted", "day 2026-01-30")  # another day's: not what it waits for
    before = play.flying
    resolve(play, "lifted", "day 2026-01-31")
    after = play.flying
    resolve(play, "exceeded", exceeded())

    assert ([], ["b"], True) == (before, after, play.state.is_paused)


def test_the_period_ends() -> None:
    """A day's budget stops nothing the day after."""
    play = Play(workflow("t -> a -> b"))
    resolve(play, "exceeded", {**exceeded(), "deadline_at": play.at + 60})
    play.done("a")
    play.wake(60)

    assert ["b"] == play.flying


def test_a_person_lets_one_execution_go_on() -> None:
    """Whoever decides that one execution goes on is not asked again in that period."""
    play = Play(workflow("t -> a -> b"))
    resolve(play, "exceeded", exceeded())
    resolve(play, "approved")
    resolve(play, "exceeded", exceeded())
    play.done("a")

    assert ["b"] == play.flying


def test_the_workspace_s_budget_may_fail_what_runs() -> None:
    """With the policy `fail` what runs fails at once, and says whose budget it was."""
    play = Play(workflow("t -> a -> b"))
    resolve(play, "exceeded", exceeded("fail"))
    play.done("a")

    assert "The workspace's budget of the day 2026-01-31" in play.error.message


@pytest.mark.parametrize("amount", [0, -5, True, "7", None, float("nan"), 10**13])
def test_what_is_no_amount_is_left_out(amount: Json) -> None:
    """A node that reports nonsense uses nothing."""
    assert {} == reported({"ai_tokens": amount})


@pytest.mark.parametrize(
    ("budget", "path"),
    [
        ({"limits": {}}, "limits"),
        ({"limits": {"tokens": 1}}, "limits.tokens"),
        ({"limits": {"attempts": 0}}, "limits.attempts"),
        ({"limits": {"attempts": 1}, "decideWithinMs": 0}, "decideWithinMs"),
    ],
)
def test_a_wrong_budget_is_named(budget: Json, path: str) -> None:
    """The check says where a workflow's budget is wrong."""
    found = check(spec("t -> a", workflow={"settings": {"budget": budget}}), catalog())

    assert [f"$.settings.budget.{path}"] == [problem.path for problem in found]


def asked(play: Play) -> Approval:
    (found,) = approvals(play.graph, play.records)
    return found


def test_a_question_about_a_budget_is_an_approval() -> None:
    """Whoever looks for approvals finds it, with a form for the new limit, until it is decided."""
    play = paused()
    opened = asked(play)
    resolve(play, "approved", {"limit": 13})
    decided = asked(play)
    while play.flying:
        play.done(play.flying[0])
    again = asked(play)
    resolve(play, "rejected")

    assert ("open", KEY, play.at + 3_600) == (opened.status, opened.key, opened.due_at)
    assert ["limit"] == list(opened.asked["form"]["properties"])
    assert ("approved", "ann", {"limit": 13}) == (decided.status, decided.decided_by, decided.answer)
    assert [("open", 2), ("rejected", 2)] == [(each.status, each.round) for each in (again, asked(play))]


@pytest.mark.parametrize(("ends", "status"), [("wake", "timed_out"), ("cancel", "cancelled")])
def test_a_question_that_nobody_answered(ends: str, status: str) -> None:
    """A question about a budget ends with its execution: at its deadline, or when it is cancelled."""
    play = paused()
    if ends == "wake":
        play.wake()
    else:
        play.tell(n.Cancel())

    assert status == asked(play).status


def test_the_workspace_s_budget_is_no_approval() -> None:
    """A budget of the workspace is raised by those who run it, not decided by each execution's approvers."""
    play = Play(workflow("t -> a -> b"), budget=Budget({"attempts": 9}, OnExceeded.PAUSE))
    resolve(play, "exceeded", exceeded())

    assert ([], True) == (list(approvals(play.graph, play.records)), has_approvals(play.state))


def told(play: Play) -> list[Json]:
    """Say what was told to be used, a message for each record that used anything."""
    found: list[Json] = []
    for number, record in enumerate(play.records):
        before = fold(EXECUTION, play.graph, play.records[:number])
        after = fold(EXECUTION, play.graph, play.records[: number + 1])
        found += [out.body for out in outgoing(before, record.events, after) if out.kind == "usage"]
    return found


def test_what_nodes_report_is_told_with_the_record() -> None:
    """B11: a record with reports leaves one message with their sums; others leave none."""
    play = Play(workflow("t -> a", "t -> b", "a -> c"))
    play.tell(
        play.report("a", Completion(output=1, meta={"ai_tokens": 5, "ms": 3})),
        play.report("b", Completion(output=1, meta={"ai_tokens": 2, "sms_parts": 1})),
    )
    play.done("c")

    assert [{"workspace_id": "workspace", "used": {"ai_tokens": 7, "sms_parts": 1}}] == told(play)


def test_what_the_engine_counts_is_told_where_it_is_wanted() -> None:
    """Attempts and time are told only in executions whose workspace has a budget of them."""
    play = Play(workflow("t -> a -> b"), metered=["attempts", "node_ms"])
    play.at += 1.5
    play.done("a")
    play.done("b")

    assert [{"attempts": 1}, {"attempts": 1, "node_ms": 1500}] == [each["used"] for each in told(play)]
    assert [] == told(Play(workflow("t -> a -> b")).run())


def test_a_sub_workflow_takes_its_parent_s_budget() -> None:
    """A child is started with the budget of its parent, for when its workflow has none."""
    play = Play(
        workflow("t -> s", s=node("flow.sub_workflow", workflow_id="other")), budget=Budget({"attempts": 9})
    )
    (record,) = play.records
    after = fold(EXECUTION, play.graph, play.records)
    (start,) = [
        out.body
        for out in outgoing(fold(EXECUTION, play.graph, []), record.events, after)
        if out.kind == "start"
    ]

    assert {"limits": {"attempts": 9}} == start["budget"]


@pytest.mark.parametrize("node_type", ["test.get", "test.post", "test.send"])
@pytest.mark.parametrize("is_ending", [False, True])
def test_the_time_until_a_death_is_noticed_is_not_counted(node_type: str, is_ending: bool) -> None:
    """An attempt whose worker died uses no time: how long it ran nobody knows."""
    play = Play(workflow("t -> a", a=node(node_type)), budget=Budget({"node_ms": 1_000, "attempts": 9}))
    if is_ending:
        play.tell(n.Cancel())
    play.at += 3_600.0
    play.tell(n.SessionsLost(["worker"]))
    spending = play.state.spending

    assert spending is not None
    assert 0 == spending.used.get("node_ms", 0)
