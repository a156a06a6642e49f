"""Approvals: the inbox, decisions, and the page behind a link in a letter."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from linkflow.api import approval_page, render
from linkflow.api.deps import Answer, Ask, Asking, Cursor, Id, Limit, Shape, StrictRoute, Word
from linkflow.control.actor import Actor
from linkflow.control.approval_letters import title_of
from linkflow.control.approvals import LONGEST_COMMENT, Decided, LinkView, NotADecider, may_decide
from linkflow.domain.approval_link import MOST, LinkUnknown
from linkflow.domain.errors import Invalid
from linkflow.domain.execution.approvals import OPEN, STATUSES
from linkflow.domain.values import Json
from linkflow.ports.approvals import ApprovalQuery, ApprovalRow

router = APIRouter(prefix="/api/v1/approvals", tags=["approvals"], route_class=StrictRoute)
links = APIRouter(prefix="/api/v1/approve", tags=["approvals"], route_class=StrictRoute)

Comment = Annotated[str, Field(max_length=LONGEST_COMMENT, pattern=r"^[^\x00]*$")]
LinkToken = Annotated[str, Path(min_length=1, max_length=MOST, description="As in the letter.")]
HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}}}


class ApprovalShape(BaseModel):
    """A question to people; `answer` is what was filled in, `form` the JSON Schema of that."""

    id: str
    execution_id: str
    workflow_id: str
    node_id: str
    key: str
    title: str
    description: str
    payload: Any
    form: dict[str, Any] | None
    deciders: list[str]
    status: str
    round: int
    on_timeout: str
    opened_at: str
    due_at: str
    can_decide: bool
    decided_at: str | None
    decided_by: str
    comment: str
    answer: Any


class ApprovalPage(BaseModel):
    """Approvals, newest first."""

    data: list[ApprovalShape]
    next: str | None


class DecisionBody(Shape):
    """A decision: what it is, the form filled in, and why."""

    decision: Literal["approved", "rejected"]
    answer: Any = None
    comment: Comment = ""


def shown(row: ApprovalRow, actor: Actor) -> dict[str, Json]:
    """Say an approval to somebody."""
    approval = row.approval
    asked = approval.asked if isinstance(approval.asked, dict) else {}
    form = asked.get("form")
    return {
        "id": row.id,
        "execution_id": row.execution_id,
        "workflow_id": row.workflow_id,
        "node_id": approval.node_id,
        "key": approval.key,
        "title": title_of(approval),
        "description": str(asked.get("description") or ""),
        "payload": asked.get("payload"),
        "form": form if isinstance(form, dict) and form else None,
        "deciders": list(approval.deciders),
        "status": approval.status,
        "round": approval.round,
        "on_timeout": str(asked.get("on_timeout") or ""),
        "opened_at": render.instant(approval.opened_at),
        "due_at": render.instant(approval.due_at),
        "can_decide": approval.status == OPEN and may_decide(actor, approval),
        "decided_at": render.instant(approval.decided_at),
        "decided_by": approval.decided_by,
        "comment": approval.comment,
        "answer": approval.answer,
    }


@router.get("", responses={200: {"model": ApprovalPage}}, summary="List approvals")
async def listed(
    ask: Ask,
    status: Literal["open", "decided", "all"] = "open",
    mine: Annotated[bool, Query(description="Only those that you may decide.")] = False,
    workflow_id: Annotated[Word, Query()] = "",
    execution_id: Annotated[Word, Query()] = "",
    after: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """List what executions ask people, newest first: what is open, what is over, or all."""
    actor = await ask.actor()
    statuses = {"open": (OPEN,), "decided": tuple(each for each in STATUSES if each != OPEN), "all": ()}
    query = ApprovalQuery(
        workspace_id=actor.workspace_id,
        statuses=statuses[status],
        workflow_id=workflow_id,
        execution_id=execution_id,
        after=after,
        limit=limit,
    )
    found = await ask.plane.approvals.list(actor, query, is_mine=mine)
    next_cursor = found[-1].id if len(found) == limit else None
    return Answer({"data": [shown(each, actor) for each in found], "next": next_cursor})


@router.get("/{approval_id}", responses={200: {"model": ApprovalShape}}, summary="Read an approval")
async def read(ask: Ask, approval_id: Id) -> Response:
    """Read an approval."""
    actor = await ask.actor()
    return Answer(shown(await ask.plane.approvals.read(actor, approval_id), actor))


@router.post(
    "/{approval_id}/decision", responses={200: {"model": ApprovalShape}}, summary="Decide an approval"
)
async def decide(ask: Ask, approval_id: Id, body: DecisionBody) -> Response:
    """Approve or reject; the first decision counts, and the execution goes on with it."""
    actor = await ask.actor()
    found = await ask.plane.approvals.decide(actor, approval_id, body.decision, body.answer, body.comment)
    return Answer(shown(found, actor))


@links.get("/{token}", responses=HTML, summary="Look at what an approval's link decides")
async def look(ask: Ask, token: LinkToken) -> Response:
    """Show a page with the question and a form; looking decides nothing."""
    words = approval_page.words_of(ask.request.headers.get("accept-language", ""))
    try:
        view = await ask.plane.approvals.look(token)
    except LinkUnknown:
        return approval_page.unknown(words)
    return _page(view, words)


def _page(
    view: LinkView, words: approval_page.Words, problem: str = "", given: dict[str, str] | None = None
) -> Response:
    """Show what a link decides, with what was filled in before."""
    approval = view.row.approval
    if approval.status != OPEN:
        return approval_page.over(words, title_of(approval), approval)
    return approval_page.question(words, title_of(approval), approval, view.decider, problem, given or {})


@links.post("/{token}", responses=HTML, summary="Decide by an approval's link")
async def decide_by_link(ask: Ask, token: LinkToken) -> Response:
    """Decide with the page's form, as whom the link was sent to."""
    words = approval_page.words_of(ask.request.headers.get("accept-language", ""))
    given = await _form(ask)
    try:
        view = await ask.plane.approvals.look(token)
    except LinkUnknown:
        return approval_page.unknown(words)
    try:
        answer = approval_page.answer_of(view.row.approval, given)
        row = await ask.plane.approvals.decide_by_link(
            token, given.get("decision", ""), answer, given.get("comment", "")
        )
    except (Decided, NotADecider, LinkUnknown):
        return approval_page.gone(words)
    except Invalid as error:
        return _page(view, words, approval_page.problem_of(words, view.row.approval, error), given)
    return approval_page.over(words, title_of(row.approval), row.approval)


async def _form(ask: Asking) -> dict[str, str]:
    """Read the fields of a form.

    Raises:
        Invalid: It is something else.
    """
    kind = ask.request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise Invalid("Send the page's form, as application/x-www-form-urlencoded.")
    form = await ask.request.form()
    return {name: str(value) for name, value in form.items()}
