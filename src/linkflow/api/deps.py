"""What every route is given: the control plane, who asks, the body as strict JSON."""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Path, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from linkflow.api.once import applies, once
from linkflow.control.actor import Actor
from linkflow.control.plane import ControlPlane
from linkflow.domain.errors import Invalid, NotFound, Unauthenticated
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.telemetry import about


class StrictRequest(Request):
    """A request whose JSON is read strictly: no NaN, no half characters."""

    async def json(self) -> Json:
        """Read the body."""
        return strict_json(await self.body())


def strict_json(body: bytes) -> Json:
    """Read JSON that can be written again.

    Raises:
        json.JSONDecodeError: It is not JSON.
    """
    try:
        return decode_json(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise json.JSONDecodeError(str(error), "", 0) from error


class StrictRoute(APIRoute):
    """A route that reads its body with `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make the function that answers."""
        answer = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if not applies(strict):
                return await answer(strict)
            plane: ControlPlane = request.app.state.plane
            actor = within(strict, await plane.accounts.actor(bearer(strict)))
            return await once(strict, plane, actor, idempotency_key(strict), lambda: answer(strict))

        return strictly


class Shape(BaseModel):
    """A request body: strict types, unknown members are ignored."""

    model_config = ConfigDict(strict=True)


Line = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00\r\n]+$")]
Text = Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00]*$")]
Word = Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")]
Object = dict[str, Any]
Id = Annotated[str, Path(min_length=1, max_length=100)]
Limit = Annotated[int, Query(ge=1, le=100, description="Rows of a page.")]
Cursor = Annotated[str, Query(max_length=200, description="`next` of the page before.")]


def bearer(connection: HTTPConnection) -> str:
    """Read the bearer token of a request.

    Raises:
        Unauthenticated: There is none.
    """
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()


def within(connection: HTTPConnection, actor: Actor) -> Actor:
    """Let an actor see the workspace that the path names, and no other.

    Raises:
        NotFound: It is not the actor's.
    """
    named = connection.scope.get("linkflow.workspace", "")
    if named and named != actor.workspace_id:
        raise NotFound("There is no such workspace.", workspace=named)
    about(workspace_id=actor.workspace_id)
    return actor


class Asking:
    """One request: the control plane and, once asked for, the actor.

    The actor is asked for inside the route, after the body was found to have the right shape: a malformed
    request is 400 before it is 401.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.plane: ControlPlane = request.app.state.plane
        self.public_url: str = request.app.state.public_url
        self.request_key = idempotency_key(request)

    async def actor(self) -> Actor:
        """Say who asks.

        Raises:
            Unauthenticated: The token is missing, wrong or expired.
        """
        return within(self.request, await self.plane.accounts.actor(bearer(self.request)))


def idempotency_key(request: Request) -> str:
    """Read the caller's key for "do this once"; empty for none.

    Raises:
        Invalid: It is too long.
    """
    key = request.headers.get("idempotency-key", "")
    if len(key) > 255 or not key.isprintable():
        raise Invalid("An Idempotency-Key has at most 255 printable characters.", code="idempotency.key")
    return key


async def asking(request: Request) -> Asking:
    """Give a route its request."""
    return Asking(request)


Ask = Annotated[Asking, Depends(asking)]


class Answer(Response):
    """A JSON answer, encoded once."""

    media_type = "application/json"

    def __init__(self, content: Json, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(encode_json(content), status, headers)
