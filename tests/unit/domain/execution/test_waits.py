"""Waits, signals, approvals and sub-workflows (semantics, sections 6 and 7)."""

import pytest

from linkflow.domain.errors import Conflict, Kind, NodeError, NotFound, RateLimited
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.approvals import approvals
from linkflow.domain.execution.waiting import MAILBOX
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.testing.builders import EXECUTION, Play, failure, node, workflow


def test_a_delay_waits_for_its_instant() -> None:
    """A delay fires at its instant and not before."""
    play = Play(workflow("t -> nap -> a", nap=node("logic.delay", duration=2, unit="hours")))
    play.wake(7_199)
    before = play.flying
    play.wake(1)

    assert ([], ["a"]) == (before, play.flying)


def test_a_delay_may_be_skipped() -> None:
    """A person may end a delay."""
    play = Play(workflow("t -> nap -> a", nap=node("logic.delay", days=30)))
    play.tell(n.Resolve("nap", action="skip"))

    assert ["a"] == play.flying


def test_a_delay_that_cannot_be_read_fails() -> None:
    """A config that says no time is an error of the node."""
    assert "node.config" == Play(workflow("t -> nap", nap="logic.delay")).error.code


def paid(**config: Json) -> ExecutionGraph:
    return workflow("t -> w -> a", w=node("logic.wait_event", event="paid", **config))


def test_an_event_resolves_the_wait() -> None:
    """A signal of the right name ends the wait with its data."""
    play = Play(paid())
    play.signal("paid", {"amount": 5})

    assert ({"event": "paid", "key": "", "data": {"amount": 5}}, ["a"]) == (play.output("w"), play.flying)


def test_a_signal_is_delivered_once() -> None:
    """A repeated signal changes nothing."""
    play = Play(paid())
    play.signal("paid", id="s1")

    assert [] == play.signal("paid", id="s1")


def test_other_events_stay_in_the_mailbox() -> None:
    """A signal of another name or key is kept and does not end the wait."""
    play = Play(paid(key="7"))
    play.signal("other")
    play.signal("paid", match="8")

    assert (["w"], 2) == (play.waits, len(play.state.mailbox))


def test_the_key_must_match() -> None:
    """A wait with a key takes the signal with that key."""
    play = Play(paid(key="{{ trigger.order }}"), {"order": 7})
    play.signal("paid", match="7")

    assert ["a"] == play.flying


def test_an_event_before_the_wait_is_kept_for_it() -> None:
    """A signal that comes early ends the wait as soon as it opens."""
    play = Play(workflow("t -> first -> w -> a", w=node("logic.wait_event", event="paid")))
    play.signal("paid", 1)
    play.done("first")

    assert (["a"], 0) == (play.flying, len(play.state.mailbox))


def test_the_oldest_wait_gets_the_signal() -> None:
    """Of two matching waits the one that opened first is resolved, by one signal only one."""
    graph = workflow(
        "t -> first -> late",
        "t -> early",
        early=node("logic.wait_event", event="go"),
        late=node("logic.wait_event", event="go"),
    )
    play = Play(graph)
    play.done("first")
    play.signal("go")

    assert ["late"] == play.waits


def test_the_oldest_signal_is_taken_first() -> None:
    """Signals that wait in the mailbox are delivered in the order in which they came."""
    play = Play(workflow("t -> first -> w", w=node("logic.wait_event", event="paid")))
    play.signal("paid", "one")
    play.signal("paid", "two")
    play.done("first")

    assert "one" == play.output("w")["data"]


def test_the_mailbox_is_bounded() -> None:
    """A full mailbox refuses further signals in words."""
    play = Play(paid())
    play.tell(*(n.Signal(str(i), "other") for i in range(MAILBOX)))

    with pytest.raises(RateLimited):
        play.signal("other")


def test_a_wait_that_times_out_takes_its_handle() -> None:
    """At the deadline the `timeout` handle is taken when an edge leaves it."""
    graph = workflow(
        "t -> w", "w.timeout -> late", "w -> a", w=node("logic.wait_event", event="paid", timeout=60)
    )
    play = Play(graph)
    play.wake()

    assert ["late"] == play.flying


def test_a_wait_that_times_out_without_a_handle_fails() -> None:
    """Without a `timeout` edge the node fails."""
    play = Play(paid(timeout_s=60))
    play.wake()

    assert "node.timeout" == play.error.code


def test_a_token_resolves_a_wait() -> None:
    """Who holds the token of a wait may resolve it; tokens are long and differ."""
    graph = workflow(
        "t -> w", "t -> v", w=node("logic.wait_event", event="x"), v=node("logic.wait_event", event="y")
    )
    play = Play(graph)
    tokens = [play.state.waits[key].token for key in ("w", "v")]
    play.tell(n.Resolve(token=tokens[0], data=1))

    assert (["v"], True, [39, 39]) == (play.waits, tokens[0] != tokens[1], [len(token) for token in tokens])


def test_an_empty_token_resolves_nothing() -> None:
    """Neither key nor token is no match for waits without a token."""
    play = Play(workflow("t -> nap", nap=node("logic.delay", days=1)))

    with pytest.raises(NotFound):
        play.tell(n.Resolve(action="done"))


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_an_approval_takes_the_handle_of_the_decision(decision: str) -> None:
    """A person's decision takes `approved` or `rejected`, with what they said."""
    graph = workflow(
        "t -> ok", "ok.approved -> approved", "ok.rejected -> rejected", ok=node("logic.approval", title="?")
    )
    play = Play(graph)
    play.tell(n.Resolve("ok", action=decision, data={"note": "fine"}, by="ann"))

    assert ([decision], "ann", {"note": "fine"}) == (
        play.flying,
        play.output("ok")["decided_by"],
        play.output("ok")["decision_payload"],
    )


def test_an_answer_that_does_not_fit_is_refused() -> None:
    """A decision that the wait does not know is refused, and nothing changes."""
    play = Play(workflow("t -> ok", ok=node("logic.approval", title="?")))

    with pytest.raises(Conflict):
        play.tell(n.Resolve("ok", action="done"))


def test_what_was_decided_cannot_be_decided_again() -> None:
    """A second decision finds nothing open."""
    play = Play(workflow("t -> ok", "t -> a", ok=node("logic.approval", title="?")))
    play.tell(n.Resolve("ok", action="approved"))

    with pytest.raises(NotFound):
        play.tell(n.Resolve("ok", action="approved"))


def asked(**config: Json) -> Play:
    """Play to an approval with every handle taken, due in 60 seconds."""
    ways = ("ok.approved -> yes", "ok.rejected -> no", "ok.timeout -> late")
    return Play(workflow("t -> ok", *ways, ok=node("logic.approval", title="?", timeout_s=60, **config)))


@pytest.mark.parametrize(
    ("on_timeout", "flying"), [("", "late"), ("approve", "yes"), ("reject", "no"), ("escalate", "late")]
)
def test_a_deadline_does_what_its_approval_says(on_timeout: str, flying: str) -> None:
    """The deadline approves, rejects or takes `timeout`; an escalation to nobody is as nothing said."""
    play = asked(on_timeout=on_timeout)
    play.wake(59)
    before = play.flying
    play.wake(1)

    assert ([], [flying]) == (before, play.flying)


def test_a_deadline_fails_where_its_approval_says_so() -> None:
    """With `fail` the node fails although its `timeout` handle leads somewhere."""
    play = asked(on_timeout="fail")
    play.wake(60)

    assert ("failed", "node.timeout") == (play.status, play.error.code)


def test_an_escalation_asks_others_for_as_long_again() -> None:
    """Who is asked changes at the deadline, the key and the token do not; then `timeout` is taken."""
    play = asked(on_timeout="escalate", deciders=["ann"], escalate_to=["boss"])
    token = play.state.waits["ok"].token
    play.wake(60)
    wait = play.state.waits["ok"]
    found = approvals(play.graph, play.records)[0]
    play.wake(60)

    assert (token, ["boss"], ["ann"]) == (wait.token, wait.data["deciders"], wait.data["escalated_from"])
    assert ("open", 2, 60.0) == (found.status, found.round, found.due_at - found.opened_at - 60.0)
    assert ["late"] == play.flying


def test_approvals_are_listed_as_they_stand() -> None:
    """The fold says what is asked, and once it is decided by whom, how and why."""
    play = asked(deciders=["ann"])
    before = approvals(play.graph, play.records)[0]
    play.tell(n.Resolve("ok", action="rejected", data={"n": 1}, by="ann", comment="too much"))
    after = approvals(play.graph, play.records)[0]

    assert ("open", {"title": "?", "deciders": ["ann"]}) == (before.status, before.asked)
    assert ("rejected", "ann", "too much", {"n": 1}) == (
        after.status, after.decided_by, after.comment, after.answer,
    )  # fmt: skip


@pytest.mark.parametrize(("news", "status"), [(n.Terminate("enough"), "cancelled"), (None, "timed_out")])
def test_approvals_that_nobody_decided_say_so(news: n.News | None, status: str) -> None:
    """The end of an execution cancels what it asked; a deadline times out."""
    play = asked()
    if news is None:
        play.wake(60)
    else:
        play.tell(news)

    assert status == approvals(play.graph, play.records)[0].status


# ---------------------------------------------------------------- sub-workflows


def parent(**config: Json) -> Play:
    graph = workflow("t -> c -> a", c=node("flow.sub_workflow", workflow_id="w", **config))
    return Play(graph, {"n": 1})


def child_id(play: Play) -> str:
    return play.state.children["c"][0]


def test_a_parent_waits_for_its_child() -> None:
    """A sub-workflow gets the input, and its result is the node's output."""
    play = parent()
    started = next(event for event in play.events if isinstance(event, e.ChildStarted))
    play.tell(n.ChildEnded("c", child_id(play), "completed", {"ok": True}))

    assert ({"n": 1}, {"ok": True}, ["a"]) == (started.input, play.output("c"), play.flying)


def test_a_childs_id_derives_from_parent_and_key() -> None:
    """A retry meets the same child: ids derive from the parent and the node's key."""
    assert (child_id(parent()), True) == (child_id(parent()), child_id(parent()) != EXECUTION)


def test_a_childs_failure_is_the_nodes_failure() -> None:
    """A failed child fails the node with the child's error inside."""
    play = parent()
    play.tell(n.ChildEnded("c", child_id(play), "failed", error=failure("http.status")))

    assert ("workflow.child_failed", "http.status") == (play.error.code, play.error.details["error"]["code"])


def test_a_parent_is_told_why_its_child_was_cancelled() -> None:
    """What ended a child before it was done stands in the node's own message."""
    play = parent()
    why = NodeError("workflow.cancelled", Kind.PERMANENT, "Another start followed.")
    play.tell(n.ChildEnded("c", child_id(play), "cancelled", error=why))

    assert "The sub-workflow ended as cancelled: Another start followed." == play.error.message


def test_a_childs_end_counts_once() -> None:
    """The end of a child that was noted already, or of another child, changes nothing."""
    play = parent()
    child = child_id(play)
    play.tell(n.ChildEnded("c", child, "completed"))

    assert ([], []) == (
        play.tell(n.ChildEnded("c", child, "completed")),
        play.tell(n.ChildEnded("c", "another", "failed")),
    )


def test_a_parent_need_not_wait() -> None:
    """Fire and forget goes on at once with the child's id."""
    play = parent(mode="fire_and_forget")

    assert (child_id(play), ["a"]) == (play.output("c")["execution_id"], play.flying)


def test_a_parent_may_await_what_it_forgot() -> None:
    """With `parent_close: wait` the parent completes only after the child."""
    play = parent(mode="fire_and_forget", parent_close="wait")
    play.done("a", 1)
    before = play.status
    play.tell(n.ChildEnded("c", child_id(play), "failed"))

    assert ("waiting", "completed") == (before, play.status)


def test_a_child_may_take_too_long() -> None:
    """A wait for a child has a deadline, after which the node fails."""
    play = parent(timeout_s=60)
    play.wake()

    assert "workflow.child_timed_out" == play.error.code


def test_nesting_is_bounded() -> None:
    """A sub-workflow sixteen levels deep starts no further one."""
    graph = workflow("t -> c", c=node("flow.sub_workflow", workflow_id="w"))

    assert "workflow.too_deep" == Play(graph, depth=16).error.code


def test_input_may_be_withheld() -> None:
    """With `pass_input` off a child without input of its own gets none."""
    started = next(event for event in parent(pass_input=False).events if isinstance(event, e.ChildStarted))

    assert started.input is None


def test_conditions_after_fire_and_forget_hold() -> None:
    """An edge that leaves a sub-workflow nobody waits for obeys its condition."""
    graph = workflow(
        "t -> c",
        "c -> a if output.status == 'no'",
        "c -> b if output.status == 'started'",
        c=node("flow.sub_workflow", workflow_id="w", mode="fire_and_forget"),
    )

    assert ["b"] == Play(graph).flying
