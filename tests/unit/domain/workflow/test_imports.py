"""Specs of related products become ours, ids and meaning kept."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.domain.errors import Invalid
from linkflow.domain.workflow.check import check, has_errors
from linkflow.domain.workflow.imports import Imported, import_workflows, shape_of_spec
from linkflow.domain.workflow.spec import OnError, Retry, to_json
from linkflow.nodes.registry import NodeRegistry

CATALOG = NodeRegistry()

S1: dict[str, Any] = {
    "version": "1.0",
    "exported_at": "2026-01-01T00:00:00Z",
    "workflow": {
        "name": "Weather",
        "trigger_type": "webhook",
        "trigger_config": {"method": "POST"},
        "nodes": [
            {"id": "t1", "type": "trigger_webhook", "position": {"x": 0, "y": 0}, "data": {"label": "Hook"}},
            {
                "id": "http_1",
                "type": "action_http_request",
                "position": {"x": 0, "y": 100},
                "data": {
                    "label": "Get",
                    "config": {"url": "https://example.com/{{trigger.body.city}}", "method": "GET"},
                    "credentialId": "cred-1",
                    "onError": "continue",
                    "timeout": 30,
                },
            },
            {
                "id": "if",
                "type": "logic_condition",
                "label": "Good?",
                "data": {"field": "{{ $node.http_1.status }}", "operator": "equals", "value": 200},
            },
            {"id": "log", "type": "output_log", "data": {"config": {"message": "{{$node['Get'].json}}"}}},
        ],
        "edges": [
            {"id": "e1", "source": "t1", "target": "http_1"},
            {"id": "e2", "source": "http_1", "target": "if", "animated": True},
            {"id": "e3", "source": "if", "target": "log", "handle": "true"},
        ],
        "viewport": {"x": 0, "y": 0, "zoom": 1},
        "settings": {
            "timezone": "Africa/Nairobi",
            "retry": {"enabled": True, "max_attempts": 4, "delay_seconds": 2},
        },
    },
}

S2: dict[str, Any] = {
    "name": "Orders",
    "nodes": [
        {"id": "1", "type": "trigger.manual", "name": "Start", "position": [10, 20], "parameters": {}},
        {
            "id": "2",
            "type": "logic.condition",
            "name": "Paid?",
            "parameters": {"left": "{{input.paid}}", "operator": "isTrue"},
            "retryOnFail": True,
            "maxRetries": 2,
            "timeout": 5000,
            "disabled": True,
        },
        {"id": "3", "type": "action.set", "name": "Ship", "config": {"values": {"ok": True}}},
    ],
    "connections": [
        {"source_node_id": "1", "source_handle": "output", "target_node_id": "2"},
        {"sourceNodeId": "2", "sourceHandle": "true", "targetNodeId": "3"},
    ],
    "settings": {"timezone": "UTC", "errorWorkflow": "wf-9", "executionTimeout": 60, "callerPolicy": "any"},
    "tags": ["shop", {"name": "daily"}],
}

S3: dict[str, Any] = {
    "metadata": {"workflowId": "not-a-uuid", "version": 3, "name": "Menu", "environment": "dev"},
    "trigger": {"id": "start", "type": "HTTP_WEBHOOK", "config": {"method": "POST"}},
    "nodes": [
        {"id": "start", "type": "HTTP_WEBHOOK", "config": {"method": "POST"}},
        {"id": "wait", "type": "DELAY", "config": {"duration": 1500}},
        {
            "id": "call",
            "type": "HTTP_REQUEST",
            "config": {"url": "https://example.com", "method": "POST", "body": {"to": "{{msisdn}}"}},
            "retry": {
                "maxAttempts": 5,
                "initialDelayMs": 200,
                "backoffMultiplier": 3,
                "retryableErrors": ["transient"],
            },
        },
    ],
    "edges": [
        {"id": "a", "source": "start", "target": "wait"},
        {"id": "b", "source": "wait", "target": "call", "condition": "success"},
    ],
    "settings": {"maxExecutionTimeMs": 60000, "maxConcurrentExecutions": 2, "rateLimit": {"max": 1}},
    "errorHandling": {"continueOnError": True, "defaultRetry": {"maxAttempts": 2}, "maxErrors": 5},
}

S4: dict[str, Any] = {
    "name": "Digest",
    "definition": {
        "nodes": [
            {"id": "n1", "type": "http", "name": "Fetch", "parameters": {"url": "https://example.com"}},
            {"id": "n2", "type": "ai", "name": "Sum up", "parameters": {"prompt": "{{ n1.body }}"}},
        ],
        "connections": [{"from": "n1", "to": "n2"}],
    },
    "settings": {"timeout": 300, "retryOnFailure": True, "maxRetries": 3},
    "triggers": [{"type": "schedule", "config": {"cron": "0 9 * * *"}}],
}


def imported(raw: Any) -> Imported:
    (found,) = import_workflows(raw, CATALOG)
    return found


def noted(found: Imported) -> list[tuple[str, str]]:
    return [(note.code, note.path) for note in found.notes]


def test_shapes_are_told_apart() -> None:
    """Each of the four shapes is known by its fields."""
    assert ["S1", "S2", "S3", "S4"] == [shape_of_spec(raw) for raw in (S1["workflow"], S2, S3, S4)]


def test_the_first_shape() -> None:
    """A wrapped lnkflow workflow keeps ids, and reads labels, configs and handles wherever they stand."""
    found = imported(S1)
    by_id = {node.id: node for node in found.spec.every_node()}

    assert ("t1", "trigger.webhook", {"method": "POST"}) == (
        found.spec.trigger.id,
        found.spec.trigger.type,
        found.spec.trigger.config,
    )
    assert ("http.request", "data", "cred-1", OnError.CONTINUE, 30_000, "Get") == (
        by_id["http_1"].type,
        by_id["http_1"].config["on_status"],
        by_id["http_1"].config["credential"],
        by_id["http_1"].on_error,
        by_id["http_1"].timeout,
        by_id["http_1"].label,
    )
    assert ({"field": "{{ $node.http_1.status }}", "operator": "equals", "value": 200}, "Good?", "true") == (
        by_id["if"].config,
        by_id["if"].label,
        found.spec.edges[2].source_handle,
    )
    assert ("Weather", "Africa/Nairobi", Retry(4, 2_000)) == (
        found.spec.metadata.name,
        found.spec.settings.timezone,
        found.spec.error_handling.default_retry,
    )


def test_the_second_shape() -> None:
    """A v2 workflow's connections, names, retries and seconds become ours."""
    found = imported(S2)
    condition = found.spec.nodes[0]

    assert ("logic.condition", "Paid?", Retry(3), 5_000, True) == (
        condition.type,
        condition.label,
        condition.retry,
        condition.timeout,
        condition.disabled,
    )
    assert [("1", "2", "output"), ("2", "3", "true")] == [
        (edge.source, edge.target, edge.source_handle) for edge in found.spec.edges
    ]
    assert (60_000, "wf-9", ("shop", "daily"), {"x": 10.0, "y": 20.0}) == (
        found.spec.settings.max_execution_time_ms,
        found.spec.settings.error_workflow,
        found.spec.metadata.tags,
        found.spec.trigger.position,
    )
    assert [] == [problem for problem in check(found.spec, CATALOG) if problem.severity == "error"]


def test_the_third_shape() -> None:
    """A seed 002 workflow keeps its trigger once, its delay in milliseconds, and says what has no place."""
    found = imported(S3)

    assert (
        ["wait", "call"],
        {"duration": 1500, "unit": "ms"},
        Retry(5, 200, 3.0, 60_000, ("transient",)),
    ) == (
        [node.id for node in found.spec.nodes],
        found.spec.nodes[0].config,
        found.spec.nodes[1].retry,
    )
    assert (60_000, 2, True, Retry(2)) == (
        found.spec.settings.max_execution_time_ms,
        found.spec.settings.max_concurrent_executions,
        found.spec.error_handling.continue_on_error,
        found.spec.error_handling.default_retry,
    )
    assert [
        ("UNKNOWN_FIELD", "$.settings.rateLimit"),
        ("UNKNOWN_FIELD", "$.errorHandling.maxErrors"),
    ] == noted(found)
    assert not has_errors(check(found.spec, CATALOG))


def test_the_fourth_shape() -> None:
    """A Jobsprint workflow gets its trigger from `triggers`, and unknown types are kept and named."""
    found = imported(S4)

    assert ("trigger", "trigger.schedule", {"cron": "0 9 * * *"}) == (
        found.spec.trigger.id,
        found.spec.trigger.type,
        found.spec.trigger.config,
    )
    assert [("trigger", "n1"), ("n1", "n2")] == [(edge.source, edge.target) for edge in found.spec.edges]
    assert (["http.request", "ai"], 300_000, Retry(4)) == (
        [node.type for node in found.spec.nodes],
        found.spec.settings.max_execution_time_ms,
        found.spec.error_handling.default_retry,
    )
    assert [("UNKNOWN_NODE_TYPE", "$.nodes[1]"), ("TRIGGER_ADDED", "$.nodes")] == noted(found)


def test_a_webhook_with_an_address_calls() -> None:
    """The type that means two things in lnkflow becomes a request when it has an address."""
    raw = {
        "nodes": [
            {"id": "m", "type": "trigger_manual", "data": {}},
            {"id": "w", "type": "trigger_webhook", "data": {"config": {"url": "https://example.com"}}},
        ],
        "edges": [{"source": "m", "target": "w"}],
    }
    found = imported(raw)

    assert ("m", "http.request", [("TYPE_CHANGED", "$.nodes[1]")]) == (
        found.spec.trigger.id,
        found.spec.nodes[0].type,
        noted(found),
    )


def test_cycles_are_declared() -> None:
    """An edge that closes a cycle is marked, so that the workflow runs with bounded visits (C10)."""
    raw = {
        "nodes": [
            {"id": "s", "type": "trigger_manual"},
            {"id": "a", "type": "noop"},
            {"id": "b", "type": "noop"},
        ],
        "edges": [
            {"id": "1", "source": "s", "target": "a"},
            {"id": "2", "source": "a", "target": "b"},
            {"id": "3", "source": "b", "target": "a"},
        ],
    }
    found = imported(raw)

    assert ([False, False, True], [("BACK_EDGE", "$.edges")], False) == (
        [edge.back for edge in found.spec.edges],
        noted(found),
        has_errors(check(found.spec, CATALOG)),
    )


def test_a_bundle_gives_every_workflow() -> None:
    """A bundle is read workflow by workflow."""
    assert ["Weather", "Orders"] == [
        found.spec.metadata.name for found in import_workflows({"name": "b", "workflows": [S1, S2]}, CATALOG)
    ]


def test_our_own_export_comes_back_unchanged() -> None:
    """A spec of ours, exported and imported, is itself, with nothing to note."""
    spec = msgspec.structs.replace(imported(S2).spec)
    back = imported(to_json(spec))

    assert (spec, []) == (back.spec, back.notes)


@pytest.mark.parametrize("raw", [None, 5, "x", {}, {"nodes": 5}, {"nodes": [], "connections": {"A": {}}}])
def test_anything_else_is_refused(raw: Any) -> None:
    """What is no workflow, or one without a node, is refused in words."""
    with pytest.raises(Invalid) as raised:
        import_workflows(raw, CATALOG)

    assert "import.unknown" == raised.value.code


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "type",
                    "data",
                    "config",
                    "position",
                    "edges",
                    "nodes",
                    "source",
                    "target",
                    "trigger",
                    "settings",
                    "retry",
                    "timeout",
                    "name",
                    "label",
                    "metadata",
                    "connections",
                    "definition",
                    "workflow",
                    "triggers",
                    "onError",
                    "credentials",
                    "condition",
                    "tags",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_any_json_is_imported_or_refused(raw: Any) -> None:
    """Whatever the JSON, it becomes workflows that can be checked, or is refused as invalid."""
    try:
        for found in import_workflows(raw, CATALOG):
            check(found.spec, CATALOG)
    except Invalid:
        return
