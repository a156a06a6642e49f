"""Record histories for ever: `python tests/golden/record.py` writes what is new beside this file.

A recorded history is never recorded again: a decider that reads it differently breaks executions that
are open in the world. Add a scenario under a new name instead.
"""

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from linkflow.domain.budget import Budget, OnExceeded
from linkflow.domain.errors import Kind
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.node import NOT_DONE, Completion
from linkflow.domain.pacing import DebouncePolicy, RatePolicy
from linkflow.domain.values import Json
from linkflow.domain.workflow.spec import to_json
from linkflow.testing.builders import Play, failure, node, say, workflow
from linkflow.testing.fakes import NOW
from linkflow.testing.lives import RandomLife, all_vertices, compiled, random_workflow

HERE = Path(__file__).parent
TRANSIENT = failure("net.lost", Kind.TRANSIENT)


def straight() -> Play:
    return Play(workflow("t -> a -> b -> c", b=say("{{ input.key + trigger.x }}")), {"x": "!"}).run()


def join() -> Play:
    graph = workflow(
        "t -> c",
        "c.true -> a -> j",
        "c.false -> b -> j",
        c=node("logic.condition", expression="{{ trigger.x > 1 }}"),
    )
    return Play(graph, {"x": 2}).run()


def switch() -> Play:
    cases = [{"value": "gold", "output": "gold"}, {"value": "tin", "output": "tin"}]
    graph = workflow(
        "t -> s", "s.gold -> a", "s.tin -> b", s=node("logic.switch", value="{{ trigger.tier }}", cases=cases)
    )
    return Play(graph, {"tier": "tin"}).run()


def race() -> Play:
    graph = workflow(
        "t -> a -> m",
        "t -> nap -> m",
        "m -> z",
        m=node("logic.merge", strategy="any", cancel_rest=True),
        nap=node("logic.delay", seconds=60),
    )
    return Play(graph).run()


def loops() -> Play:
    graph = workflow(
        "t -> o",
        "o.body -> i",
        "i.body -> cell -> i",
        "i.done -> o",
        "o.done -> d",
        o=node("logic.loop", items="{{ trigger }}", parallelism=2),
        d=say("{{ input.results }}"),
        i=node("logic.loop", items="{{ loop.item }}", collect="output.key + '/' + loop.index"),
    )
    return Play(graph, [[1, 2], [3], []]).run()


def loop_errors(policy: str) -> Play:
    graph = workflow(
        "t -> l",
        "l.body -> b",
        "l.error -> mend",
        l=node("logic.loop", items=[1, 2, 3], parallelism=2, on_item_error=policy),
    )
    return Play(graph).run(
        lambda key: Completion(error=failure()) if key == "b#2" else Completion(output=key)
    )


def visits() -> Play:
    graph = workflow(
        "t -> menu -> say",
        "say -> menu if output.again",
        "say -> bye if !output.again",
        menu=node("logic.wait_event", event="key"),
    )
    play = Play(graph)
    for number in range(4):
        play.signal("key", number, id=f"s{number}")
        play.done(play.flying[0], {"again": number < 3})
    return play.run()


def retries() -> Play:
    play = Play(workflow("t -> a -> b"))
    for _ in range(2):
        play.failed("a", TRANSIENT)
        play.wake()
    return play.run()


def exhausted() -> Play:
    return Play(workflow("t -> a", "a.error -> mend", "t -> b")).run(
        lambda key: Completion(error=TRANSIENT) if key == "a" else Completion(output=1)
    )


def lost_workers() -> Play:
    play = Play(workflow("t -> a", "t -> s", a="test.pay", s="test.send"))
    play.tell(n.SessionsLost(["worker"]))
    play.tell(n.Resolve("s", action="done", data={"id": 1}, by="ann"))
    return play.run()


def unknown_fails() -> Play:
    play = Play(workflow("t -> a", "t -> p", a="test.post"))
    play.failed("a", TRANSIENT, unknown=True)
    return play.run()


def looked_up() -> Play:
    play = Play(workflow("t -> a -> b", a="test.ask", b="test.ask"))
    play.failed("a", TRANSIENT, unknown=True)
    play.wake()
    play.failed("a", TRANSIENT)
    play.wake()
    play.tell(play.report("a", NOT_DONE))
    play.wake()
    play.done("a", {"id": 1})
    play.tell(n.SessionsLost(["worker"]))
    play.wake()
    play.done("b", {"id": 2})
    return play.run()


def look_ups_end() -> Play:
    play = Play(workflow("t -> a", a="test.ask"))
    play.failed("a", TRANSIENT, unknown=True)
    while play.state.retries:
        play.wake()
        play.failed("a", TRANSIENT)
    play.tell(n.Resolve("a", action="done", data={"id": 1}, by="ann"))
    return play.run()


def backstop() -> Play:
    play = Play(workflow("t -> a"))
    play.wake(1_000)
    return play.run()


def waits() -> Play:
    graph = workflow(
        "t -> w -> ok",
        "w.timeout -> late",
        "ok.approved -> a",
        "ok.rejected -> b",
        w=node("logic.wait_event", event="paid", key="{{ trigger.order }}", timeout_s=60),
        ok=node("logic.approval", title="?"),
    )
    play = Play(graph, {"order": 7})
    play.signal("paid", match="8", id="other")
    play.signal("paid", {"sum": 3}, match="7", id="mine")
    play.tell(n.Resolve("ok", action="rejected", by="ann"))
    return play.run()


def wait_times_out() -> Play:
    graph = workflow(
        "t -> w", "w.timeout -> late", "w -> a", w=node("logic.wait_event", event="paid", timeout_s=60)
    )
    return Play(graph).run()


def delay() -> Play:
    return Play(workflow("t -> nap -> a", nap=node("logic.delay", days=2, hours=3))).run()


def child(status: str) -> Play:
    play = Play(
        workflow("t -> c -> a", c=node("flow.sub_workflow", workflow_id="w", input={"x": "{{ trigger.x }}"})),
        {"x": 1},
    )
    error = failure() if status == "failed" else None
    play.tell(n.ChildEnded("c", play.state.children["c"][0], status, {"y": 2}, error))
    return play.run() if not play.state.is_closed else play


def forgotten_child() -> Play:
    graph = workflow(
        "t -> c -> a",
        c=node("flow.sub_workflow", workflow_id="w", mode="fire_and_forget", parent_close="wait"),
    )
    play = Play(graph)
    play.done("a")
    play.tell(n.ChildEnded("c", play.state.children["c"][0], "completed"))
    return play


def cancelled() -> Play:
    play = Play(
        workflow(
            "t -> a",
            "t -> nap",
            "t -> w",
            nap=node("logic.delay", days=1),
            w=node("logic.wait_event", event="x"),
        )
    )
    play.tell(n.Cancel("enough", "ann"))
    play.wake()
    return play


def terminated() -> Play:
    play = Play(workflow("t -> a"))
    play.tell(n.Terminate("now", "ann"))
    return play


def timed_out() -> Play:
    play = Play(workflow("t -> a"), deadline_at=1_900_000_060.0)
    play.wake()
    return play


def failing() -> Play:
    play = Play(workflow("t -> a", "t -> b -> c"))
    play.failed("a")
    play.done("b", 1)
    return play


def ticket() -> Play:
    play = Play(workflow("t -> a"), ticket="k", ticket_limit=1)
    play.tell(n.Granted("k"))
    return play.run()


def refused() -> Play:
    play = Play(workflow("t -> a"), ticket="k", ticket_limit=1, on_conflict="skip")
    play.tell(n.Refused("k", "another one runs"))
    return play


def paced() -> Play:
    play = Play(
        workflow("t -> a"), debounce=DebouncePolicy("d", 5.0, 9.0), rate=RatePolicy("r", 2, 60.0), ticket="k",
        ticket_limit=1,
    )  # fmt: skip
    play.tell(n.Promised("d", NOW + 3))
    play.wake()
    play.tell(n.Promised("r", NOW + 30))
    play.wake()
    play.tell(n.Granted("k"))
    return play.run()


def debounced() -> Play:
    play = Play(workflow("t -> a"), debounce=DebouncePolicy("d", 5.0))
    play.tell(n.Refused("d", "another start followed"))
    return play


def quarantined() -> Play:
    play = Play(workflow("t -> a -> b"))
    play.tell(n.Quarantine("bug"))
    play.done("a", 1)
    play.tell(n.Release("ann"))
    return play.run()


def pinned() -> Play:
    pins: Json = {"a": {"output": 1}, "c": {"output": {}, "handles": ["false"]}}
    return Play(
        workflow("t -> a -> c", "c.true -> x", "c.false -> y", c="logic.condition"),
        overrides=pins,
        mode="test",
    ).run()


def long_chain() -> Play:
    return Play(
        workflow(" -> ".join(["t", *(f"n{i}" for i in range(120))]), **{f"n{i}": say(i) for i in range(120)})
    )


def chance() -> Play:
    return Play(workflow("t -> a", a=say("{{ [random(), uuid(), now()] }}")), seed=99)


def responder() -> Play:
    return Play(workflow("t -> r -> a", r=node("flow.output", value={"ok": "{{ trigger }}"})), 5).run()


def triggers() -> Play:
    return Play(
        workflow("t -> a -> j", "hook -> b -> j", hook="trigger.webhook"), {"n": 1}, trigger="hook"
    ).run()


def budget_fails() -> Play:
    graph = workflow("t -> l", "l.body -> b", l=node("logic.loop", items=[1, 2, 3, 4, 5, 6], parallelism=2))
    return Play(graph, budget=Budget({"ai_tokens": 25})).run(
        lambda key: Completion(output=key, meta={"ai_tokens": 10})
    )


def budget_raised() -> Play:
    play = Play(
        workflow("t -> a -> b -> c"), budget=Budget({"attempts": 1}, OnExceeded.PAUSE), metered=["attempts"]
    )
    play.done("a")
    play.tell(n.Resolve("$budget", action="approved", by="ann"))
    play.done("b")
    play.tell(n.Resolve("$budget", action="approved", data={"limits": {"attempts": 9}}, by="ann"))
    return play.run()


def budget_of_the_workspace() -> Play:
    used_up = {"meter": "sms_parts", "limit": 9, "used": 12, "deadline_at": NOW + 60}
    play = Play(workflow("t -> a -> b -> c"))
    play.tell(n.Resolve("$budget", action="exceeded", data={"period": "day 2026-01-31", **used_up}))
    play.done("a")
    play.wake()
    play.done("b")
    failing = {"period": "month 2026-01", "on_exceeded": "fail", **used_up}
    play.tell(n.Resolve("$budget", action="exceeded", data=failing))
    return play.run()


def lively(seed: int) -> Play:
    rng = random.Random(seed)
    block = random_workflow(rng)
    return RandomLife(compiled(block), all_vertices(block), rng).live()


NAMED = (
    straight, join, switch, race, loops, visits, retries, exhausted, lost_workers, unknown_fails, backstop,
    waits, wait_times_out, delay, forgotten_child, cancelled, terminated, timed_out, failing, ticket, refused,
    looked_up, look_ups_end, paced, debounced, quarantined, pinned, long_chain, chance, responder, triggers,
    budget_fails, budget_raised, budget_of_the_workspace,
)  # fmt: skip

SCENARIOS: dict[str, Callable[[], Play]] = {
    **{made.__name__: made for made in NAMED},
    **{f"loop_errors_{policy}": partial(loop_errors, policy) for policy in ("fail", "skip", "collect")},
    **{f"child_{status}": partial(child, status) for status in ("completed", "failed", "cancelled")},
    **{f"random_{seed:03}": partial(lively, seed) for seed in range(120)},
}


def told(play: Play) -> Json:
    """Say a life as JSON: the spec, and for each record what was told when and what followed."""
    return {
        "spec": to_json(play.graph.spec),
        "records": [
            {
                "at": record.at,
                "room": len(record.sessions),
                "news": [msgspec.to_builtins(item) for item in record.news],
                "events": json.loads(e.encode(record.events)),
            }
            for record in play.records
        ],
        "status": play.status,
    }


def main() -> None:
    """Write every scenario that was not recorded before."""
    for name, make in SCENARIOS.items():
        path = HERE / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(told(make()), ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
