"""The audit log: list, export, verify."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from linkflow.api import render
from linkflow.api.deps import Answer, Ask, Limit, StrictRoute, Word
from linkflow.domain.audit import AuditLine
from linkflow.domain.values import Json, encode_json
from linkflow.ports.audit import AuditQuery

router = APIRouter(prefix="/api/v1/audit-logs", tags=["audit"], route_class=StrictRoute)

Instant = Annotated[float | None, Query(ge=0, le=4e9, description="Seconds since 1970.")]


class AuditRow(BaseModel):
    """Who did what, to what, from where; `hash` chains it to the line before it."""

    number: int
    id: str
    at: str
    actor_id: str
    via: str
    address: str
    action: str
    resource: str
    details: dict[str, object]
    hash: str


class AuditPage(BaseModel):
    """Lines, newest first."""

    data: list[AuditRow]
    next: int | None


class AuditFinding(BaseModel):
    """What is wrong, and at which line."""

    number: int
    what: str


class AuditVerdict(BaseModel):
    """Whether the chain holds; note `head` somewhere else and give it as `expect` another time."""

    holds: bool
    lines: int
    first: int
    head: str
    findings: list[AuditFinding]


def row(line: AuditLine) -> dict[str, Json]:
    """Say a line."""
    return {
        "number": line.number,
        "id": line.id,
        "at": render.instant(line.at),
        "actor_id": line.actor_id,
        "via": line.via,
        "address": line.address,
        "action": line.action,
        "resource": line.resource,
        "details": dict(line.details),
        "hash": line.hash.hex(),
    }


def exported(line: AuditLine) -> Json:
    """Say a line with everything that its hash covers, for a check elsewhere."""
    return row(line) | {
        "workspace_id": line.workspace_id,
        "at_s": line.at,
        "previous": line.previous.hex(),
    }


@router.get("", responses={200: {"model": AuditPage}}, summary="List the audit log")
async def listed(
    ask: Ask,
    action: Annotated[Word, Query(description="Such as `workflow.publish`; `workflow.` means all.")] = "",
    resource: Annotated[Word, Query(description="Such as `workflow:<id>`.")] = "",
    actor_id: Annotated[Word, Query(description="Id of a user.")] = "",
    since: Instant = None,
    until: Instant = None,
    after: Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before.")] = 0,
    limit: Limit = 50,
) -> Response:
    """List what was done in the workspace, newest first."""
    query = AuditQuery(
        workspace_id="",
        action=action,
        resource=resource,
        actor_id=actor_id,
        since=since,
        until=until,
        before=after,
        limit=limit,
    )
    found = await ask.plane.audit_logs.list(await ask.actor(), query)
    next_number = found[-1].number if len(found) == limit and found[-1].number else None
    return Answer({"data": [row(each) for each in found], "next": next_number})


@router.get(
    "/export",
    responses={200: {"content": {"application/x-ndjson": {}}}},
    summary="Export the audit log",
    response_class=Response,
)
async def export(ask: Ask) -> Response:
    """Give the whole chain, oldest first, a JSON object a line; `linkflow audit verify FILE` checks it."""
    pages = await ask.plane.audit_logs.export(await ask.actor())
    headers = {"Content-Disposition": 'attachment; filename="audit.ndjson"'}
    return StreamingResponse(_lines(pages), media_type="application/x-ndjson", headers=headers)


async def _lines(pages: AsyncIterator[Sequence[AuditLine]]) -> AsyncIterator[bytes]:
    """Write pages as lines."""
    async for page in pages:
        yield b"".join(encode_json(exported(line)) + b"\n" for line in page)


@router.get("/verify", responses={200: {"model": AuditVerdict}}, summary="Verify the audit log")
async def verify(
    ask: Ask, expect: Annotated[Word, Query(description="`head` of an earlier verification.")] = ""
) -> Response:
    """Check the chain of hashes: a line that was changed, removed or put in later is found."""
    found = await ask.plane.audit_logs.verify(await ask.actor(), expect)
    return Answer(
        {
            "holds": found.holds,
            "lines": found.lines,
            "first": found.first,
            "head": f"{found.head.number}:{found.head.hash.hex()}",
            "findings": [{"number": each.number, "what": each.what} for each in found.findings],
        }
    )
