"""Expressions: what they give, and what they can name, without running anything."""

from functools import cache
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from linkflow.api import expression_shapes as shapes
from linkflow.api.deps import Answer, Ask, Id, NodeId, Shape, StrictRoute, Word
from linkflow.control.previews import Evaluated, Place
from linkflow.domain.values import Json
from linkflow.domain.workflow.template.functions import FUNCTIONS

router = APIRouter(prefix="/api/v1", tags=["expressions"], route_class=StrictRoute)

Expressions = Annotated[list[Any], Field(min_length=1, max_length=20)]
Named = Annotated[NodeId, Field(min_length=1)]


class Sample(Shape):
    """Data to evaluate with, where it is not an execution's.

    Attributes:
        trigger: What the trigger hands on.
        outputs: What nodes said, by node id.
    """

    trigger: Any = None
    outputs: dict[str, Any] = Field(default_factory=dict, max_length=1_000)


class Evaluate(Shape):
    """Expressions, where they stand, and with whose data.

    Attributes:
        workflow_id: Its draft says what leads to the node.
        node_id: The node whose parameters hold the expressions.
        expressions: Values of parameters, any JSON, with `{{ }}` around what is an expression.
        are_bare: They are text, each an expression without braces, as conditions are.
        execution_id: Whose data is used; left out, that of pins, and what can be decided without running.
        run: Which run of the node in it, by number from 1 or by key: in a loop there are many. Left out, the
            last that failed, else the last.
        sample: Data that counts before all other.
    """

    workflow_id: Named
    node_id: Named
    expressions: Expressions
    are_bare: bool = False
    execution_id: Word = ""
    run: Word = ""
    sample: Sample | None = None


def _shown(found: Evaluated) -> Json:
    if found.error is not None:
        return {"error": dict(found.error)}
    return {"value": found.value, "type": found.type, "is_cut": found.is_cut}


@router.post(
    "/expressions/evaluate",
    responses={200: {"model": shapes.EvaluatedExpressions}},
    summary="Evaluate expressions",
)
async def evaluate(ask: Ask, body: Evaluate) -> Response:
    """Say what expressions give at a node, as an execution would; nothing runs, secrets show as dots.

    Each expression has its own answer: a value (shortened when `is_cut`), or an error with its `position` or
    the `nearest` name that is there.
    """
    sample = {}
    if body.sample is not None:
        sample["outputs"] = body.sample.outputs
        if "trigger" in body.sample.model_fields_set:
            sample["trigger"] = body.sample.trigger
    place = Place(
        workflow_id=body.workflow_id,
        node_id=body.node_id,
        execution_id=body.execution_id,
        run=body.run,
        **sample,
    )
    key, found = await ask.plane.previews.evaluate(
        await ask.actor(), place, body.expressions, are_bare=body.are_bare
    )
    return Answer({"key": key, "data": [_shown(each) for each in found]})


@router.get(
    "/expressions/functions", responses={200: {"model": shapes.FunctionList}}, summary="List functions"
)
async def functions(ask: Ask) -> Response:
    """List the functions that expressions can call, by family."""
    await ask.actor()
    return Answer({"data": _functions()})


@cache
def _functions() -> list[Json]:
    return [
        {
            "name": function.name,
            "signature": function.signature,
            "about": function.summary,
            "family": function.family,
            "example": function.example,
        }
        for function in FUNCTIONS.values()
    ]


@router.get(
    "/workflows/{workflow_id}/nodes/{node_id}/scope",
    responses={200: {"model": shapes.NodeScope}},
    summary="List what expressions can name",
)
async def scope(
    ask: Ask,
    workflow_id: Id,
    node_id: Id,
    execution_id: Annotated[str, Query(max_length=100, description="Whose data is shown.")] = "",
    run: Annotated[str, Query(max_length=1000, description="Which run of the node: number or key.")] = "",
) -> Response:
    """List what the expressions of a node can name, with types and samples; the nearest node first.

    A list is described by its first element; no large value is shown whole. Of a node that ran often, as in
    a loop, the last run that failed counts, else the last, unless `run` names another.
    """
    place = Place(workflow_id=workflow_id, node_id=node_id, execution_id=execution_id, run=run)
    found = await ask.plane.previews.scope(await ask.actor(), place)
    return Answer({
        "key": found.key,
        "data": list(found.roots),
        "run": None if found.run is None else msgspec.to_builtins(found.run),
    })  # fmt: skip
