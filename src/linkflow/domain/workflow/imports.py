"""Specs of related products to ours, with a report of what could not be kept.

| shape | known by | whose |
|---|---|---|
| `S1` | `nodes` and `edges` | lnkflow; also wrapped in `workflow`, bundled in `workflows` |
| `S2` | `connections`, a list | LinkFlow v2 |
| `S3` | `trigger`, an object | seed 002, and our own |
| `S4` | `definition` | Jobsprint's documents |
| `S5` | `connections`, an object | n8n |

Nothing is guessed in silence: whatever is changed or left out is a note.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from linkflow.domain.errors import Invalid, SpecInvalid
from linkflow.domain.node import Catalog, NodeClass
from linkflow.domain.values import Json
from linkflow.domain.workflow.check import json_problems
from linkflow.domain.workflow.check_edges import settled_edges
from linkflow.domain.workflow.imported_nodes import Note, imported_edge, imported_node
from linkflow.domain.workflow.imported_settings import (
    imported_error_handling,
    imported_metadata,
    imported_settings,
)
from linkflow.domain.workflow.n8n.workflow import from_n8n
from linkflow.domain.workflow.placed import lay_out, shape_of_layout
from linkflow.domain.workflow.spec import Edge, Node, Problem, Severity, WorkflowSpec, filled, parse

MAX_NODES = 5_000
_MAX_BUNDLE = 500
_WRAPPERS = 4


class Imported(msgspec.Struct, frozen=True, rename="camel"):
    """One imported workflow.

    Attributes:
        spec: Ours; `check` says whether it can run.
        shape: `S1` to `S5`.
        notes: What was changed or left out, as warnings.
    """

    spec: WorkflowSpec
    shape: str
    notes: Sequence[Problem]


def import_workflows(raw: Json, catalog: Catalog) -> list[Imported]:
    """Read one workflow, or a bundle of them, of any known shape.

    Args:
        raw: The JSON of the file.
        catalog: The node types that are known, for aliases.

    Raises:
        Invalid: `import.unknown`: the shape is none of them; `import.too_large`.
    """
    if isinstance(raw, list):
        raw = {"workflows": raw}
    if isinstance(raw, dict) and isinstance(raw.get("workflows"), list):
        if len(raw["workflows"]) > _MAX_BUNDLE:
            raise Invalid(f"A bundle holds at most {_MAX_BUNDLE} workflows.", code="import.too_large")
        return [_import(workflow, catalog) for workflow in raw["workflows"]]
    return [_import(raw, catalog)]


def shape_of_spec(raw: Json) -> str:
    """Say which shape an unwrapped spec has: `S1` to `S5`.

    Raises:
        Invalid: `import.unknown`.
    """
    if isinstance(raw, dict):
        if isinstance(raw.get("definition"), dict):
            return "S4"
        if isinstance(raw.get("connections"), dict):
            return "S5"
        if isinstance(raw.get("connections"), list):
            return "S2"
        if isinstance(raw.get("trigger"), dict):
            return "S3"
        if isinstance(raw.get("nodes"), list):
            return "S1"
    raise Invalid(
        "This is not a workflow: it has neither nodes with edges nor connections.", code="import.unknown"
    )


def _import(raw: Json, catalog: Catalog) -> Imported:
    outer: dict[str, Json] = {}
    for _ in range(_WRAPPERS):
        if not isinstance(raw, dict) or not isinstance(raw.get("workflow"), dict):
            break
        outer |= {
            key: value for key, value in raw.items() if key in ("name", "description", "tags", "variables")
        }
        raw = raw["workflow"]
    shape = shape_of_spec(raw)
    ours = _own(raw, catalog) if shape == "S3" else None
    if ours is not None:
        return Imported(ours, shape, [])
    if shape == "S4":
        raw = {**raw, **raw["definition"]}
    notes: list[Problem] = []

    def note(code: str, message: str, path: str, node_id: str | None) -> None:
        notes.append(Problem(code, message, Severity.WARNING, path, node_id))

    if shape == "S5":
        spec = from_n8n({**outer, **raw}, note)
        if len(spec.nodes) >= MAX_NODES:
            raise Invalid(f"A workflow has at most {MAX_NODES} nodes.", code="import.too_large")
        return Imported(_with_back_edges(filled(spec), catalog, note), shape, notes)
    nodes = [
        imported_node(node, path, shape, catalog, note) for path, node in _objects(raw, ("nodes",), note)
    ]
    if len(nodes) > MAX_NODES:
        raise Invalid(f"A workflow has at most {MAX_NODES} nodes.", code="import.too_large")
    edges = [imported_edge(edge, path, note) for path, edge in _objects(raw, ("edges", "connections"), note)]
    nodes = _named(nodes, note)
    trigger, nodes, edges = _with_trigger(raw, shape, nodes, edges, catalog, note)
    spec = filled(
        WorkflowSpec(
            trigger=trigger,
            metadata=imported_metadata(raw, outer),
            nodes=tuple(nodes),
            edges=tuple(edges),
            settings=imported_settings({**outer, **raw}, note),
            error_handling=imported_error_handling(raw, note),
        )
    )
    return Imported(_with_back_edges(spec, catalog, note), shape, notes)


def _own(raw: Json, catalog: Catalog) -> WorkflowSpec | None:
    """Read a spec that is written in our own words, which needs no import; else None."""
    if any(problem.code != "MISSING_CONNECTION_ID" for problem in json_problems(raw)):
        return None
    try:
        spec = parse(raw)
    except SpecInvalid:
        return None
    found = [(node.type, catalog.find(node.type)) for node in spec.every_node()]
    return spec if all(known is not None and known.type == name for name, known in found) else None


def _objects(raw: Mapping[str, Any], keys: Sequence[str], note: Note) -> Iterator[tuple[str, dict[str, Any]]]:
    for key in keys:
        listed = raw.get(key)
        for at, item in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(item, dict):
                yield f"$.{key}[{at}]", item
            else:
                note("UNKNOWN_FIELD", "This is no object and is left out.", f"$.{key}[{at}]", None)


def _named(nodes: Sequence[Node], note: Note) -> list[Node]:
    """Give nodes without an id one; a second node of one id is left as it is, for `check` to name."""
    taken = {node.id for node in nodes}
    named: list[Node] = []
    number = 0
    for node in nodes:
        found = node.id
        while not found:
            number += 1
            found = f"node_{number}" if f"node_{number}" not in taken else ""
        if found != node.id:
            taken.add(found)
            note("ID_ADDED", f"A node had no id; it is called '{found}' now.", "$.nodes", found)
        named.append(msgspec.structs.replace(node, id=found))
    return named


# --- the trigger ---


def _with_trigger(
    raw: Mapping[str, Any], shape: str, nodes: list[Node], edges: list[Edge], catalog: Catalog, note: Note
) -> tuple[Node, list[Node], list[Edge]]:
    """Find the trigger, or add one before the nodes that nothing leads to."""
    if shape == "S3":
        trigger = imported_node(raw["trigger"], "$.trigger", shape, catalog, note)
        if not trigger.id:
            trigger = msgspec.structs.replace(trigger, id=_free("trigger", nodes))
            note(
                "ID_ADDED",
                f"The trigger had no id; it is called '{trigger.id}' now.",
                "$.trigger",
                trigger.id,
            )
        return trigger, [node for node in nodes if node.id != trigger.id], edges
    kind, config = _declared(raw, catalog)
    triggers = [node for node in nodes if _is_trigger(node, catalog)]
    if triggers:
        trigger = next((node for node in triggers if node.type == kind), triggers[0])
        merged = msgspec.structs.replace(trigger, config={**config, **trigger.config})
        return merged, [node for node in nodes if node is not trigger], edges
    trigger = Node(id=_free("trigger", nodes), type=kind or "trigger.manual", config=config)
    reached = {edge.target for edge in edges}
    first = [node.id for node in nodes if node.id not in reached] or [node.id for node in nodes[:1]]
    added = [Edge(id=f"{trigger.id}-{node_id}", source=trigger.id, target=node_id) for node_id in first]
    note("TRIGGER_ADDED", f"There was no trigger; '{trigger.type}' now comes first.", "$.nodes", trigger.id)
    return trigger, nodes, [*added, *edges]


def _declared(raw: Mapping[str, Any], catalog: Catalog) -> tuple[str, dict[str, Json]]:
    """Read which trigger a spec says it has beside its nodes: canonical type, or empty, and config."""
    listed = raw.get("triggers")
    given = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    written = raw.get("trigger_type") or given.get("type") or ""
    config = raw.get("trigger_config") or given.get("config") or {}
    for name in (f"trigger.{written}", written):
        found = catalog.find(name) if isinstance(name, str) and name else None
        if found is not None and found.node_class is NodeClass.TRIGGER:
            return found.type, dict(config) if isinstance(config, dict) else {}
    return "", {}


def _is_trigger(node: Node, catalog: Catalog) -> bool:
    found = catalog.find(node.type)
    return found is not None and found.node_class is NodeClass.TRIGGER


def _free(name: str, nodes: Sequence[Node]) -> str:
    taken = {node.id for node in nodes}
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


# --- cycles ---


def _with_back_edges(spec: WorkflowSpec, catalog: Catalog, note: Note) -> WorkflowSpec:
    """Declare the edges that close a cycle, which other products allow anywhere; visits stay bounded."""
    for _ in range(len(spec.edges)):
        layout = lay_out(spec, catalog)
        shape = shape_of_layout(layout, settled_edges(layout)[0])
        flaw = next((flaw for flaw in shape.flaws if flaw.code == "CYCLE_DETECTED" and flaw.edge >= 0), None)
        if flaw is None:
            break
        closing = layout.edges[flaw.edge].edge
        if closing.back:
            break
        note("BACK_EDGE", f"The edge '{closing.id}' closes a cycle; it is now marked so.", "$.edges", None)
        edges = tuple(
            msgspec.structs.replace(edge, back=True) if edge is closing else edge for edge in spec.edges
        )
        spec = msgspec.structs.replace(spec, edges=edges)
    return spec
