"""Alert rules: who hears of what, tried out, and what was sent."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from linkflow.api import render
from linkflow.api.deps import Answer, Ask, Asking, Cursor, Id, Limit, Line, Shape, StrictRoute, Word
from linkflow.control.alerts import shown
from linkflow.domain.alert import KINDS, Channel, Rule
from linkflow.domain.values import Json
from linkflow.ports.alerts import Alert
from linkflow.ports.notifications import Notification

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"], route_class=StrictRoute)

Kind = Literal[
    "failure", "slow", "stuck", "approval", "dead_letter", "quota", "budget", "credential", "schedule"
]
Url = Annotated[str, Field(max_length=2000)]
Seconds = Annotated[float, Field(description="Seconds.")]
Workflows = Annotated[
    list[Word], Field(default_factory=list, max_length=100, description="Only these; empty for all.")
]
COOLDOWN_S = 300.0


class ChannelShape(Shape):
    """Where: `email` with `to`, `slack` with `url` or `credential` and `channel`, `webhook` with `url`."""

    kind: Literal["email", "slack", "webhook"]
    to: Annotated[list[Word], Field(default_factory=list, max_length=20)]
    url: Url = ""
    credential: Word = ""
    channel: Word = ""


class NewAlert(Shape):
    """What to tell of, and where."""

    name: Line
    kind: Annotated[Kind, Field(description=" ".join(f"{name}: {says}" for name, says in KINDS.items()))]
    workflow_ids: Workflows
    over_s: Seconds | None = None
    times_p95: float | None = None
    percent: int | None = None
    cooldown_s: Annotated[float, Field(description="One subject is told of once in so many seconds.")] = (
        COOLDOWN_S
    )
    channels: Annotated[list[ChannelShape], Field(min_length=1, max_length=10)]


class ChangedAlert(Shape):
    """What is to be different; what is left out stays. `kind` brings the whole rule with it."""

    name: Line | None = None
    kind: Kind | None = None
    workflow_ids: Annotated[list[Word], Field(max_length=100)] | None = None
    over_s: Seconds | None = None
    times_p95: float | None = None
    percent: int | None = None
    cooldown_s: float | None = None
    channels: Annotated[list[ChannelShape], Field(min_length=1, max_length=10)] | None = None
    is_active: bool | None = None


class ChannelRow(BaseModel):
    """Where it goes; Slack's address is shown without its secret part."""

    kind: str
    to: list[str] | None = None
    url: str | None = None
    credential: str | None = None
    channel: str | None = None
    secret: str | None = None


class AlertRow(BaseModel):
    """A rule; the `secret` of a new webhook is shown once, in the answer that makes it."""

    id: str
    name: str
    kind: str
    workflow_ids: list[str]
    over_s: float | None
    times_p95: float | None
    percent: int | None
    cooldown_s: float
    channels: list[ChannelRow]
    is_active: bool
    created_by: str
    created_at: str
    updated_at: str


class AlertPage(BaseModel):
    """Rules, newest first."""

    data: list[AlertRow]


class NotificationRow(BaseModel):
    """A message that was sent, or is on its way."""

    id: str
    alert_id: str
    at: str
    kind: str
    to: str
    title: str
    subject: str
    state: str
    attempts: int
    due_at: str | None
    error: str
    is_test: bool


class Sent(BaseModel):
    """Messages of a test."""

    data: list[NotificationRow]


class History(Sent):
    """Messages, newest first; they are kept for 30 days."""

    next: str | None


def row(ask: Asking, found: Alert, fresh: Sequence[Channel] = ()) -> dict[str, Json]:
    """Say a rule; with the secrets of channels that were just made."""
    channels = [
        {**shown(each), **({"secret": each.secret} if each.secret and each in fresh else {})}
        for each in ask.plane.alerts.channels(found)
    ]
    return {
        "id": found.id,
        "name": found.name,
        "kind": found.kind,
        "workflow_ids": list(found.workflow_ids),
        "over_s": found.over_s,
        "times_p95": found.times_p95,
        "percent": found.percent,
        "cooldown_s": found.cooldown_s,
        "channels": channels,
        "is_active": found.is_active,
        "created_by": found.created_by,
        "created_at": render.instant(found.created_at),
        "updated_at": render.instant(found.updated_at),
    }


def message(found: Notification) -> dict[str, Json]:
    """Say a message."""
    return {
        "id": found.id,
        "alert_id": found.source.partition(":")[2],
        "at": render.instant(found.at),
        "kind": found.kind,
        "to": found.receiver,
        "title": found.title,
        "subject": found.subject,
        "state": found.state,
        "attempts": found.attempts,
        "due_at": render.instant(found.due_at),
        "error": found.error,
        "is_test": found.is_test,
    }


def _channels(given: Sequence[ChannelShape]) -> Sequence[Channel]:
    """Read channels."""
    return [
        Channel(kind=each.kind, to=each.to, url=each.url, credential=each.credential, channel=each.channel)
        for each in given
    ]


@router.get("", responses={200: {"model": AlertPage}}, summary="List alerts")
async def listed(ask: Ask) -> Response:
    """List the rules, newest first."""
    found = await ask.plane.alerts.list(await ask.actor())
    return Answer({"data": [row(ask, each) for each in found]})


@router.post("", status_code=201, responses={201: {"model": AlertRow}}, summary="Create an alert")
async def create(ask: Ask, body: NewAlert) -> Response:
    """Tell of something from now on; the secret of a webhook is shown this once."""
    rule = Rule(
        kind=body.kind,
        workflow_ids=body.workflow_ids,
        over_s=body.over_s,
        times_p95=body.times_p95,
        percent=body.percent,
    )
    made, fresh = await ask.plane.alerts.create(
        await ask.actor(), body.name, rule, _channels(body.channels), cooldown_s=body.cooldown_s
    )
    return Answer(row(ask, made, fresh), 201)


@router.get("/history", responses={200: {"model": History}}, summary="List what alerts sent")
async def all_history(ask: Ask, after: Cursor = "", limit: Limit = 50) -> Response:
    """List what every rule sent, newest first."""
    return await _history(ask, "", after, limit)


async def _history(ask: Asking, alert_id: str, after: str, limit: int) -> Response:
    """List messages."""
    found = await ask.plane.alerts.history(await ask.actor(), alert_id, after, limit)
    next_cursor = found[-1].id if len(found) == limit else None
    return Answer({"data": [message(each) for each in found], "next": next_cursor})


@router.get("/{alert_id}", responses={200: {"model": AlertRow}}, summary="Read an alert")
async def read(ask: Ask, alert_id: Id) -> Response:
    """Read a rule."""
    return Answer(row(ask, await ask.plane.alerts.read(await ask.actor(), alert_id)))


@router.put("/{alert_id}", responses={200: {"model": AlertRow}}, summary="Change an alert")
async def change(ask: Ask, alert_id: Id, body: ChangedAlert) -> Response:
    """Change a rule; a webhook whose address stays keeps its secret."""
    actor = await ask.actor()
    rule = None
    of_rule = {"kind", "workflow_ids", "over_s", "times_p95", "percent"} & body.model_fields_set
    if of_rule:
        before = (await ask.plane.alerts.read(actor, alert_id)).rule
        is_other = body.kind is not None and body.kind != before.kind

        def kept(name: str) -> Json:
            """Say a field of the rule: as given, as it was, or the new kind's own."""
            if name in of_rule:
                return getattr(body, name)
            return None if is_other else getattr(before, name)

        rule = Rule(
            kind=body.kind or before.kind,
            workflow_ids=body.workflow_ids if body.workflow_ids is not None else before.workflow_ids,
            over_s=kept("over_s"),
            times_p95=kept("times_p95"),
            percent=kept("percent"),
        )
    found, fresh = await ask.plane.alerts.change(
        actor,
        alert_id,
        name=body.name,
        rule=rule,
        channels=None if body.channels is None else _channels(body.channels),
        cooldown_s=body.cooldown_s,
        is_active=body.is_active,
    )
    return Answer(row(ask, found, fresh))


@router.delete("/{alert_id}", status_code=204, summary="Delete an alert")
async def delete(ask: Ask, alert_id: Id) -> None:
    """Remove a rule; what was sent stays in the history."""
    await ask.plane.alerts.delete(await ask.actor(), alert_id)


@router.post(
    "/{alert_id}/test", status_code=202, responses={202: {"model": Sent}}, summary="Try an alert's channels"
)
async def test(ask: Ask, alert_id: Id) -> Response:
    """Send a message that says that it is a test to every channel; the history says how it went."""
    found = await ask.plane.alerts.test(await ask.actor(), alert_id)
    return Answer({"data": [message(each) for each in found]}, 202)


@router.get("/{alert_id}/history", responses={200: {"model": History}}, summary="List what an alert sent")
async def history(ask: Ask, alert_id: Id, after: Cursor = "", limit: Limit = 50) -> Response:
    """List what a rule sent, newest first."""
    return await _history(ask, alert_id, after, limit)
