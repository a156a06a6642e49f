"""What every route is given: the control plane, who asks, the body as strict JSON."""

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Path, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from linkflow.api import permissions, rates
from linkflow.api.answers import Answer as Answer
from linkflow.api.once import applies, once
from linkflow.api.permissions import NEEDED, OPEN
from linkflow.api.problems import plain_problem, request_id_of
from linkflow.control.actor import Actor
from linkflow.control.plane import ControlPlane
from linkflow.control.sign_ins import Origin
from linkflow.domain.errors import Denied, Invalid, Unauthenticated
from linkflow.domain.values import Json, decode_json
from linkflow.telemetry import about

UNDECLARED = "This route does not say who may use it."
LIMITED = ("/api/", "/oauth/")
"""Where requests without a sign-in are counted by address; looking after the process stays free."""


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
            plane: ControlPlane = request.app.state.plane
            if not needed(strict):
                raise Denied(UNDECLARED, code="access.undeclared")
            if needed(strict) == OPEN and strict.scope["path"].startswith(LIMITED):
                await rates.count(strict.scope, plane.gate.by_address(origin(strict).address))
            if not applies(strict) or needed(strict) == OPEN:
                return await answer(strict)
            actor = await admitted(strict, plane)
            return await once(strict, plane, actor, idempotency_key(strict), lambda: answer(strict))

        return strictly


class Shape(BaseModel):
    """A request body: strict types, unknown members are ignored."""

    model_config = ConfigDict(strict=True)


S = TypeVar("S", bound=Shape)
Line = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00\r\n]+$")]
Text = Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00]*$")]
Word = Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")]
NodeId = Annotated[Word, Field(max_length=100)]
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


def workspace_of(connection: HTTPConnection) -> str:
    """Say which workspace the path names; empty for none, which means the caller's own."""
    return str(connection.scope.get("linkflow.workspace", ""))


def needed(request: Request) -> str:
    """Say what the route of a request asks of its caller; empty when it does not say."""
    return NEEDED.get((request.method, request.scope["route"].path), "")


async def admitted(request: Request, plane: ControlPlane, workspace_id: str = "") -> Actor:
    """Say who asks, once they may have what the route asks for.

    Raises:
        Unauthenticated: The token is missing, wrong or expired.
        NotFound: The path names a workspace that is not the caller's.
        Denied: The role, the key or the token does not hold the permission, or the route declares none.
        RateLimited: The caller sent too many requests.
    """
    actor = await plane.access.actor(bearer(request), workspace_id or workspace_of(request))
    about(workspace_id=actor.workspace_id)
    actor = msgspec.structs.replace(actor, address=origin(request).address)
    match needed(request):
        case "":
            raise Denied(UNDECLARED, code="access.undeclared")
        case permissions.SIGNED_IN:
            pass
        case permissions.ACCOUNT:
            actor.require_person()
        case permissions.OPERATOR:
            actor.require_operator()
        case permission:
            actor.require(permission)
    if rates.HEADERS not in request.scope:  # not again for a route that asks twice
        kind = "read" if request.method in ("GET", "HEAD") else "write"
        await rates.count(request.scope, plane.gate.by_actor(actor, kind))
    return actor


def origin(request: Request) -> Origin:
    """Say where a request comes from."""
    address = request.client.host if request.client else ""
    return Origin(address, "".join(filter(str.isprintable, request.headers.get("user-agent", "")))[:255])


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

    async def actor(self, workspace_id: str = "") -> Actor:
        """Say who asks, once they may have what the route asks for; in a workspace, else the one named.

        Raises:
            Unauthenticated: The token is missing, wrong or expired.
            NotFound: The workspace is not the caller's.
            Denied: The permission is missing.
        """
        return await admitted(self.request, self.plane, workspace_id)

    async def person(self) -> Actor:
        """Say who asks, in person, on a route that does without a sign-in too.

        Raises:
            Unauthenticated: The token is wrong or expired.
            Denied: It is a key or an API client.
        """
        actor = await self.plane.access.actor(bearer(self.request))
        actor.require_person()
        return actor

    async def form_or_json(self, shape: type[S]) -> tuple[bool, S]:
        """Read the body of a form or of JSON; says first whether it was a form.

        Raises:
            Invalid: It is neither.
            RequestValidationError: It does not have the shape.
        """
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip()
        is_form = kind == "application/x-www-form-urlencoded"
        if is_form:
            data: Json = {name: str(value) for name, value in (await self.request.form()).items()}
        else:
            try:
                data = strict_json(await self.request.body())
            except ValueError as error:
                raise Invalid(f"The body is not JSON: {error}.") from error
        try:
            return is_form, shape.model_validate(data)
        except ValidationError as error:
            found = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
            raise RequestValidationError(found) from error

    @property
    def origin(self) -> Origin:
        """Where the request comes from."""
        return origin(self.request)


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


async def on_invalid(request: Request, error: Exception) -> Response:
    """Answer a request that does not have the shape of its route: always 400."""
    assert isinstance(error, RequestValidationError)
    found = [
        {
            "path": ".".join(str(part) for part in each["loc"]),
            "message": _spoken(each),
        }
        for each in error.errors()[:50]
    ]
    first = f"{found[0]['path']}: {found[0]['message']}" if found else "The request is malformed"
    return plain_problem(400, f"{first}.", request_id_of(request), errors=found)


def _spoken(each: Mapping[str, Json]) -> str:
    """Say a validation error; broken JSON says where."""
    if each["type"] == "json_invalid":
        return f"is not JSON: {each.get('ctx', {}).get('error', 'it is malformed')}"
    return str(each["msg"])
