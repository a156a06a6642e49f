"""Credentials and variables."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from linkflow.api import render, shapes
from linkflow.api.deps import Answer, Ask, Id, Object, Shape, StrictRoute, Word
from linkflow.domain.values import Json
from linkflow.ports.records import Credential, Variable

router = APIRouter(prefix="/api/v1/credentials", tags=["credentials"], route_class=StrictRoute)
variables = APIRouter(prefix="/api/v1/variables", tags=["variables"], route_class=StrictRoute)


class NewCredential(Shape):
    """A secret to keep; `data` holds its fields, such as `{"token": "…"}`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    type: Word = "custom"
    data: Object


class NewVariable(Shape):
    """A value that expressions read as `vars.KEY`."""

    key: Word
    value: Any = None


class Value(Shape):
    """The value of a variable."""

    value: Any = None


def shown(found: Credential) -> Json:
    """Say a credential; its values are never shown."""
    return {
        "id": found.id,
        "name": found.name,
        "type": found.type,
        "created_at": render.instant(found.created_at),
        "updated_at": render.instant(found.updated_at),
    }


def variable(found: Variable) -> Json:
    """Say a variable."""
    return {"key": found.key, "value": found.value}


@router.post("", status_code=201, responses={201: {"model": shapes.Credential}}, summary="Keep a credential")
async def create(ask: Ask, body: NewCredential) -> Response:
    """Keep a secret; expressions use it as `{{credential.NAME.FIELD}}`, and it is never shown again."""
    found = await ask.plane.credentials.create(
        await ask.actor(), name=body.name, kind=body.type, data=body.data
    )
    return Answer(shown(found), 201)


@router.get("", responses={200: {"model": shapes.Rows}}, summary="List credentials")
async def listed(ask: Ask) -> Response:
    """List credentials by name, without their values."""
    found = await ask.plane.credentials.list(await ask.actor())
    return Answer({"data": [shown(each) for each in found], "next": None})


@router.delete("/{credential_id}", status_code=204, summary="Remove a credential")
async def delete(ask: Ask, credential_id: Id) -> None:
    """Remove a credential."""
    await ask.plane.credentials.delete(await ask.actor(), credential_id)


@variables.get("", responses={200: {"model": shapes.Rows}}, summary="List variables")
async def variables_listed(ask: Ask) -> Response:
    """List variables by key."""
    found = await ask.plane.variables.list(await ask.actor())
    return Answer({"data": [variable(each) for each in found], "next": None})


@variables.post("", status_code=201, responses={201: {"model": shapes.Variable}}, summary="Set a variable")
async def set_variable(ask: Ask, body: NewVariable) -> Response:
    """Set a variable; executions that start from now on see it."""
    return Answer(variable(await ask.plane.variables.put(await ask.actor(), body.key, body.value)), 201)


@variables.put("/{key}", responses={200: {"model": shapes.Variable}}, summary="Set a variable")
async def put_variable(ask: Ask, key: Id, body: Value) -> Response:
    """Set a variable; executions that start from now on see it."""
    return Answer(variable(await ask.plane.variables.put(await ask.actor(), key, body.value)))


@variables.delete("/{key}", status_code=204, summary="Remove a variable")
async def delete_variable(ask: Ask, key: Id) -> None:
    """Remove a variable."""
    await ask.plane.variables.delete(await ask.actor(), key)
