"""A spec compiled for the decider."""

import pytest

from linkflow.domain.errors import SpecInvalid
from linkflow.domain.node import NodeClass
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import OnError, parse
from linkflow.testing.builders import catalog, node, workflow


def settled(source: str, **edge: Json) -> tuple[str, bool]:
    """Compile one edge: the handle it leaves, and whether a condition is left."""
    raw = {
        "trigger": {"id": "t", "type": "trigger.manual"},
        "nodes": [
            {"id": "a", "type": source, "config": {"expression": "{{ true }}"}},
            {"id": "b", "type": "logic.noop"},
        ],
        "edges": [{"source": "t", "target": "a"}, {"source": "a", "target": "b", **edge}],
    }
    compiled = ExecutionGraph(parse(raw), catalog()).edges[1]
    return compiled.handle, compiled.condition is not None


@pytest.mark.parametrize(
    ("source", "edge", "expected"),
    [
        ("test.get", {}, ("out", False)),
        ("test.get", {"sourceHandle": "main"}, ("out", False)),
        ("test.get", {"condition": "success"}, ("out", False)),
        ("test.get", {"condition": "error"}, ("error", False)),
        ("test.get", {"condition": "output.n > 1"}, ("out", True)),
        ("test.get", {"sourceHandle": "error", "condition": "error.code == 'x'"}, ("error", True)),
        ("logic.condition", {"condition": "false"}, ("false", False)),
        ("logic.condition", {}, ("true", False)),
        ("logic.switch", {"condition": "gold card"}, ("gold card", False)),
        ("logic.switch", {"label": "gold"}, ("gold", False)),
        ("logic.loop", {}, ("done", False)),
    ],
)
def test_a_condition_is_a_handle_or_an_expression(
    source: str, edge: dict[str, Json], expected: tuple[str, bool]
) -> None:
    """An edge's condition names a handle of its source, else it is an expression; empty means always."""
    assert expected == settled(source, **edge)


@pytest.mark.parametrize(
    ("method", "config", "expected"),
    [
        ("GET", {}, NodeClass.IDEMPOTENT),
        ("PUT", {}, NodeClass.IDEMPOTENT),
        ("POST", {}, NodeClass.ONCE),
    ],
)
def test_the_method_of_a_request_says_its_class(
    method: str, config: dict[str, Json], expected: NodeClass
) -> None:
    """HTTP requests are idempotent or once by their method."""
    graph = workflow("t -> a", a=node("http.request", method=method, url="http://x", **config))

    assert expected == graph.node("a").node_class


def test_an_error_edge_means_branch() -> None:
    """When an edge leaves `error`, failing takes it unless the node says otherwise."""
    graph = workflow("t -> a -> b", "a.error -> c", "b.error -> c", b=node(settings={"onError": "fail"}))

    assert [OnError.BRANCH, OnError.FAIL, OnError.FAIL] == [
        graph.node(name).on_error for name in ("a", "b", "c")
    ]


def test_defaults_of_the_workflow_hold_for_nodes_without_their_own() -> None:
    """Retry and timeouts come from the node, else from the workflow, else from the type."""
    graph = workflow(
        "t -> a -> b",
        a=node(settings={"retry": {"maxAttempts": 9}, "timeout": 1500}),
        workflow={"errorHandling": {"defaultRetry": {"maxAttempts": 5}}},
    )

    assert [(9, 1.5), (5, 60.0)] == [
        (graph.node(n).retry.max_attempts, graph.node(n).timeout_s) for n in ("a", "b")
    ]


def test_a_label_that_is_used_twice_names_nobody() -> None:
    """Labels stand for nodes only where they are unique."""
    graph = workflow("t -> a -> b -> c", a={"label": "One"}, b={"label": "Two"}, c={"label": "Two"})

    assert ["One"] == list(graph.by_label)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"nodes": [{"id": "a", "type": "no.such"}]}, "unknown type 'no.such'"),
        ({"edges": [{"source": "t", "target": "nowhere"}]}, "'nowhere', which does not exist"),
        (
            {"nodes": [{"id": "a", "type": "logic.noop"}, {"id": "a", "type": "logic.noop"}]},
            "ids must be unique",
        ),
    ],
)
def test_a_spec_that_cannot_run_is_refused_in_words(raw: dict[str, Json], message: str) -> None:
    """An unknown type, a dangling edge or a doubled id is refused with its name."""
    with pytest.raises(SpecInvalid, match=message):
        ExecutionGraph(parse({"trigger": {"id": "t", "type": "trigger.manual"}, **raw}), catalog())
