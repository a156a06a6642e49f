"""Searching executions: lists, counts, what can be searched by, and searches that are kept."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from linkflow.api import render, shapes
from linkflow.api.deps import Answer, Ask, Asking, Id, Line, Shape, StrictRoute
from linkflow.control.actor import Actor
from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json
from linkflow.ports.searches import SavedSearch, SearchAttribute
from linkflow.ports.services import ExecutionQuery

router = APIRouter(prefix="/api/v1/executions", tags=["executions"], route_class=StrictRoute)
saved = APIRouter(prefix="/api/v1/searches", tags=["executions"], route_class=StrictRoute)
attributes = APIRouter(prefix="/api/v1/search-attributes", tags=["executions"], route_class=StrictRoute)
of_workflow = APIRouter(prefix="/api/v1/workflows", tags=["executions"], route_class=StrictRoute)

Plain = Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")]
Seconds = Annotated[float, Field(ge=-1e11, le=1e11, allow_inf_nan=False)]
Group = Literal["status", "workflow", "trigger", "mode", "error", "hour", "day", "duration"]


class SearchFields(BaseModel):
    """What executions are asked for; what is left out asks for nothing. Instants are seconds since 1970."""

    workflow_id: Plain = ""
    status: Annotated[list[Plain], Field(max_length=10, description="Any of these statuses.")] = []
    trigger_kind: Plain = ""
    mode: Plain = ""
    parent_id: Plain = ""
    started_from: Seconds | None = None
    started_to: Seconds | None = None
    closed_from: Seconds | None = None
    closed_to: Seconds | None = None
    min_duration_s: Seconds | None = None
    max_duration_s: Seconds | None = None
    error_code: Plain = ""
    q: Annotated[Plain, Field(description="Words of errors, names of workflows, an execution's id.")] = ""
    attribute: Annotated[
        list[Plain], Field(max_length=10, description="name=value, name>=value or name<=value.")
    ] = []


class SearchPage(SearchFields):
    """A search and the page of it."""

    saved: Annotated[Plain, Field(description="Id of a saved search; what is said here goes before it.")] = ""
    after: Annotated[str, Field(max_length=200, description="`next` of the page before.")] = ""
    limit: Annotated[int, Field(ge=1, le=100, description="Rows of a page.")] = 20


class SearchCounts(SearchFields):
    """A search and how to count it."""

    saved: Annotated[Plain, Field(description="Id of a saved search; what is said here goes before it.")] = ""
    by: Group = "status"


class LatestAsked(BaseModel):
    """Whose newest executions, and how many of each."""

    workflow_id: Annotated[list[Plain], Field(description="Each of these workflows, 1 to 100.")] = []
    limit: Annotated[int, Field(ge=1, le=25, description="Executions of each workflow.")] = 25


def query_of(actor: Actor, asked: SearchFields, **more: Any) -> ExecutionQuery:
    """Say a search as the control plane wants it."""
    fields = asked.model_dump(include=set(SearchFields.model_fields) - {"q", "attribute", "status"})
    status = [part for each in asked.status for part in each.split(",") if part]
    return ExecutionQuery(workspace_id=actor.workspace_id, status=status, text=asked.q, **fields, **more)


async def _with_saved(ask: Asking, actor: Actor, asked: SearchPage | SearchCounts) -> SearchFields:
    """Put a saved search under what is asked."""
    if not asked.saved:
        return asked
    kept = (await ask.plane.searches.read(actor, asked.saved)).query
    said = asked.model_dump(include=asked.model_fields_set & set(SearchFields.model_fields))
    return SearchFields.model_validate({**kept, **said})


async def found_page(ask: Asking, asked: SearchPage) -> Response:
    """Answer with a page of executions."""
    actor = await ask.actor()
    fields = await _with_saved(ask, actor, asked)
    query = query_of(actor, fields, after=asked.after, limit=asked.limit)
    page = await ask.plane.searches.list(actor, query, fields.attribute)
    return Answer({"data": [render.execution_row(row) for row in page.rows], "next": page.next or None})


@router.get("/search", responses={200: {"model": shapes.ExecutionPage}}, summary="Search executions")
async def search(ask: Ask, asked: Annotated[SearchPage, Query()]) -> Response:
    """Search executions, newest first; pages stay as they are while new executions start."""
    return await found_page(ask, asked)


@router.get("/stats", summary="Count executions by status")
async def stats(ask: Ask, asked: Annotated[SearchFields, Query()]) -> Response:
    """Count executions by status."""
    actor = await ask.actor()
    return Answer(dict(await ask.plane.searches.count(actor, query_of(actor, asked), asked.attribute)))


@router.get("/counts", summary="Count executions by anything")
async def counts(ask: Ask, asked: Annotated[SearchCounts, Query()]) -> Response:
    """Count executions by status, workflow, trigger, mode, error, hour, day or duration, largest first."""
    actor = await ask.actor()
    fields = await _with_saved(ask, actor, asked)
    query = query_of(actor, fields, group_by=asked.by)
    found = await ask.plane.searches.count(actor, query, fields.attribute)
    return Answer({"by": asked.by, "counts": [{"key": key, "count": n} for key, n in found.items()]})


@router.get(
    "/latest",
    responses={200: {"model": shapes.LatestExecutions}},
    summary="List the newest of each workflow",
)
async def latest(ask: Ask, asked: Annotated[LatestAsked, Query()]) -> Response:
    """List the newest executions of each of some workflows, in the order asked for, newest first.

    A workflow that is not in the workspace has none, as one that never ran.
    """
    found = await ask.plane.searches.latest(await ask.actor(), asked.workflow_id, asked.limit)
    return Answer({
        "data": [
            {"workflow_id": each, "executions": [render.execution_row(row) for row in rows]}
            for each, rows in found.items()
        ]
    })  # fmt: skip


@of_workflow.get("/{workflow_id}/stats", summary="Say how a workflow does")
async def of_one(ask: Ask, workflow_id: Id, asked: Annotated[SearchFields, Query()]) -> Response:
    """Say how many executions a workflow had, and how many of those that ended well or badly ended well."""
    actor = await ask.actor()
    await ask.plane.workflows.read(actor, workflow_id)
    query = query_of(actor, asked.model_copy(update={"workflow_id": workflow_id}))
    found = dict(await ask.plane.searches.count(actor, query, asked.attribute))
    good = found.get("completed", 0)
    judged = good + found.get("failed", 0) + found.get("timed_out", 0)
    rate = round(good / judged, 4) if judged else None
    return Answer({"total": sum(found.values()), "by_status": found, "success_rate": rate})


class NewSearch(Shape):
    """A search to keep; its query has the parameters of `GET /executions/search`."""

    name: Line
    query: dict[str, Any] = Field(default_factory=dict)
    is_shared: bool = False


def shown(search: SavedSearch, actor: Actor) -> Json:
    """Say a saved search."""
    return {
        "id": search.id,
        "name": search.name,
        "query": dict(search.query),
        "is_shared": search.is_shared,
        "is_own": search.owner_id == actor.user_id,
        "created_at": render.instant(search.created_at),
    }


class KeptFields(SearchFields, extra="forbid"):
    """What a saved search may ask for: nothing that no search knows."""


def checked_query(query: Mapping[str, Json]) -> Mapping[str, Json]:
    """Take the query of a saved search.

    Raises:
        Invalid: No search asks like this.
    """
    try:
        return KeptFields.model_validate(query).model_dump(exclude_defaults=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"query.{place}: {first['msg']}.", code="search.query") from None


@saved.post("", status_code=201, summary="Keep a search")
async def save(ask: Ask, body: NewSearch) -> Response:
    """Keep a search, for oneself or for everybody in the workspace."""
    query = checked_query(body.query)
    actor = await ask.actor()
    found = await ask.plane.searches.save(actor, body.name, query, is_shared=body.is_shared)
    return Answer(shown(found, actor), 201)


@saved.get("", responses={200: {"model": shapes.Rows}}, summary="List saved searches")
async def saved_listed(ask: Ask) -> Response:
    """List one's own searches and those that are shared, by name."""
    actor = await ask.actor()
    found = await ask.plane.searches.saved(actor)
    return Answer({"data": [shown(each, actor) for each in found], "next": None})


@saved.get("/{search_id}", summary="Read a saved search")
async def saved_read(ask: Ask, search_id: Id) -> Response:
    """Read a saved search."""
    actor = await ask.actor()
    return Answer(shown(await ask.plane.searches.read(actor, search_id), actor))


@saved.put("/{search_id}", summary="Replace a saved search")
async def saved_change(ask: Ask, search_id: Id, body: NewSearch) -> Response:
    """Replace a search of one's own."""
    query = checked_query(body.query)
    actor = await ask.actor()
    found = await ask.plane.searches.change(actor, search_id, body.name, query, is_shared=body.is_shared)
    return Answer(shown(found, actor))


@saved.delete("/{search_id}", status_code=204, summary="Forget a saved search")
async def saved_forget(ask: Ask, search_id: Id) -> None:
    """Forget a search of one's own."""
    await ask.plane.searches.forget(await ask.actor(), search_id)


class Declared(Shape):
    """What an attribute's values are: text, number, boolean or instant."""

    kind: Literal["text", "number", "boolean", "instant"]


def declared(attribute: SearchAttribute) -> Json:
    """Say an attribute."""
    return {"name": attribute.name, "kind": attribute.kind}


@attributes.get("", responses={200: {"model": shapes.Rows}}, summary="List what can be searched by")
async def attributes_listed(ask: Ask) -> Response:
    """List the attributes that executions can be searched by."""
    found = await ask.plane.searches.attributes(await ask.actor())
    return Answer({"data": [declared(each) for each in found], "next": None})


@attributes.put("/{name}", summary="Declare an attribute")
async def declare(ask: Ask, name: Id, body: Declared) -> Response:
    """Declare something that executions can be searched by."""
    return Answer(declared(await ask.plane.searches.declare(await ask.actor(), name, body.kind)))


@attributes.delete("/{name}", status_code=204, summary="Withdraw an attribute")
async def withdraw(ask: Ask, name: Id) -> None:
    """Stop searching by an attribute; executions keep their values."""
    await ask.plane.searches.withdraw(await ask.actor(), name)
