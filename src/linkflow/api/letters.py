"""Dead letters: list, show, replay, drop, one or many."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from linkflow.api import render, shapes
from linkflow.api.deps import Answer, Ask, Cursor, Id, Limit, Shape, StrictRoute, Word
from linkflow.domain.values import Json
from linkflow.ports.services import DeadLetter
from linkflow.ports.views import LetterFilter

router = APIRouter(prefix="/api/v1/dead-letters", tags=["dead letters"], route_class=StrictRoute)

Kind = Literal["task", "callback", "start", "decision"]


class Replayed(shapes.Letter):
    """A letter and what its replay did: started, sent, released or gone."""

    outcome: str
    new_execution_id: str | None


class Failure(BaseModel):
    """A letter that could not be dealt with, and why."""

    id: str
    code: str
    detail: str


class Swept(BaseModel):
    """What became of many letters."""

    matched: int
    done: int
    failed: list[Failure]
    has_more: bool


def letter(found: DeadLetter) -> dict[str, Json]:
    """Say a dead letter."""
    return {
        "id": found.id,
        "kind": found.kind,
        "execution_id": found.execution_id,
        "reason": found.reason,
        "at": render.instant(found.at),
        "body": found.body,
    }


@router.get("", responses={200: {"model": shapes.Rows}}, summary="List dead letters")
async def listed(
    ask: Ask,
    kind: Kind | None = None,
    execution_id: Annotated[Word, Query()] = "",
    workflow_id: Annotated[Word, Query()] = "",
    reason: Annotated[Word, Query(description="Part of the reason, any case.")] = "",
    after: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """List what was given up on, newest first."""
    where = LetterFilter(kind=kind or "", execution_id=execution_id, workflow_id=workflow_id, reason=reason)
    found = await ask.plane.letters.list(await ask.actor(), after, limit, where)
    next_cursor = found[-1].id if len(found) == limit else None
    return Answer({"data": [letter(each) for each in found], "next": next_cursor})


class Which(Shape):
    """Which letters are meant; what is left out does not matter, `{}` means all."""

    kind: Kind | None = None
    execution_id: Word = ""
    workflow_id: Word = ""
    reason: Word = ""
    before: Annotated[float | None, Field(ge=0, le=4e9, description="Seconds since 1970.")] = None


class Bulk(Shape):
    """What to do with which letters: those named by `ids`, or those `where` matches."""

    action: Literal["replay", "drop"]
    ids: Annotated[list[Word], Field(default_factory=list, max_length=1000)]
    where: Which | None = None


@router.post("/bulk", responses={200: {"model": Swept}}, summary="Replay or drop many dead letters")
async def bulk(ask: Ask, body: Bulk) -> Response:
    """Replay or drop up to 1,000 letters; `has_more` says that more match. Safe to repeat."""
    which = body.where
    found = await ask.plane.letters.deal(
        await ask.actor(),
        body.action,
        letter_ids=body.ids,
        where=None
        if which is None
        else LetterFilter(
            kind=which.kind or "",
            execution_id=which.execution_id,
            workflow_id=which.workflow_id,
            reason=which.reason,
            before=which.before,
        ),
    )
    failed = [{"id": each.letter_id, "code": each.code, "detail": each.message} for each in found.failures]
    return Answer(
        {"matched": found.matched, "done": found.done, "failed": failed, "has_more": found.has_more}
    )


@router.get("/{letter_id}", responses={200: {"model": shapes.Letter}}, summary="Read a dead letter")
async def read(ask: Ask, letter_id: Id) -> Response:
    """Read a dead letter."""
    return Answer(letter(await ask.plane.letters.read(await ask.actor(), letter_id)))


@router.delete("/{letter_id}", status_code=204, summary="Drop a dead letter")
async def drop(ask: Ask, letter_id: Id) -> None:
    """Remove a dead letter."""
    await ask.plane.letters.drop(await ask.actor(), letter_id)


@router.post("/{letter_id}/replay", responses={200: {"model": Replayed}}, summary="Replay a dead letter")
async def replay(ask: Ask, letter_id: Id) -> Response:
    """Try again what was given up on.

    A task starts a new execution that takes over what had ended well; a callback or a start is sent again;
    an execution on hold is released.
    """
    found = await ask.plane.letters.replay(await ask.actor(), letter_id)
    return Answer(
        letter(found.letter) | {"outcome": found.outcome, "new_execution_id": found.execution_id or None}
    )
