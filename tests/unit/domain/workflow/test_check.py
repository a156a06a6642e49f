"""Everything wrong with a spec is found at once, and nothing that is right is complained about."""

from typing import Any

import msgspec
import pytest

from linkflow.domain.errors import SpecInvalid
from linkflow.domain.workflow.check import check, check_json, require_valid
from linkflow.domain.workflow.spec import Problem, Severity, parse
from linkflow.nodes.registry import NodeRegistry

CATALOG = NodeRegistry()

Raw = dict[str, Any]


def node(node_id: str, node_type: str = "logic.noop", **config: Any) -> Raw:
    return {"id": node_id, "type": node_type, "config": config}


def edge(source: str, target: str, handle: str = "", condition: str = "", **more: Any) -> Raw:
    made = {"id": f"{source}-{handle}-{target}", "source": source, "target": target, **more}
    return (
        made | ({"sourceHandle": handle} if handle else {}) | ({"condition": condition} if condition else {})
    )


def spec(nodes: list[Raw], edges: list[Raw], **more: Any) -> Raw:
    return {"trigger": node("start", "trigger.manual"), "nodes": nodes, "edges": edges, **more}


def found(raw: Any) -> list[Problem]:
    return check_json(raw, CATALOG)[1]


GET = node("get", "http.request", url="https://example.com/{{trigger.id}}", method="GET")
SOUND = spec(
    [
        GET,
        node("ok", "logic.condition", expression="get.status == 200"),
        node("each", "logic.loop", items="{{get.body.items}}", collect="one.n"),
        node("one", "data.set", values={"n": "{{loop.item.id}}", "s": "{{node_get.output.status}}"}),
        node("end", "flow.output", value="{{each}} {{$node['get'].json}}"),
        node("bad", "logic.throw_error", message="{{get.status}}"),
    ],
    [
        edge("start", "get"),
        edge("get", "ok"),
        edge("ok", "each", "true"),
        edge("each", "one", "body"),
        edge("one", "each"),
        edge("each", "end", "done"),
        edge("ok", "bad", condition="false"),
        edge("get", "bad", condition="get.status > 500 && trigger.strict"),
    ],
)


def test_a_sound_workflow_has_no_problems() -> None:
    """Loops, conditions, references and expressions that are right are not complained about (D13)."""
    assert [] == found(SOUND)


START = edge("start", "a")
CASES: list[tuple[str, Any, list[tuple[str, str]]]] = [
    ("not an object", [], [("SCHEMA_VALIDATION_ERROR", "$")]),
    ("no trigger", {"nodes": [node("a")]}, [("NO_TRIGGER_NODE", "$.trigger")]),
    (
        "nothing is where it should be",
        {"trigger": {}, "nodes": [{"id": "a"}, {"type": "x"}, 5], "edges": [{}]},
        [
            ("MISSING_NODE_ID", "$.trigger.id"),
            ("MISSING_NODE_TYPE", "$.trigger.type"),
            ("MISSING_NODE_TYPE", "$.nodes[0].type"),
            ("MISSING_NODE_ID", "$.nodes[1].id"),
            ("SCHEMA_VALIDATION_ERROR", "$.nodes[2]"),
            ("MISSING_SOURCE_NODE", "$.edges[0].source"),
            ("MISSING_TARGET_NODE", "$.edges[0].target"),
            ("MISSING_CONNECTION_ID", "$.edges[0]"),
        ],
    ),
    (
        "a wrong type deep inside",
        spec([node("a") | {"timeout": "soon"}], [START]),
        [("SCHEMA_VALIDATION_ERROR", "$.nodes[0].timeout")],
    ),
    ("an empty workflow", spec([], []), [("EMPTY_WORKFLOW", "$.nodes")]),
    (
        "unknown fields",
        spec([node("a") | {"colour": "red"}], [START], extra=1),
        [("UNKNOWN_FIELD", "$.extra"), ("UNKNOWN_FIELD", "$.nodes[0].colour")],
    ),
    (
        "a missing edge id",
        spec([node("a")], [{"source": "start", "target": "a"}]),
        [("MISSING_CONNECTION_ID", "$.edges[0]")],
    ),
    (
        "an unknown type",
        spec([node("a", "http.requst")], [START]),
        [("UNKNOWN_NODE_TYPE", "$.nodes[0].type")],
    ),
    (
        "a config that lacks something",
        spec([node("a", "http.request")], [START]),
        [("NODE_CONFIG_VALIDATION_ERROR", "$.nodes[0].config")],
    ),
    (
        "a mistyped parameter",
        spec([node("a", "http.request", url="https://example.com", timout=5)], [START]),
        [("UNKNOWN_FIELD", "$.nodes[0].config.timout")],
    ),
    (
        "a wrong cron",
        spec([node("a")], [START]) | {"trigger": node("start", "trigger.schedule", cron="61 * * * *")},
        [("NODE_CONFIG_VALIDATION_ERROR", "$.trigger.config.cron")],
    ),
    (
        "one id twice",
        spec([node("a"), node("a", "logic.delay", seconds=1)], [START]),
        [("DUPLICATE_NODE_ID", "$.nodes[1].id")],
    ),
    (
        "an id that cannot be used",
        spec([node("a b")], [edge("start", "a b")]),
        [("INVALID_NODE_ID", "$.nodes[0].id")],
    ),
    (
        "an id that means something",
        spec([node("input")], [edge("start", "input")]),
        [("INVALID_NODE_ID", "$.nodes[0].id")],
    ),
    (
        "edges to nowhere",
        spec([node("a")], [START, edge("x", "a"), edge("a", "y")]),
        [("INVALID_EDGE_SOURCE", "$.edges[1].source"), ("INVALID_EDGE_TARGET", "$.edges[2].target")],
    ),
    ("an edge to itself", spec([node("a")], [START, edge("a", "a")]), [("SELF_LOOP", "$.edges[1]")]),
    (
        "an edge twice",
        spec([node("a")], [START, START | {"id": "other"}]),
        [("DUPLICATE_CONNECTION", "$.edges[1]")],
    ),
    (
        "an edge id twice",
        spec([node("a"), node("b")], [START, edge("a", "b") | {"id": START["id"]}]),
        [("DUPLICATE_CONNECTION_ID", "$.edges[1]")],
    ),
    (
        "an edge into the trigger",
        spec([node("a", "logic.delay", seconds=1)], [START, edge("a", "start")]),
        [("TRIGGER_HAS_INCOMING_EDGES", "$.edges[1]")],
    ),
    (
        "an unknown handle",
        spec([node("a"), node("b")], [START, edge("a", "b", "maybe")]),
        [("UNKNOWN_HANDLE", "$.edges[1]")],
    ),
    (
        "a cycle",
        spec([node("a"), node("b")], [START, edge("a", "b"), edge("b", "a")]),
        [("CYCLE_DETECTED", "$.edges[2]")],
    ),
    (
        "a body that leaks",
        spec(
            [node("l", "logic.loop", times=2, mode="times"), node("b"), node("c")],
            [edge("start", "l"), edge("l", "b", "body"), edge("b", "l"), edge("start", "c"), edge("c", "b")],
        ),
        [("LOOP_BODY_LEAK", "$.edges[4]")],
    ),
    (
        "nodes that never run",
        spec([node("a"), node("b"), node("c"), node("d")], [START, edge("c", "d")]),
        [
            ("ORPHAN_NODE", "$.nodes[1]"),
            ("UNREACHABLE_NODE", "$.nodes[2]"),
            ("UNREACHABLE_NODE", "$.nodes[3]"),
        ],
    ),
    (
        "a choice that leads nowhere",
        spec([node("a", "logic.condition", expression="1 > 0")], [START]),
        [("DEAD_END_NODE", "$.nodes[0]")],
    ),
    (
        "two triggers",
        spec([node("a"), node("hook", "trigger.webhook")], [START, edge("hook", "a")]),
        [("MULTIPLE_TRIGGER_NODES", "$.nodes[1]")],
    ),
    (
        "a trigger that is none",
        spec([node("a")], [START]) | {"trigger": node("start", "logic.noop")},
        [("NO_TRIGGER_NODE", "$.trigger.type")],
    ),
    (
        "broken expressions",
        spec(
            [node("a", "data.set", values={"x": ["{{ 1 + }}"], "a b": "{{ nope( }}"}), node("b")],
            [START, edge("a", "b", condition="1 +")],
        ),
        [
            ("EXPRESSION_SYNTAX", "$.nodes[0].config.values.x[0]"),
            ("EXPRESSION_SYNTAX", "$.nodes[0].config.values['a b']"),
            ("EXPRESSION_SYNTAX", "$.edges[1]"),
        ],
    ),
    (
        "references that lead nowhere",
        spec(
            [
                node("a", "data.set", values={"x": "{{node_b.output}}", "y": "{{$node['Nobody'].json}}"}),
                node(
                    "b",
                    "data.set",
                    values={"x": "{{node_nobody.output}}", "y": "{{b.x}}", "z": "{{loop.item}}"},
                ),
            ],
            [START, edge("a", "b")],
        ),
        [
            ("UNKNOWN_SOURCE_PATH", "$.nodes[0].config.values.x"),
            ("UNKNOWN_SOURCE_PATH", "$.nodes[0].config.values.y"),
            ("UNKNOWN_SOURCE_PATH", "$.nodes[1].config.values.x"),
            ("UNKNOWN_SOURCE_PATH", "$.nodes[1].config.values.y"),
            ("UNKNOWN_SOURCE_PATH", "$.nodes[1].config.values.z"),
        ],
    ),
    (
        "a label of two nodes",
        spec(
            [
                node("a") | {"label": "Same"},
                node("b") | {"label": "Same"},
                node("c", "data.set", values={"x": "{{$node['Same'].output}}"}),
            ],
            [START, edge("a", "b"), edge("b", "c")],
        ),
        [("AMBIGUOUS_LABEL", "$.nodes[2].config.values.x")],
    ),
    (
        "a secret as a value",
        spec([node("a", "data.set", values={"x": "{{credential.api.token}}"})], [START]),
        [("CREDENTIAL_NOT_ALLOWED", "$.nodes[0].config.values.x")],
    ),
    (
        "limits out of range",
        spec(
            [
                node("a")
                | {
                    "timeout": -1,
                    "heartbeatTimeout": 0,
                    "scheduleToStart": 0,
                    "retry": {"maxAttempts": 0, "backoffMultiplier": 0.5},
                }
            ],
            [START],
            settings={
                "timezone": "Nowhere",
                "priority": 11,
                "inputSchema": {"type": "x"},
                "concurrency": {"key": "1 +"},
                "rate": {"limit": 0, "periodSeconds": 0.5, "key": "1 +"},
                "debounce": {"seconds": -1, "maxSeconds": -2},
            },
        ),
        [
            ("SCHEMA_VALIDATION_ERROR", "$.nodes[0].timeout"),
            ("SCHEMA_VALIDATION_ERROR", "$.nodes[0].heartbeatTimeout"),
            ("SCHEMA_VALIDATION_ERROR", "$.nodes[0].scheduleToStart"),
            ("SCHEMA_VALIDATION_ERROR", "$.nodes[0].retry.maxAttempts"),
            ("SCHEMA_VALIDATION_ERROR", "$.nodes[0].retry"),
            ("SCHEMA_VALIDATION_ERROR", "$.settings.timezone"),
            ("SCHEMA_VALIDATION_ERROR", "$.settings.priority"),
            ("SCHEMA_VALIDATION_ERROR", "$.settings.inputSchema"),
            ("SCHEMA_VALIDATION_ERROR", "$.settings.rate.limit"),
            ("SCHEMA_VALIDATION_ERROR", "$.settings.rate.periodSeconds"),
            ("SCHEMA_VALIDATION_ERROR", "$.settings.debounce.seconds"),
            ("SCHEMA_VALIDATION_ERROR", "$.settings.debounce.maxSeconds"),
            ("EXPRESSION_SYNTAX", "$.settings.concurrency.key"),
            ("EXPRESSION_SYNTAX", "$.settings.rate.key"),
        ],
    ),
    (
        "a rule for unknown outcomes that is none",
        spec([node("a") | {"unknown": "guess"}], [START]),
        [("SCHEMA_VALIDATION_ERROR", "$.nodes[0].unknown")],
    ),
    (
        "a look-up by a type that cannot look up",
        spec([node("a") | {"unknown": "look_up"}], [START]),
        [("CANNOT_LOOK_UP", "$.nodes[0].unknown")],
    ),
    (
        "a look-up without an address",
        spec(
            [node("a", "http.request", url="https://a.example", method="POST") | {"unknown": "look_up"}],
            [START],
        ),
        [("CANNOT_LOOK_UP", "$.nodes[0].unknown")],
    ),
    (
        "an expression about a look-up that is none",
        spec(
            [
                node(
                    "a",
                    "http.request",
                    url="https://a.example",
                    method="POST",
                    look_up={"url": "https://a.example/7", "found": "response.body >"},
                )
            ],
            [START],
        ),
        [("EXPRESSION_SYNTAX", "$.nodes[0].config.look_up.found")],
    ),
]


@pytest.mark.parametrize(("raw", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_mistake_is_found_with_its_place(raw: Any, expected: list[tuple[str, str]]) -> None:
    """Every mistake is found, with a stable code and its path; nothing else is (F4)."""
    assert expected == [(problem.code, problem.path) for problem in found(raw)]


def test_who_cannot_look_up_hears_who_can() -> None:
    """The message about a look-up names the types that can, or what is missing."""
    looks_up = {"unknown": "look_up"}
    (cannot,) = found(spec([node("a") | looks_up], [START]))
    (nowhere,) = found(spec([node("a", "http.request", url="https://a.example") | looks_up], [START]))
    given = node("a", "http.request", url="https://a.example", lookUp="https://a.example/7") | looks_up

    assert "Types that can: http.request." in cannot.message
    assert "its parameter `look_up`" in nowhere.message
    assert [] == found(spec([given], [START]))


WARNINGS = {
    "EMPTY_WORKFLOW", "UNKNOWN_FIELD", "MISSING_CONNECTION_ID", "DUPLICATE_CONNECTION", "ORPHAN_NODE",
    "UNREACHABLE_NODE", "DEAD_END_NODE", "MULTIPLE_TRIGGER_NODES",
}  # fmt: skip


def test_warnings_do_not_block() -> None:
    """Orphans, several triggers and missing edge ids are warnings; what cannot run is an error."""
    problems = [problem for _, raw, _ in CASES for problem in found(raw)]
    warned = {problem.code for problem in problems if problem.severity is Severity.WARNING}

    assert (WARNINGS | {"INVALID_NODE_ID"}, set()) == (
        warned,
        {problem.code for problem in problems if problem.severity is Severity.ERROR} & WARNINGS,
    )


def test_messages_say_what_to_do() -> None:
    """Every problem names its node or edge where it has one, and is a sentence."""
    unfinished = [
        problem
        for _, raw, _ in CASES
        for problem in found(raw)
        if problem.message[-1] not in ".?)" or not problem.path
    ]

    assert [] == unfinished


def test_a_near_name_is_offered() -> None:
    """A mistyped type or node is answered with the name that was meant."""
    raw = spec([node("fetch", "http.requst"), node("b", "data.set", values={"x": "{{node_fetc.output}}"})],
               [edge("start", "fetch"), edge("fetch", "b")])  # fmt: skip

    assert ["http.request" in found(raw)[0].message, "'fetch'" in found(raw)[1].message] == [True, True]


def test_a_waiting_cycle_is_legal() -> None:
    """A cycle through a node that waits needs no loop (C10)."""
    raw = spec(
        [node("ask", "logic.wait_event", event="answer"), node("again")],
        [edge("start", "ask"), edge("ask", "again"), edge("again", "ask")],
    )

    assert [] == found(raw)


def test_publishing_refuses_errors_with_all_of_them() -> None:
    """A spec with errors is refused with every problem as data; one with warnings passes."""
    broken = parse(spec([node("a", "nope"), node("b", "nope")], [START, edge("a", "b")]))

    with pytest.raises(SpecInvalid) as raised:
        require_valid(broken, CATALOG)

    assert ["UNKNOWN_NODE_TYPE"] * 2 == [problem["code"] for problem in raised.value.details["problems"]]
    assert ["ORPHAN_NODE"] == [
        problem.code for problem in require_valid(parse(spec([node("a"), node("b")], [START])), CATALOG)
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http.requst", "did you mean http.request?"),
        ("htp.request", "did you mean http.request?"),
        ("n8n-nodes-base.slack", "install the package"),
        ("logic.frobnicate", "install the package"),
    ],
)
def test_only_what_is_near_is_proposed(written: str, meant: str) -> None:
    """A mistyped node type is guessed; one that is only of the same family is not taken for another."""
    (problem,) = (
        each for each in check(parse(spec([node("a", written)], [START])), CATALOG) if "type" in each.path
    )

    assert meant in problem.message


def test_checking_twice_says_the_same() -> None:
    """The check depends on the spec alone."""
    parsed = msgspec.structs.replace(parse(SOUND), edges=())

    assert check(parsed, CATALOG) == check(parsed, CATALOG)
