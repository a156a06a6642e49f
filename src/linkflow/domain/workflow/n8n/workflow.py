"""A workflow of n8n as ours: nodes, lines, trigger, notes. Nothing is left out in silence."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json
from linkflow.domain.workflow.check_nodes import RESERVED
from linkflow.domain.workflow.imported_nodes import Note, imported_on_error, imported_position
from linkflow.domain.workflow.imported_settings import imported_metadata, imported_settings
from linkflow.domain.workflow.n8n.data import Sources, Theirs, is_whole
from linkflow.domain.workflow.n8n.nodes import made_of
from linkflow.domain.workflow.n8n.requests import text_of
from linkflow.domain.workflow.n8n.step import Made, Step
from linkflow.domain.workflow.spec import Canvas, CanvasNote, Edge, Node, OnError, Retry, WorkflowSpec

STICKY = "n8n-nodes-base.stickyNote"
TRIGGER = re.compile(r"trigger$|\.(webhook|start|cron|interval)$", re.IGNORECASE)
FIRST = ("webhook", "scheduleTrigger", "cron", "interval")
"""Which of several triggers is the one that expressions call `trigger`."""

COLOURS = {"3": "red", "4": "green", "5": "blue", "7": "grey"}
READ = frozenset(
    ["id", "name", "type", "typeVersion", "position", "parameters", "credentials", "disabled", "notes"]
)
SEEN = READ | {
    "notesInFlow", "webhookId", "color", "retryOnFail", "maxTries", "waitBetweenTries", "onError",
    "continueOnFail",
}  # fmt: skip
"""Fields of a node that are read, or say nothing about what it does."""


def from_n8n(raw: Mapping[str, Any], note: Note) -> WorkflowSpec:
    """Read a workflow of n8n.

    Args:
        raw: What n8n wrote.
        note: Takes what was changed, and what could not be kept: code, message, path, node id.

    Raises:
        Invalid: `import.unknown`: there is no node in it.
    """
    listed = raw["nodes"] if isinstance(raw.get("nodes"), list) else []
    nodes = list(_nodes(listed, note))
    if not nodes:
        raise Invalid("There is no node in this workflow of n8n.", code="import.unknown")
    lines = list(_lines(raw["connections"], {node.name for node in nodes}, note))
    trigger = _trigger(nodes)
    incoming: dict[str, list[tuple[str, int]]] = {}
    for source, at, target in lines:
        incoming.setdefault(target, []).append((source, at))
    sources = Sources(nodes, incoming, trigger.name if trigger else "")
    pins = raw.get("pinData") if isinstance(raw.get("pinData"), dict) else {}
    steps = {node.name: _step(node, sources, pins or {}, note) for node in nodes}
    first = steps[trigger.name][0] if trigger else _added(nodes, note)
    edges = [_edge(*steps[source], at, steps[target][0], note) for source, at, target in lines]
    if trigger is None:
        edges += [Edge(first.id, node.id) for node in nodes if node.name not in incoming]
    settings = imported_settings(raw, note)
    spec = WorkflowSpec(
        trigger=_zoned(first, settings.timezone),
        metadata=msgspec.structs.replace(imported_metadata(raw, {}), workflow_id=text_of(raw.get("id"))),
        nodes=tuple(_zoned(node, settings.timezone) for node, _ in steps.values() if node.id != first.id),
        edges=tuple(edges),
        settings=settings,
        canvas=Canvas(notes=tuple(_notes(listed))),
    )
    if raw.get("staticData"):
        note("UNKNOWN_FIELD", "The workflow's static data has no place here.", "$.staticData", None)
    return spec


def _nodes(listed: Sequence[Any], note: Note) -> Iterator[Theirs]:
    taken: set[str] = set()
    for at, raw in enumerate(listed):
        path = f"$.nodes[{at}]"
        if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
            note("UNKNOWN_FIELD", "This is no node and is left out.", path, None)
        elif raw["type"] != STICKY:
            name = text_of(raw.get("name")) or raw["type"].rpartition(".")[2]
            version = raw.get("typeVersion")
            given = raw.get("parameters")
            yield Theirs(
                id=_free(name, taken),
                name=name,
                type=raw["type"],
                version=float(version) if isinstance(version, int | float) else 1.0,
                parameters=_unwrapped(given) if isinstance(given, dict) else {},
                raw=raw,
                path=path,
            )


def _free(name: str, taken: set[str]) -> str:
    """Make an id of a name: readable, and not taken."""
    base = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60] or "step"
    base = f"step_{base}" if base[0].isdigit() or base in RESERVED else base
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base}_{number}"
    taken.add(found)
    return found


def _unwrapped(value: Any) -> Any:
    """Take the value out of n8n's resource locators."""
    if isinstance(value, dict):
        if value.get("__rl") is True:
            return _unwrapped(value.get("value"))
        return {key: _unwrapped(each) for key, each in value.items()}
    return [_unwrapped(each) for each in value] if isinstance(value, list) else value


def _lines(connections: Mapping[str, Any], names: set[str], note: Note) -> Iterator[tuple[str, int, str]]:
    """Give every line as source, number of its output, target."""
    for source, kinds in connections.items():
        for kind, outputs in kinds.items() if isinstance(kinds, dict) else ():
            path = f"$.connections.{source}.{kind}"
            for at, ends in enumerate(outputs if isinstance(outputs, list) else ()):
                for end in ends if isinstance(ends, list) else ():
                    target = text_of(end.get("node")) if isinstance(end, dict) else ""
                    if kind != "main":
                        note(
                            "CONNECTION",
                            f"'{source}' serves '{target}' as {kind}; there is no such line here.",
                            path,
                            None,
                        )
                    elif source not in names or target not in names:
                        note(
                            "CONNECTION",
                            f"The line from '{source}' to '{target}' leads nowhere and is left out.",
                            path,
                            None,
                        )
                    else:
                        yield source, at, target


def _trigger(nodes: Sequence[Theirs]) -> Theirs | None:
    found = [node for node in nodes if TRIGGER.search(node.type) and node.kind != "executeWorkflow"]
    running = [node for node in found if node.raw.get("disabled") is not True] or found
    return min(
        running, key=lambda node: FIRST.index(node.kind) if node.kind in FIRST else len(FIRST), default=None
    )


def _added(nodes: Sequence[Theirs], note: Note) -> Node:
    added = Node(id=_free("start", {node.id for node in nodes}), type="trigger.manual")
    note("TRIGGER_ADDED", "There was no trigger; 'trigger.manual' now comes first.", "$.nodes", added.id)
    return added


def _step(node: Theirs, sources: Sources, pins: Mapping[str, Any], note: Note) -> tuple[Node, Made]:
    """Read one node, and what its outputs are called."""

    def say(code: str, message: str) -> None:
        note(code, message, node.path, node.id)

    made = made_of(Step(node, sources, say))
    raw = node.raw
    for key in raw:
        if key not in SEEN and raw[key] not in (None, False, ""):
            note(
                "UNKNOWN_FIELD", f"'{key}' of '{node.name}' has no place here.", f"{node.path}.{key}", node.id
            )
    tries, pause_ms = raw.get("maxTries", 3), raw.get("waitBetweenTries", 1_000)
    retry = None
    if raw.get("retryOnFail") is True:
        retry = Retry(
            max_attempts=tries if isinstance(tries, int) else 3,
            initial_delay_ms=pause_ms if isinstance(pause_ms, int) else 1_000,
            backoff_multiplier=1.0,
        )
    return Node(
        id=node.id,
        type=made.type,
        label=node.name,
        config=made.config,
        position=imported_position(raw.get("position")),
        retry=retry,
        disabled=made.is_disabled or raw.get("disabled") is True,
        on_error=imported_on_error(raw, {}),
        notes=text_of(raw.get("notes")),
        pinned=_pinned(node, pins.get(node.name)),
    ), made


def _pinned(node: Theirs, items: Any) -> Mapping[str, Json] | None:
    """Read what tests take instead of running the node: the JSON of its items."""
    values = (
        [item["json"] for item in items if isinstance(item, dict) and "json" in item]
        if isinstance(items, list)
        else []
    )
    if not values or node.kind in ("if", "switch", "splitInBatches"):
        return None
    output = values[0] if len(values) == 1 else values
    is_body = node.kind == "httpRequest" and not is_whole(node)
    return {"output": {"status": 200, "body": output} if is_body else output}


def _edge(source: Node, made: Made, at: int, target: Node, note: Note) -> Edge:
    """Draw one line; the output after the regular ones is that of errors."""
    handle = made.outputs[at] if at < len(made.outputs) else ""
    if at == len(made.outputs) and source.on_error is OnError.BRANCH:
        handle = "error"
    elif at >= len(made.outputs):
        handle = str(at)
        if made.is_known:
            note(
                "OUTPUTS",
                f"'{source.label}' has no output number {at}; see where its line should go.",
                "$.connections",
                source.id,
            )
    return Edge(source.id, target.id, source_handle=handle)


def _zoned(node: Node, timezone: str) -> Node:
    """Let a schedule count in the time zone of the workflow, as n8n does."""
    if node.type != "trigger.schedule" or timezone == "UTC":
        return node
    return msgspec.structs.replace(node, config={**node.config, "timezone": timezone})


def _notes(listed: Sequence[Any]) -> Iterator[CanvasNote]:
    sticky = [raw for raw in listed if isinstance(raw, dict) and raw.get("type") == STICKY]
    for number, raw in enumerate(sticky, 1):
        given = raw["parameters"] if isinstance(raw.get("parameters"), dict) else {}
        sides = {"width": given.get("width"), "height": given.get("height")}
        yield CanvasNote(
            id=f"note_{number}",
            text=text_of(given.get("content")),
            position=imported_position(raw.get("position")),
            size={"width": 240, "height": 160}
            | {key: side for key, side in sides.items() if isinstance(side, int)},
            colour=COLOURS.get(text_of(given.get("color")), ""),
        )
