"""Trying an execution again from a node: what earlier nodes said is taken over, the rest runs again."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from linkflow.domain.values import Json
from linkflow.domain.workflow.spec import WorkflowSpec


class FinishedRun(msgspec.Struct, frozen=True):
    """A node that ended well: its key, its node, what it said, the handles it took."""

    key: str
    node_id: str
    output: Json
    handles: Sequence[str] = ("out",)


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
