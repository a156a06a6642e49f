"""Parts of a workflow: what leads to a node, and what a test of some nodes has to run.

A part is a spec of its own, so the engine runs it as it runs any other: what is not needed is not in it, and
what earlier executions or pins said is an override.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from linkflow.domain.errors import NotFound
from linkflow.domain.execution.retry_from import FinishedRun, downstream
from linkflow.domain.values import Json
from linkflow.domain.workflow.spec import Edge, Node, WorkflowSpec
from linkflow.domain.workflow.template import ExpressionError, node_of, references

ALWAYS = "#*"
"""Behind a node id in overrides: every run of the node, whatever its key."""


class Part(msgspec.Struct, frozen=True):
    """What a test of some nodes runs.

    Attributes:
        spec: The nodes that are needed, and the edges between them.
        overrides: `{"<node key>": {"output": JSON, "handles": [str]}}` of nodes that do not run.
    """

    spec: WorkflowSpec
    overrides: Mapping[str, Json]


def upstream(spec: WorkflowSpec, node_ids: Iterable[str]) -> set[str]:
    """List nodes and everything from which any path leads to them."""
    return _walk(_sources(spec), node_ids, stops=frozenset())


def only(spec: WorkflowSpec, kept: Iterable[str]) -> WorkflowSpec:
    """Leave out every other node but the trigger, with its edges."""
    ids = {*kept, spec.trigger.id}
    nodes = tuple(node for node in spec.nodes if node.id in ids)
    edges = tuple(edge for edge in spec.edges if edge.source in ids and edge.target in ids)
    return msgspec.structs.replace(spec, nodes=nodes, edges=edges)


def pinned_overrides(spec: WorkflowSpec, *, but: str = "") -> dict[str, Json]:
    """List what is pinned, as overrides of every run of those nodes.

    Args:
        spec: A draft.
        but: Id of a node that runs although it is pinned.
    """
    return {
        f"{node.id}{ALWAYS}": node.pinned
        for node in spec.every_node()
        if node.pinned is not None and node.id not in (but, spec.trigger.id)
    }


def unpinned(spec: WorkflowSpec) -> WorkflowSpec:
    """Take the pins off: what is published and what runs has none."""
    if all(node.pinned is None for node in spec.every_node()):
        return spec
    trigger, *nodes = (
        msgspec.structs.replace(node, pinned=None) if node.pinned is not None else node
        for node in (spec.trigger, *spec.nodes)
    )
    return msgspec.structs.replace(spec, trigger=trigger, nodes=tuple(nodes))


def part_of(spec: WorkflowSpec, finished: Sequence[FinishedRun], *, first: str = "", last: str = "") -> Part:
    """Say what a test from one node to another runs.

    Args:
        spec: The draft, with its pins.
        finished: The nodes that ended well in the execution whose data is used.
        first: Id of the node to begin with: what comes before it is taken from `finished` and from pins, and
            runs only where neither knows it. Empty runs everything that is needed and not pinned.
        last: Id of the last node that runs; empty runs everything that follows `first`.

    Raises:
        NotFound: There is no such node.
    """
    known = {node.id for node in spec.every_node()}
    for node_id in filter(None, (first, last)):
        if node_id not in known:
            raise NotFound(f"The workflow has no node {node_id!r}.", node=node_id)
    again = downstream(spec, [first]) if first else set(known)
    taken: dict[str, Json] = {
        run.key: {"output": run.output, "handles": list(run.handles)}
        for run in finished
        if run.node_id in known - again - {spec.trigger.id}
    } | pinned_overrides(spec, but=first)
    wanted = {last} if last else again
    if first and last and last not in again:
        wanted = {last, first}
    needed = _needed(spec, wanted, taken)
    part = only(spec, needed)
    preset = {node_id for node_id in needed if _is_preset(node_id, taken)}
    if first:
        _lead_to(part, first, taken, preset)
    nodes = {node.id for node in part.every_node()}
    reached = {edge.target for edge in part.edges}
    loose = sorted(preset - reached - {spec.trigger.id})
    edges = (*part.edges, *(Edge(spec.trigger.id, each, f"to-{each}") for each in loose))
    overrides = {key: value for key, value in taken.items() if node_in(key) in nodes}
    return Part(msgspec.structs.replace(part, edges=edges), overrides)


def _sources(spec: WorkflowSpec) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for edge in spec.edges:
        found.setdefault(edge.target, []).append(edge.source)
    return found


def _walk(leads: Mapping[str, Sequence[str]], start: Iterable[str], stops: Iterable[str]) -> set[str]:
    found: set[str] = set()
    ahead, ends = list(start), set(stops)
    while ahead:
        node_id = ahead.pop()
        if node_id not in found:
            found.add(node_id)
            if node_id not in ends:
                ahead.extend(leads.get(node_id, ()))
    return found


def _needed(spec: WorkflowSpec, wanted: set[str], taken: Mapping[str, Json]) -> set[str]:
    """List what must be there: what leads to the wanted nodes, up to what is known, and what they read."""
    nodes = {node.id: node for node in spec.every_node()}
    labels = {node.label: node.id for node in nodes.values() if node.label}
    sources = _sources(spec)
    stops = {node_id for node_id in nodes if _is_preset(node_id, taken)}
    needed: set[str] = set()
    ahead = set(wanted)
    while ahead:
        found = _walk(sources, ahead, stops) - needed
        needed |= found
        ahead = {
            ref
            for node_id in found - stops
            for ref in _refs(nodes[node_id], nodes, labels)
            if ref not in needed
        }
    return needed


def _refs(node: Node, nodes: Mapping[str, Node], labels: Mapping[str, str]) -> set[str]:
    """List the nodes whose outputs a node's config reads."""
    try:
        roots = references(dict(node.config))
    except ExpressionError:
        return set()
    found: set[str] = set()
    for root in roots:
        kind, _, name = root.partition(":")
        if kind in ("node", "name", "label"):
            ref = labels.get(name) if kind == "label" and name in labels else node_of(name, nodes)
            found |= {ref} if ref else set()
    return found


def _is_preset(node_id: str, taken: Mapping[str, Json]) -> bool:
    return node_id in taken or f"{node_id}{ALWAYS}" in taken


def node_in(key: str) -> str:
    """Say which node a key, or a line of overrides, is about."""
    return key.partition("#")[0].partition("@")[0]


def _lead_to(part: WorkflowSpec, first: str, taken: dict[str, Json], preset: set[str]) -> None:
    """Let every known node that leads to the first one take the way there, whatever it took before."""
    for edge in part.edges:
        if edge.target == first and edge.source in preset:
            for key in (edge.source, f"{edge.source}{ALWAYS}"):
                way = edge.source_handle or edge.condition
                if key in taken and way and way not in (taken[key].get("handles") or ()):
                    handles = [*(taken[key].get("handles") or ()), way]
                    taken[key] = {**taken[key], "handles": handles}
