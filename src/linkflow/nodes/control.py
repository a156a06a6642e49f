"""What the decider interprets itself: loops, joins, waits. Only their types are described here."""

from linkflow.domain.node import NodeClass, NodeSpec
from linkflow.nodes.declared import Declared
from linkflow.nodes.schema import anything, either, flag, many, mapping, record, spelled, text, whole

_TEXT_OR_NUMBER = ({"type": "string"}, {"type": "number"})

LOOP = Declared(
    NodeSpec(
        type="logic.loop",
        title="Loop",
        summary="Run the nodes on `body` for each item, a number of times, or while an expression holds.",
        node_class=NodeClass.CONTROL,
        outputs=("done", "body"),
        aliases=(
            "logic_loop",
            "loop",
            "LOOP",
            "logic.splitBatches",
            "logic.forEach",
            "logic.for_each",
            "n8n-nodes-base.splitInBatches",
        ),
        parameters=record(
            {
                "mode": text(
                    "What decides how often.",
                    default="forEach",
                    choices=("forEach", "for_each", "foreach", "times", "while"),
                ),
                **spelled(
                    anything("The list to go through; an expression. Without it, the input."), "items", "list"
                ),
                **spelled(text("Instead of `items`: a path into the input."), "items_field", "itemsField"),
                **spelled(
                    either("How often, for `times`.", *_TEXT_OR_NUMBER), "times", "count", "iterations"
                ),
                "while": text("Expression, asked before each iteration, for `while`."),
                **spelled(
                    whole("Items of one iteration; above 1, `loop.item` is a list.", default=1, least=1),
                    "batch_size",
                    "batchSize",
                ),
                **spelled(
                    whole("Iterations at once.", default=1, least=1, most=1000), "parallelism", "concurrency"
                ),
                **spelled(
                    whole("More iterations than this are an error.", default=10_000, least=1, most=100_000),
                    "max_items",
                    "maxItems",
                    "max_iterations",
                    "maxIterations",
                ),
                "collect": text("Expression for one iteration's result; without it, the body's last output."),
                **spelled(
                    text(
                        "What a failed iteration does: end the loop, be left out, or be collected as error.",
                        default="fail",
                        choices=("fail", "skip", "collect"),
                    ),
                    "on_item_error",
                    "onItemError",
                ),
                **spelled(text("A further name for `loop.item`.", default="item"), "item_alias", "itemAlias"),
                **spelled(
                    text("A further name for `loop.index`.", default="index"), "index_alias", "indexAlias"
                ),
            }
        ),
        raw=("while", "collect"),
        output={"results": [2, 4], "count": 2, "errors": []},
        example={"items": "{{trigger.orders}}", "parallelism": 5, "collect": "node_price.output.total"},
        docs="The nodes reachable from `body` before it ends or returns to the loop are its body. "
        "They see `loop.item` and `loop.index`. Results come in order at `done`.",
    )
)

MERGE = Declared(
    NodeSpec(
        type="logic.merge",
        title="Merge",
        summary="Join branches: wait for all, any or some of them, and put their outputs together.",
        node_class=NodeClass.CONTROL,
        aliases=("logic_merge", "merge", "MERGE", "logic.mergeData", "logic.join", "n8n-nodes-base.merge"),
        parameters=record(
            {
                "mode": text(
                    "How outputs are put together: a list, an object, every pair, a chosen one, or by node.",
                    default="wait",
                    choices=(
                        "append",
                        "combine",
                        "multiplex",
                        "choose",
                        "chooseBranch",
                        "wait",
                        "mergeByPosition",
                        "merge_by_position",
                        "passThrough",
                    ),
                ),
                "strategy": text(
                    "When it runs: after all branches that can still come, the first, or n of them.",
                    default="all",
                    choices=("all", "any", "first", "n_of", "last", "merge"),
                ),
                "n": whole("Branches that are enough, for `n_of`.", least=1),
                **spelled(
                    flag("Cancel what only the other branches need.", default=False),
                    "cancel_rest",
                    "cancelRest",
                ),
                **spelled(
                    text("Node whose output is taken, for `choose`."), "choose", "branch", "chooseBranch"
                ),
            }
        ),
        output={"node_a": {"x": 1}, "node_b": {"y": 2}},
        example={"mode": "combine", "strategy": "all"},
    )
)

DELAY = Declared(
    NodeSpec(
        type="logic.delay",
        title="Delay",
        summary="Wait for a time, from milliseconds to months; a restart changes nothing.",
        node_class=NodeClass.CONTROL,
        waits=True,
        aliases=("logic_delay", "delay", "DELAY", "logic.wait", "wait", "n8n-nodes-base.wait"),
        parameters=record(
            {
                **spelled(either("How long, in `unit`.", *_TEXT_OR_NUMBER), "duration", "amount"),
                "unit": text("ms, s, m, h, d, w, or the words.", default="s"),
                **{
                    name: either(f"How long, in {name}; several add up.", *_TEXT_OR_NUMBER)
                    for name in ("milliseconds", "seconds", "minutes", "hours", "days", "weeks")
                },
                "until": either("Instead: an instant, ISO 8601 or seconds since 1970.", *_TEXT_OR_NUMBER),
                "timezone": text("Of an `until` without an offset.", default="UTC"),
            }
        ),
        output={"resumed_at": 1896080400.2},
        example={"duration": 3, "unit": "days"},
    )
)

WAIT_EVENT = Declared(
    NodeSpec(
        type="logic.wait_event",
        title="Wait for event",
        summary="Wait until an event of a name and key arrives, or the deadline passes.",
        node_class=NodeClass.CONTROL,
        outputs=("out", "timeout"),
        waits=True,
        aliases=(
            "logic.waitEvent",
            "wait_event",
            "Wait for Event",
            "logic.wait_for_event",
            "logic.wait_signal",
        ),
        parameters=record(
            {
                **spelled(text("Name of the event or signal."), "event", "signal", "name"),
                **spelled(anything("Only events with this key; without it, any."), "key", "correlation_key"),
                **spelled(either("Seconds to wait at most.", *_TEXT_OR_NUMBER), "timeout_s", "timeout"),
            }
        ),
        output={"event": "order.paid", "key": "7", "data": {"amount": 10}},
        example={"event": "order.paid", "key": "{{trigger.order_id}}", "timeout_s": 86400},
        docs="The deadline is 7 days unless set; at the deadline `timeout` is taken, or the node fails with "
        "`node.timeout` when no edge leaves it. An event that comes before the wait is kept for it.",
    )
)

APPROVAL = Declared(
    NodeSpec(
        type="logic.approval",
        title="Approval",
        summary="Wait for a person to approve or reject.",
        node_class=NodeClass.CONTROL,
        outputs=("approved", "rejected", "timeout"),
        waits=True,
        aliases=("action_approval", "approval", "logic_approval", "action.approval", "human.approval"),
        parameters=record(
            {
                "title": text("What is asked, in one line."),
                "description": text("What the person should know."),
                "payload": anything("Data that is shown with it."),
                **spelled(
                    many(
                        "Those who may decide: e-mail addresses, ids of members, role:admin. "
                        "Empty means every member who may.",
                        {"type": "string"},
                    ),
                    "deciders",
                    "approvers",
                ),
                "form": mapping("JSON Schema of what the person fills in to approve."),
                **spelled(either("Seconds to wait at most.", *_TEXT_OR_NUMBER), "timeout_s", "timeout"),
                "on_timeout": text(
                    "What the deadline does; empty takes the `timeout` handle, or fails without one.",
                    choices=("", "approve", "reject", "fail", "escalate"),
                ),
                "escalate_to": many(
                    "Who is asked then, for as long again, where `on_timeout` is escalate.",
                    {"type": "string"},
                ),
                "remind_every_s": either(
                    "Seconds between reminders to the deciders; none without it.", *_TEXT_OR_NUMBER
                ),
            }
        ),
        output={
            "approval_id": "…",
            "decision": "approved",
            "decision_payload": {"note": "fine"},
            "decided_by": "…",
            "comment": "…",
        },
        example={
            "title": "Refund {{trigger.amount}}?",
            "payload": "{{trigger}}",
            "deciders": ["ann@example.com", "role:admin"],
            "form": {"type": "object", "properties": {"note": {"type": "string"}}, "required": ["note"]},
            "timeout_s": 86400,
        },
        docs="The deadline is 24 hours unless set. Those who are named get a letter with a link that lets "
        "them decide without signing in. The form's answer is `decision_payload`; who decided by the "
        "deadline is `deadline`. An escalation asks `escalate_to` for as long again, and then the "
        "deadline is as if `on_timeout` were empty.",
    )
)

CONTROL = (LOOP, MERGE, DELAY, WAIT_EVENT, APPROVAL)
