"""Everything that is wrong with a spec, at once, so that the editor can show it all.

Errors stop publishing and running; warnings do not. Codes are in upper case and never change.
"""

from collections.abc import Iterator, Sequence

import msgspec

from linkflow.domain.errors import SpecInvalid
from linkflow.domain.node import Catalog
from linkflow.domain.values import Json
from linkflow.domain.workflow.check_edges import edge_problems, settled_edges, shape_problems
from linkflow.domain.workflow.check_expressions import expression_problems
from linkflow.domain.workflow.check_nodes import node_problems
from linkflow.domain.workflow.placed import lay_out, shape_of_layout
from linkflow.domain.workflow.spec import Edge, Node, Problem, Severity, WorkflowSpec, parse


def check(spec: WorkflowSpec, catalog: Catalog) -> list[Problem]:
    """List every problem of a spec: nodes first, then edges, shape and expressions.

    Args:
        spec: The spec; its edge ids may be missing.
        catalog: The node types that are known.
    """
    layout = lay_out(spec, catalog)
    handles, conditions = settled_edges(layout)
    shape = shape_of_layout(layout, handles)
    return [
        *node_problems(layout, catalog),
        *edge_problems(layout, handles),
        *shape_problems(layout, shape),
        *expression_problems(layout, shape, conditions),
    ]


def check_json(raw: Json, catalog: Catalog) -> tuple[WorkflowSpec | None, list[Problem]]:
    """List every problem of a spec as it was sent.

    Returns:
        The spec with its edge ids filled in, or None when it does not have the right shape; and the problems.
    """
    problems = list(json_problems(raw))
    if has_errors(problems):
        return None, problems
    try:
        spec = parse(raw)
    except SpecInvalid as error:
        return None, [*problems, Problem("SCHEMA_VALIDATION_ERROR", str(error), path=_path_in(str(error)))]
    return spec, [*problems, *check(spec, catalog)]


def has_errors(problems: Sequence[Problem]) -> bool:
    """Say whether any problem stops the workflow from running."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def require_valid(spec: WorkflowSpec, catalog: Catalog) -> Sequence[Problem]:
    """Refuse a spec with errors.

    Returns:
        The warnings.

    Raises:
        SpecInvalid: `details` hold `problems`, all of them, as JSON.
    """
    problems = check(spec, catalog)
    if has_errors(problems):
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise SpecInvalid(f"{errors[0].message}{more}", problems=msgspec.to_builtins(problems))
    return problems


# --- the shape of the JSON: what would be lost or refused when it is read ---

_NODE_FIELDS = (("id", "MISSING_NODE_ID"), ("type", "MISSING_NODE_TYPE"))
_EDGE_FIELDS = (("source", "MISSING_SOURCE_NODE"), ("target", "MISSING_TARGET_NODE"))


def json_problems(raw: Json) -> Iterator[Problem]:
    """List what would be refused or lost when this JSON is read as a spec."""
    if not isinstance(raw, dict):
        yield Problem("SCHEMA_VALIDATION_ERROR", "A workflow is an object with trigger, nodes and edges.")
        return
    yield from _unknown(raw, WorkflowSpec, "$")
    if isinstance(raw.get("trigger"), dict):
        yield from _fields(raw["trigger"], _NODE_FIELDS, Node, "$.trigger")
    else:
        yield Problem("NO_TRIGGER_NODE", "The workflow has no trigger; add one.", path="$.trigger")
    for at, node in enumerate(_listed(raw, "nodes")):
        yield from _fields(node, _NODE_FIELDS, Node, f"$.nodes[{at}]")
    for at, edge in enumerate(_listed(raw, "edges")):
        yield from _fields(edge, _EDGE_FIELDS, Edge, f"$.edges[{at}]")
        if isinstance(edge, dict) and not edge.get("id"):
            message = "The edge has no id; one is made from its ends."
            yield Problem("MISSING_CONNECTION_ID", message, Severity.WARNING, f"$.edges[{at}]")


def _listed(raw: dict[str, Json], name: str) -> list[Json]:
    found = raw.get(name)
    return found if isinstance(found, list) else []


def _fields(
    raw: Json, needed: Sequence[tuple[str, str]], struct: type[msgspec.Struct], path: str
) -> Iterator[Problem]:
    if not isinstance(raw, dict):
        yield Problem("SCHEMA_VALIDATION_ERROR", "An object is needed here.", path=path)
        return
    node_id = raw["id"] if struct is Node and isinstance(raw.get("id"), str) else None
    for name, code in needed:
        if not isinstance(raw.get(name), str) or not raw[name]:
            yield Problem(
                code, f"`{name}` is missing; give it as text.", path=f"{path}.{name}", node_id=node_id
            )
    yield from _unknown(raw, struct, path)


def _unknown(raw: dict[str, Json], struct: type[msgspec.Struct], path: str) -> Iterator[Problem]:
    known = {field.encode_name for field in msgspec.structs.fields(struct)}
    for name in raw:
        if name not in known:
            message = f"'{name[:60]}' is not a field here; it is not kept."
            yield Problem("UNKNOWN_FIELD", message, Severity.WARNING, f"{path}.{name}")


def _path_in(message: str) -> str:
    """Take the path out of the reader's message: "Expected `int`, got `str` - at `$.nodes[0].timeout`"."""
    _, _, path = message.rpartition("at `")
    return path.partition("`")[0] if path.startswith("$") else "$"
