"""What nodes said: paged, searched, described, and whole; no reader has to hold more than it shows."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from linkflow.api import expression_shapes as shapes
from linkflow.api.deps import Answer, Ask, Id, StrictRoute
from linkflow.domain.errors import NotFound
from linkflow.domain.outline import Outliner, shortened, type_of
from linkflow.domain.values import Json, encode_json

router = APIRouter(prefix="/api/v1/executions", tags=["executions"], route_class=StrictRoute)

PAGE_BYTES = 256 * 1024
"""A longer page is shown shortened; `path` leads to its parts, `view=whole` to all of it."""

_KINDS = {"list": "list", "object": "object", "text": "text"}


@router.get(
    "/{execution_id}/nodes/{key}/output",
    responses={200: {"model": shapes.OutputPage}},
    summary="Page through an output",
)
@router.get(
    "/{execution_id}/nodes/{key}/runs/{number}/output",
    responses={200: {"model": shapes.OutputPage}},
    summary="Page through an output",
)
async def output(
    ask: Ask,
    execution_id: Id,
    key: Id,
    number: int = 1,
    offset: Annotated[int, Query(ge=0, le=2_147_483_647)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    path: Annotated[list[str] | None, Query(max_length=50, description="Into it: keys, indexes.")] = None,
    q: Annotated[str, Query(max_length=200, description="Only what holds these words.")] = "",
    view: Annotated[Literal["page", "schema", "whole"], Query(description="What of it.")] = "page",
) -> Response:
    """Read the output of a node: lists by items, objects by members, text by characters.

    A page above 256 KB is shortened (`is_cut`). `q` keeps the items and members that hold some words, in
    their names too, with the `indexes` that they have. `view=schema` describes it by types and samples,
    `view=whole` is all of it, as a file.
    """
    value = _at(await ask.plane.executions.output(await ask.actor(), execution_id, key, number), path or ())
    if view == "schema":
        return Answer({"schema": Outliner().describe(value, "output")})
    if view == "whole":
        name = "".join(each if each.isascii() and each.isalnum() else "-" for each in key)
        return Answer(value, headers={"content-disposition": f'attachment; filename="{name}.json"'})
    indexes, found = _holding(value, q) if q else (None, value)
    page = _page(found, offset, limit)
    is_cut = len(encode_json(page)) > PAGE_BYTES
    shown = {
        "kind": _KINDS.get(type_of(value), "value"),
        "count": len(found) if isinstance(found, list | dict | str) else 1,
        "offset": offset,
        "is_cut": is_cut,
        "output": shortened(page, items=limit, chars=1_000, depth=4) if is_cut else page,
    }
    return Answer(shown if indexes is None else shown | {"indexes": indexes[offset : offset + limit]})


def _at(value: Json, path: list[str] | tuple[()]) -> Json:
    """Follow keys and indexes.

    Raises:
        NotFound: The output has no such part.
    """
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isascii() and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise NotFound(f"The output has no part {step[:100]!r}; ask again without it.", path=list(path))
    return value


def _page(value: Json, offset: int, limit: int) -> Json:
    match value:
        case list() | str():
            return value[offset : offset + limit]
        case dict():
            return dict(list(value.items())[offset : offset + limit])
    return value


def _holding(value: Json, words: str) -> tuple[list[int], Json]:
    """Keep the items or members that hold some words, whatever their case; and say where they were."""
    wanted = words.casefold()

    def holds(part: Json) -> bool:
        return wanted in encode_json(part).decode().casefold()

    match value:
        case list():
            found = [(at, item) for at, item in enumerate(value) if holds(item)]
            return [at for at, _ in found], [item for _, item in found]
        case dict():
            kept = [(at, pair) for at, pair in enumerate(value.items()) if holds(list(pair))]
            return [at for at, _ in kept], dict(pair for _, pair in kept)
        case str():
            lines = [(at, line) for at, line in enumerate(value.splitlines()) if wanted in line.casefold()]
            return [at for at, _ in lines], "\n".join(line for _, line in lines)
    return [], value
