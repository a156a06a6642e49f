"""API keys: made, listed, removed."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from linkflow.api import account_shapes as shapes
from linkflow.api import render
from linkflow.api.deps import Answer, Ask, Id, Line, Shape, StrictRoute
from linkflow.domain.values import Json
from linkflow.ports.identity import ApiKey

router = APIRouter(prefix="/api/v1/auth/tokens", tags=["auth"], route_class=StrictRoute)

YEARS_10_S = 10 * 366 * 24 * 3600


class NewKey(Shape):
    """What a key is for, what it is good for, and how long, seconds."""

    name: Line
    scopes: Annotated[list[Line], Field(max_length=100, default_factory=list)]
    expires_in: Annotated[int, Field(ge=60, le=YEARS_10_S)] | None = None


def shown(key: ApiKey) -> Json:
    """Say a key."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "created_at": render.instant(key.created_at),
        "expires_at": render.instant(key.expires_at),
        "last_used_at": render.instant(key.last_used_at),
    }


@router.post("", status_code=201, responses={201: {"model": shapes.MadeKey}}, summary="Make an API key")
async def create(ask: Ask, body: NewKey) -> Response:
    """Make a key for this workspace; it is shown this once and does never more than you may.

    Scopes: `*` (everything), `read`, `workflow.*`, or permissions such as `workflow.execute`.
    """
    lasts_s = None if body.expires_in is None else float(body.expires_in)
    key, secret = await ask.plane.keys.create(await ask.actor(), body.name, body.scopes, lasts_s)
    return Answer(shown(key) | {"token": secret}, 201, {"cache-control": "no-store"})


@router.get("", responses={200: {"model": shapes.Keys}}, summary="List API keys")
async def listed(ask: Ask) -> Response:
    """List your keys in this workspace, newest first."""
    found = await ask.plane.keys.list(await ask.actor())
    return Answer({"data": [shown(key) for key in found], "next": None})


@router.delete("/{key_id}", status_code=204, summary="Remove an API key")
async def remove(ask: Ask, key_id: Id) -> None:
    """Remove a key; it is refused from now on."""
    await ask.plane.keys.delete(await ask.actor(), key_id)
