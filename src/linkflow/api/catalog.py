"""What there is to build with: node types and templates; what is published: events."""

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from linkflow.api import shapes
from linkflow.api.deps import Answer, Ask, Id, Shape, StrictRoute, Word
from linkflow.api.workflows import created
from linkflow.domain.errors import NotFound
from linkflow.domain.node import NodeSpec
from linkflow.domain.values import Json

router = APIRouter(prefix="/api/v1", route_class=StrictRoute)


def node_type(spec: NodeSpec) -> Json:
    """Say a node type."""
    return {
        "type": spec.type,
        "version": spec.version,
        "group": spec.group,
        "title": spec.title,
        "summary": spec.summary,
        "class": str(spec.node_class),
        "inputs": list(spec.inputs),
        "outputs": list(spec.outputs),
        "dynamic_outputs": spec.dynamic_outputs,
        "aliases": list(spec.aliases),
        "parameters": msgspec.to_builtins(spec.parameters),
        "output": spec.output,
        "example": spec.example,
        "timeout_s": spec.timeout_s,
        "heartbeat_s": spec.heartbeat_s,
        "unknown": spec.unknown,
        "can_look_up": spec.can_look_up,
        "docs": spec.docs,
    }


@router.get("/nodes", tags=["catalogue"], responses={200: {"model": shapes.Rows}}, summary="List node types")
async def nodes(ask: Ask, group: Word = "", search: Word = "") -> Response:
    """List node types, by type."""
    (await ask.actor()).require("workflow.view")
    found = [
        node_type(spec)
        for spec in ask.plane.catalog.specs()
        if (not group or spec.group == group)
        and search.lower() in f"{spec.type} {spec.title} {spec.summary}".lower()
    ]
    return Answer({"data": found, "next": None})


@router.get(
    "/nodes/categories", tags=["catalogue"], responses={200: {"model": shapes.Rows}}, summary="List groups"
)
async def categories(ask: Ask) -> Response:
    """List the groups of node types and how many types each has."""
    (await ask.actor()).require("workflow.view")
    counts: dict[str, int] = {}
    for spec in ask.plane.catalog.specs():
        counts[spec.group] = counts.get(spec.group, 0) + 1
    return Answer(
        {"data": [{"group": group, "count": n} for group, n in sorted(counts.items())], "next": None}
    )


@router.get(
    "/nodes/{name}", tags=["catalogue"], responses={200: {"model": shapes.NodeType}}, summary="Read a type"
)
async def node(ask: Ask, name: Id) -> Response:
    """Read a node type, by its name or an alias."""
    (await ask.actor()).require("workflow.view")
    found = ask.plane.catalog.find(name)
    if found is None:
        raise NotFound(f"There is no node type {name!r}.", type=name)
    return Answer(node_type(found))


@router.get(
    "/templates", tags=["templates"], responses={200: {"model": shapes.Rows}}, summary="List templates"
)
async def templates(ask: Ask) -> Response:
    """List workflows to begin with."""
    (await ask.actor()).require("workflow.view")
    found = [
        {"slug": each.slug, "name": each.name, "description": each.description, "tags": list(each.tags)}
        for each in ask.plane.templates.list()
    ]
    return Answer({"data": found, "next": None})


@router.get(
    "/templates/{slug}",
    tags=["templates"],
    responses={200: {"model": shapes.Template}},
    summary="Read a template",
)
async def template(ask: Ask, slug: Id) -> Response:
    """Read a template with its spec."""
    (await ask.actor()).require("workflow.view")
    return Answer(msgspec.to_builtins(ask.plane.templates.read(slug)))


@router.post(
    "/templates/{slug}/use",
    tags=["templates"],
    status_code=201,
    responses={201: {"model": shapes.Workflow}},
    summary="Begin with a template",
)
async def use(ask: Ask, slug: Id) -> Response:
    """Create the workflow of a template, and those that come with it."""
    actor = await ask.actor()
    arrivals = await ask.plane.exchange.bring_in(actor, ask.plane.templates.read(slug).document)
    made = arrivals[0].workflow
    assert made is not None  # a packaged example can be read
    return created(made)


class EventBody(Shape):
    """An event: the key that waits must match, and its data."""

    key: Word = ""
    data: Any = None


@router.post(
    "/events/{name}",
    tags=["events"],
    status_code=202,
    responses={202: {"model": shapes.EventAccepted}},
    summary="Publish an event",
)
async def publish(ask: Ask, name: Id, body: EventBody | None = None) -> Response:
    """Publish an event: it starts workflows with an event trigger and goes to executions that wait for it."""
    asked = body or EventBody()
    found = await ask.plane.events.publish(
        await ask.actor(), name, key=asked.key, data=asked.data, dedup_key=ask.request_key
    )
    return Answer(
        {
            "event_id": found.event.id,
            "execution_ids": [start.execution_id for start in found.event.starts],
            "signalled": list(found.signalled),
        },
        202,
    )
