"""Trying an execution again from a node: what earlier nodes said is taken over, the rest runs again."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from linkflow.domain.errors import NotFound
from linkflow.domain.execution.view import NodeRun
from linkflow.domain.values import Json
from linkflow.domain.workflow.spec import WorkflowSpec


class FinishedRun(msgspec.Struct, frozen=True):
    """A node that ended well: its key, its node, what it said, the handles it took."""

    key: str
    node_id: str
    output: Json
    handles: Sequence[str] = ("out",)


def finished_runs(runs: Iterable[NodeRun]) -> Sequence[FinishedRun]:
    """List the nodes that ended well, in the order of the execution."""
    return [
        FinishedRun(run.key, run.node_id, run.output, run.handles or ("out",))
        for run in runs
        if run.status == "success"
    ]


def nodes_again(spec: WorkflowSpec, runs: Sequence[NodeRun], from_node: str = "") -> set[str]:
    """List the nodes that a retry begins with, by id: the one that is named, else what did not end well.

    Raises:
        NotFound: There is no node of that id or key.
    """
    if from_node:
        again = {run.node_id for run in runs if from_node in (run.key, run.node_id)}
        again |= {node.id for node in spec.every_node() if node.id == from_node}
        if not again:
            raise NotFound(f"The execution has no node {from_node!r}.", node=from_node)
        return again
    ended_well = {run.node_id for run in runs if run.status == "success"}
    again = {run.node_id for run in runs if run.node_id not in ended_well}
    return again | {run.node_id for run in runs if run.status in ("error", "timeout", "cancelled")}


def downstream(spec: WorkflowSpec, node_ids: Iterable[str]) -> set[str]:
    """List nodes and everything that any path leads to from them."""
    following: dict[str, list[str]] = {}
    for edge in spec.edges:
        following.setdefault(edge.source, []).append(edge.target)
    found: set[str] = set()
    ahead = list(node_ids)
    while ahead:
        node_id = ahead.pop()
        if node_id not in found:
            found.add(node_id)
            ahead.extend(following.get(node_id, ()))
    return found


def retry_overrides(
    spec: WorkflowSpec, runs: Iterable[FinishedRun], again: Iterable[str]
) -> Mapping[str, Json]:
    """Say what a retry takes over from the execution before.

    Args:
        spec: What both executions run.
        runs: The nodes that ended well before.
        again: Ids of the nodes to begin with; they and all that follow them run again.

    Returns:
        `{"<node key>": {"output": JSON, "handles": [str]}}` of every other node.
    """
    anew = downstream(spec, again) | {spec.trigger.id}
    return {
        run.key: {"output": run.output, "handles": list(run.handles)}
        for run in runs
        if run.node_id not in anew
    }
