"""What n8n wrote becomes ours; what could not be kept is said."""

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.domain.errors import Invalid
from linkflow.domain.workflow.check import check
from linkflow.domain.workflow.imports import Imported, import_workflows, shape_of_spec
from linkflow.domain.workflow.spec import OnError, to_json
from linkflow.nodes.registry import NodeRegistry

CATALOG = NodeRegistry()
HERE = Path(__file__).parent
CASES = json.loads((HERE / "cases.json").read_text())
"""Pairs of what n8n wrote, and what it becomes."""


def node(name: str, kind: str, parameters: Any = None, *, version: float = 1, **more: Any) -> dict[str, Any]:
    """Write a node as n8n does."""
    return {
        "name": name,
        "type": kind if "." in kind else f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [0, 0],
        "parameters": parameters or {},
        **more,
    }


def chain(*nodes: dict[str, Any]) -> dict[str, Any]:
    """Connect nodes in a row, after a webhook."""
    every = [node("Hook", "webhook", version=2), *nodes]
    return {
        "nodes": every,
        "connections": {
            one["name"]: {"main": [[{"node": two["name"], "type": "main", "index": 0}]]}
            for one, two in pairwise(every)
        },
    }


def imported(raw: Any) -> Imported:
    """Import one workflow."""
    (found,) = import_workflows(raw, CATALOG)
    assert "S5" == found.shape
    return found


def codes(found: Imported) -> list[str]:
    """List the codes of the notes, in order."""
    return [note.code for note in found.notes]


@pytest.mark.parametrize("name", ["orders", "digest"])
def test_a_whole_workflow_becomes_ours(name: str) -> None:
    """A golden workflow keeps nodes, lines, expressions, notes and settings; all losses are listed."""
    found = imported(json.loads((HERE / f"{name}.json").read_text()))
    said = [[note.code, note.node_id, note.message] for note in found.notes]

    assert json.loads((HERE / f"{name}.golden.json").read_text()) == {
        "spec": to_json(found.spec),
        "notes": said,
    }


def test_an_import_without_losses_can_run() -> None:
    """The workflow of orders has nothing to note, and the check finds nothing."""
    found = imported(json.loads((HERE / "orders.json").read_text()))

    assert ([], []) == (list(found.notes), list(check(found.spec, CATALOG)))


@pytest.mark.parametrize(("theirs", "ours"), CASES["expressions"])
def test_expressions_are_said_in_our_words(theirs: str, ours: str) -> None:
    """What reads data reads it from the step that it really comes from; text stays text."""
    values = {"assignments": {"assignments": [{"name": "x", "type": "string", "value": theirs}]}}
    raw = chain(
        node("Get", "httpRequest", {"url": "https://example.com"}, version=4),
        node("Pause", "wait", version=1.1),
        node("Use", "set", values, version=3.4),
    )
    found = imported(raw)

    assert ([], {"values": {"x": ours}}) == (codes(found), found.spec.nodes[-1].config)


@pytest.mark.parametrize(
    "theirs",
    [
        "={{ $('Nobody').item.json.a }}",
        "={{ $jmespath($json, 'a') }}",
        "={{ $json.a.foo() }}",
        "={{ $itemIndex }}",
    ],
)
def test_an_expression_that_is_not_ours_is_noted_and_blocks(theirs: str) -> None:
    """What our language lacks is noted once, and the check names it: nothing runs with a wrong value."""
    values = {"assignments": {"assignments": [{"name": "x", "type": "string", "value": theirs}]}}
    found = imported(chain(node("Use", "set", values, version=3.4)))

    assert ["EXPRESSION"] == codes(found)
    assert theirs[1:] == found.spec.nodes[0].config["values"]["x"]


@pytest.mark.parametrize(("theirs", "ours"), CASES["triggers"])
def test_triggers_keep_their_times(theirs: dict[str, Any], ours: list[Any]) -> None:
    """Times become cron where a time of day counts, else intervals."""
    line = {"A": {"main": [[{"node": "Then"}]]}}
    found = imported({"nodes": [theirs, node("Then", "noOp")], "connections": line})

    assert (ours, []) == ([found.spec.trigger.type, found.spec.trigger.config], codes(found))


@pytest.mark.parametrize(("theirs", "ours"), CASES["steps"])
def test_each_kind_keeps_what_it_does(theirs: dict[str, Any], ours: list[Any]) -> None:
    """Nodes of every version of their type become ours, with nothing to note."""
    found = imported(chain(theirs))
    (step,) = found.spec.nodes

    assert (ours, []) == ([step.type, step.config], codes(found))


def test_json_that_is_put_together_is_noted() -> None:
    """JSON whose values are expressions without quotes cannot be read; a note says so."""
    raw = {"mode": "raw", "jsonOutput": '={"a": {{ 1 }}}'}

    assert ["JSON"] == codes(imported(chain(node("A", "set", raw, version=3.4))))


def test_lists_keep_their_order_of_work() -> None:
    """Split, filter, sort, limit and de-duplicate go on as lists, each taking the one before."""
    condition = {
        "leftValue": "={{ $json.price }}",
        "rightValue": 5,
        "operator": {"type": "number", "operation": "gt"},
    }
    found = imported(
        chain(
            node("Split", "splitOut", {"fieldToSplitOut": "body.lines"}),
            node(
                "Dear", "filter", {"conditions": {"combinator": "and", "conditions": [condition]}}, version=2
            ),
            node(
                "Sort",
                "sort",
                {"sortFieldsUi": {"sortField": [{"fieldName": "price", "order": "descending"}]}},
            ),
            node("Two", "limit", {"maxItems": 2}),
        )
    )

    assert (CASES["lists"], []) == ([[step.type, step.config] for step in found.spec.nodes], codes(found))


def test_a_filter_of_one_item_is_a_way_that_ends() -> None:
    """Where no list comes, a filter lets pass or stops, as a condition with one way out."""
    found = imported(
        chain(node("Ok", "filter", {"conditions": {"conditions": []}}, version=2), node("Then", "noOp"))
    )

    assert ("logic.condition", "true") == (found.spec.nodes[0].type, found.spec.edges[1].source_handle)


def test_what_runs_for_each_item_is_noted() -> None:
    """A step that ran once for each item says so: here it gets the list."""
    values = {"assignments": {"assignments": [{"name": "x", "type": "string", "value": "={{ $json.id }}"}]}}
    found = imported(
        chain(node("Split", "splitOut", {"fieldToSplitOut": "a"}), node("Use", "set", values, version=3.4))
    )

    assert ["ITEMS"] == codes(found)


def test_errors_and_attempts_are_kept() -> None:
    """The error output becomes the error handle; attempts and pauses stay."""
    raw = chain(
        node("Get", "httpRequest", {"url": "u"}, version=4, onError="continueErrorOutput", retryOnFail=True)
    )
    raw["nodes"].append(node("Cry", "noOp"))
    raw["connections"]["Get"] = {"main": [[], [{"node": "Cry"}]]}
    found = imported(raw)
    get = found.spec.nodes[0]

    assert get.retry is not None
    assert (OnError.BRANCH, 3, "error") == (
        get.on_error,
        get.retry.max_attempts,
        found.spec.edges[-1].source_handle,
    )


def test_an_open_door_is_noted() -> None:
    """A webhook that asked who calls is not opened in silence."""
    raw = {"nodes": [node("Hook", "webhook", {"authentication": "headerAuth"}, version=2)], "connections": {}}

    assert ["CREDENTIAL"] == codes(imported(raw))
    assert {"type": "header"} == imported(raw).spec.trigger.config["auth"]


def test_every_workflow_of_an_export_comes() -> None:
    """`n8n export:workflow --all` writes a list; each is read."""
    first, second = chain(node("A", "noOp")), {"name": "Two", **chain(node("B", "noOp"))}

    assert ["", "Two"] == [found.spec.metadata.name for found in import_workflows([first, second], CATALOG)]


@pytest.mark.parametrize(
    "raw", [{"nodes": [], "connections": {}}, {"connections": {}}, {"nodes": ["x"], "connections": {}}]
)
def test_nothing_is_no_workflow(raw: Any) -> None:
    """An export without a node is refused in words."""
    assert "S5" == shape_of_spec(raw)
    with pytest.raises(Invalid, match="no node"):
        import_workflows(raw, CATALOG)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give every place in a document: what holds it, and its key."""
    for key in (
        list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    ):
        yield value, key
        yield from places(value[key])


@given(st.data())
def test_whatever_stands_somewhere_is_read_or_refused(data: st.DataObject) -> None:
    """A document that is odd anywhere is imported or refused in words, and never breaks the importer."""
    raw = json.loads((HERE / f"{data.draw(st.sampled_from(['orders', 'digest']))}.json").read_text())
    holder, key = data.draw(st.sampled_from(list(places(raw))))
    holder[key] = data.draw(
        st.sampled_from([None, True, 5, -1.5, "", "={{ $json }}", [], [None], {}, {"a": [{}]}])
    )
    with suppress(Invalid):
        for found in import_workflows(raw, CATALOG):  # without connections it is read as another shape
            check(found.spec, CATALOG)
