"""References of a workflow to others, by id: its sub-workflows and its error workflow."""

from collections.abc import Mapping

import msgspec

from linkflow.domain.node import Catalog
from linkflow.domain.workflow.spec import Node, WorkflowSpec

_NAMES = ("workflow_id", "workflowId", "workflow")


def redirected(spec: WorkflowSpec, ids: Mapping[str, str], catalog: Catalog) -> WorkflowSpec:
    """Let references follow workflows that have new ids; others stay as they are.

    Args:
        spec: The spec that refers.
        ids: `{"<id before>": "<id now>"}`.
        catalog: The node types, for aliases.
    """
    settings = msgspec.structs.replace(
        spec.settings, error_workflow=ids.get(spec.settings.error_workflow, spec.settings.error_workflow)
    )
    handling = spec.error_handling
    handling = msgspec.structs.replace(
        handling, error_workflow=ids.get(handling.error_workflow, handling.error_workflow)
    )
    nodes = tuple(_redirected(node, ids, catalog) for node in spec.nodes)
    return msgspec.structs.replace(spec, nodes=nodes, settings=settings, error_handling=handling)


def _redirected(node: Node, ids: Mapping[str, str], catalog: Catalog) -> Node:
    found = catalog.find(node.type)
    if found is None or found.type != "flow.sub_workflow":
        return node
    config = {
        name: ids.get(value, value) if name in _NAMES and isinstance(value, str) else value
        for name, value in node.config.items()
    }
    return msgspec.structs.replace(node, config=config)
