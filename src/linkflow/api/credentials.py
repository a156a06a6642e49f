"""Credentials, their types, and variables."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from linkflow.api import credential_shapes as shapes
from linkflow.api import render
from linkflow.api.deps import Answer, Ask, Id, Object, Shape, StrictRoute, Word
from linkflow.api.shapes import Rows
from linkflow.control.credential_types import TYPES, CredentialType, type_of
from linkflow.domain.values import Json
from linkflow.ports.records import Credential, Variable

router = APIRouter(prefix="/api/v1/credentials", tags=["credentials"], route_class=StrictRoute)
types = APIRouter(prefix="/api/v1/credential-types", tags=["credentials"], route_class=StrictRoute)
variables = APIRouter(prefix="/api/v1/variables", tags=["variables"], route_class=StrictRoute)

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class NewCredential(Shape):
    """A secret to keep; `data` holds the fields of its type, such as `{"token": "…"}`."""

    name: Name
    type: Word = "custom"
    data: Object


class CredentialChange(Shape):
    """Another name, or fields that replace those kept; others stay, null takes one away."""

    name: Name | None = None
    data: Object | None = None


class NewVariable(Shape):
    """A value that expressions read as `vars.KEY`, a secret one as `credential.vars.KEY`."""

    key: Word
    value: Any = None
    is_secret: bool = False


class Value(Shape):
    """The value of a variable, and whether it is a secret."""

    value: Any = None
    is_secret: bool = False


def shown(found: Credential) -> Json:
    """Say a credential; its values are never shown."""
    return {
        "id": found.id,
        "name": found.name,
        "type": found.type,
        "state": found.state,
        "expires_at": None if found.expires_at is None else render.instant(found.expires_at),
        "last_used_at": None if found.last_used_at is None else render.instant(found.last_used_at),
        "created_at": render.instant(found.created_at),
        "updated_at": render.instant(found.updated_at),
    }


def kind_shown(kind: CredentialType) -> Json:
    """Say a type."""
    return {
        "name": kind.name,
        "title": kind.title,
        "is_open": kind.is_open,
        "is_testable": kind.is_testable,
        "needs_consent": bool(kind.provider),
        "fields": [
            {
                "name": field.name,
                "title": field.title,
                "secret": field.secret,
                "required": field.required,
                "choices": list(field.choices),
                "default": field.default or None,
            }
            for field in kind.fields
        ],
    }


def variable(found: Variable) -> Json:
    """Say a variable; a secret one without its value."""
    return {"key": found.key, "value": found.value, "is_secret": bool(found.sealed)}


@types.get("", responses={200: {"model": shapes.CredentialTypes}}, summary="List types of credentials")
async def list_types(ask: Ask) -> Response:
    """List the types of credentials with their fields."""
    await ask.actor()
    return Answer({"data": [kind_shown(kind) for kind in TYPES], "next": None})


@types.get("/{name}", responses={200: {"model": shapes.CredentialType}}, summary="Read a type of credentials")
async def read_type(ask: Ask, name: Id) -> Response:
    """Read a type of credentials."""
    await ask.actor()
    return Answer(kind_shown(type_of(name)))


@router.post("", status_code=201, responses={201: {"model": shapes.Credential}}, summary="Keep a credential")
async def create(ask: Ask, body: NewCredential) -> Response:
    """Keep a secret; expressions use it as `{{credential.NAME.FIELD}}`, and it is never shown again."""
    found = await ask.plane.credentials.create(
        await ask.actor(), name=body.name, kind=body.type, data=body.data
    )
    return Answer(shown(found), 201)


@router.get("", responses={200: {"model": Rows}}, summary="List credentials")
async def listed(ask: Ask) -> Response:
    """List credentials by name, without their values."""
    found = await ask.plane.credentials.list(await ask.actor())
    return Answer({"data": [shown(each) for each in found], "next": None})


@router.get("/{credential_id}", responses={200: {"model": shapes.Credential}}, summary="Read a credential")
async def read(ask: Ask, credential_id: Id) -> Response:
    """Read a credential by id or name, without its values."""
    return Answer(shown(await ask.plane.credentials.read(await ask.actor(), credential_id)))


@router.put("/{credential_id}", responses={200: {"model": shapes.Credential}}, summary="Change a credential")
async def change(ask: Ask, credential_id: Id, body: CredentialChange) -> Response:
    """Rename a credential or replace some of its fields; what runs uses the new ones from now on."""
    found = await ask.plane.credentials.change(
        await ask.actor(), credential_id, name=body.name or "", data=body.data
    )
    return Answer(shown(found))


@router.delete("/{credential_id}", status_code=204, summary="Remove a credential")
async def delete(ask: Ask, credential_id: Id) -> None:
    """Remove a credential."""
    await ask.plane.credentials.delete(await ask.actor(), credential_id)


@router.post(
    "/{credential_id}/test", responses={200: {"model": shapes.Trial}}, summary="Try a credential out"
)
async def test(ask: Ask, credential_id: Id) -> Response:
    """Make one harmless call that only a working credential survives; one that fails is an answer, too."""
    found = await ask.plane.trials.run(await ask.actor(), credential_id)
    return Answer({"works": found.works, "message": found.message, "took_ms": found.took_ms})


@router.post(
    "/{credential_id}/refresh", responses={200: {"model": shapes.Credential}}, summary="Refresh its tokens"
)
async def refresh(ask: Ask, credential_id: Id) -> Response:
    """Replace the access token of a connected credential now; it happens by itself before one ends."""
    return Answer(shown(await ask.plane.connections.refresh(await ask.actor(), credential_id)))


@variables.get("", responses={200: {"model": Rows}}, summary="List variables")
async def variables_listed(ask: Ask) -> Response:
    """List variables by key; the value of a secret one is null."""
    found = await ask.plane.variables.list(await ask.actor())
    return Answer({"data": [variable(each) for each in found], "next": None})


@variables.post("", status_code=201, responses={201: {"model": shapes.Variable}}, summary="Set a variable")
async def set_variable(ask: Ask, body: NewVariable) -> Response:
    """Set a variable; executions that start from now on see it."""
    found = await ask.plane.variables.put(await ask.actor(), body.key, body.value, is_secret=body.is_secret)
    return Answer(variable(found), 201)


@variables.put("/{key}", responses={200: {"model": shapes.Variable}}, summary="Set a variable")
async def put_variable(ask: Ask, key: Id, body: Value) -> Response:
    """Set a variable; executions that start from now on see it."""
    return Answer(
        variable(await ask.plane.variables.put(await ask.actor(), key, body.value, is_secret=body.is_secret))
    )


@variables.delete("/{key}", status_code=204, summary="Remove a variable")
async def delete_variable(ask: Ask, key: Id) -> None:
    """Remove a variable."""
    await ask.plane.variables.delete(await ask.actor(), key)
