"""Problems with the expressions of a spec: syntax, unknown nodes, nodes that come too late, secrets."""

import difflib
import re
from collections.abc import Iterator, Mapping

from linkflow.domain.node import NodeClass, parted
from linkflow.domain.values import Json
from linkflow.domain.workflow.placed import Layout, PlacedNode
from linkflow.domain.workflow.shape import Shape
from linkflow.domain.workflow.spec import Problem
from linkflow.domain.workflow.template import ExpressionError, compile_expression, compile_template, node_of

_BARE = frozenset({"expression", "condition", "while", "collect", "look_up.found"})
"""Raw parameters that are an expression also without braces."""

_PLAIN = re.compile(r"\w+")


WEBHOOK_SECRETS = ("secret", "signatureSecret", "signature_secret")


def expression_problems(layout: Layout, shape: Shape, conditions: Mapping[int, str]) -> Iterator[Problem]:
    """List what is wrong with every expression.

    Args:
        layout: The spec.
        shape: Its shape, for what comes before what.
        conditions: The expression left as condition of an edge, by index in `layout.edges`.
    """
    for index, placed in enumerate(layout.nodes):
        for path, text, is_bare in _texts(placed):
            try:
                roots = (compile_expression if is_bare else compile_template)(text).roots
            except ExpressionError as error:
                yield placed.problem("EXPRESSION_SYNTAX", str(error), path)
                continue
            for root in sorted(roots):
                problem = _reference(layout, shape, index, root, placed, path)
                if problem is not None:
                    yield problem
    for at, text in conditions.items():
        try:
            compile_expression(text)
        except ExpressionError as error:
            yield layout.edges[at].problem("EXPRESSION_SYNTAX", f"The condition is not one: {error}")


def _texts(placed: PlacedNode) -> Iterator[tuple[str, str, bool]]:
    """Iterate over texts with expressions: path, text, and whether it needs no braces."""
    raw = placed.spec.raw if placed.spec else ()
    settled, left_out = parted(placed.node.config, raw)
    for name, value in left_out.items():
        path = ".config" + "".join(map(_step, name.split(".")))
        if name in _BARE and isinstance(value, str) and value.strip():
            yield path, value, True
        else:
            yield from _inside(value, path, 0)
    yield from _inside(settled, ".config", 0)


def _inside(value: Json, path: str, depth: int) -> Iterator[tuple[str, str, bool]]:
    if isinstance(value, str):
        if "{{" in value:
            yield path, value, False
    elif depth < 100 and isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(item, path + _step(key), depth + 1)
    elif depth < 100 and isinstance(value, list):
        for at, item in enumerate(value):
            yield from _inside(item, f"{path}[{at}]", depth + 1)


def _step(key: str) -> str:
    return f".{key}" if _PLAIN.fullmatch(key) else f"[{key!r}]"


def _reference(
    layout: Layout, shape: Shape, index: int, root: str, placed: PlacedNode, path: str
) -> Problem | None:
    kind, _, name = root.partition(":")
    if kind == "credential":
        return _credential(placed, name, path)
    if kind == "loop" and shape.loops[index] < 0 and not (placed.spec and placed.spec.type == "logic.loop"):
        message = "`loop` is only there inside the body of a loop; use another value."
        return placed.problem("UNKNOWN_SOURCE_PATH", message, path)
    if kind not in ("node", "label", "name"):
        return None
    found = _node_index(layout, kind, name)
    if found is None:
        return (
            None
            if kind == "name"
            else placed.problem("UNKNOWN_SOURCE_PATH", _unknown(layout, kind, name), path)
        )
    if isinstance(found, str):
        return placed.problem("AMBIGUOUS_LABEL", found, path)
    if shape.ancestors[index] >> found & 1 or found == 0:
        return None
    other = layout.nodes[found].node.id
    message = f"The output of '{other}' is not there yet when this node runs: " + (
        "a node cannot read its own output."
        if found == index
        else f"lead an edge from '{other}' to it first."
    )
    return placed.problem("UNKNOWN_SOURCE_PATH", message, path)


def _credential(placed: PlacedNode, name: str, path: str) -> Problem | None:
    if placed.spec is None or placed.spec.runs_on_worker:
        return None
    if placed.spec.type == "trigger.webhook" and path.rpartition(".")[2] in WEBHOOK_SECRETS:
        return None  # the front door opens it to check signatures; no execution sees it
    kind = "A trigger" if placed.spec.node_class is NodeClass.TRIGGER else f"{placed.spec.type}"
    message = f"{kind} cannot take the credential '{name}': only nodes that reach the outside may."
    return placed.problem("CREDENTIAL_NOT_ALLOWED", message, path)


def _node_index(layout: Layout, kind: str, name: str) -> int | str | None:
    """Find the node a reference means; text says why it is not clear."""
    if kind == "label":
        found = layout.labels().get(name, ())
        if len(found) > 1:
            return f"{len(found)} nodes have the label '{name}'; give them different ones, or use the id."
        if found:
            return found[0]
    ref = node_of(name, set(layout.by_id))
    return None if ref is None else layout.by_id[ref]


def _unknown(layout: Layout, kind: str, name: str) -> str:
    known = [*layout.by_id, *layout.labels()] if kind == "label" else list(layout.by_id)
    near = difflib.get_close_matches(name.removeprefix("node_"), known, 1, 0.5)
    return f"There is no node '{name}'" + (f"; did you mean '{near[0]}'?" if near else ".")
