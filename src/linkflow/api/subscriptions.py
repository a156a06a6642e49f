"""Subscriptions of others to what happens here, and the messages to them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from linkflow.api import render
from linkflow.api.deps import Answer, Ask, Id, Limit, Line, Shape, StrictRoute, Word
from linkflow.domain.subscription import EVENTS
from linkflow.domain.values import Json, decode_json
from linkflow.ports.subscriptions import Delivery, Subscription

router = APIRouter(
    prefix="/api/v1/webhook-subscriptions", tags=["webhook subscriptions"], route_class=StrictRoute
)

Url = Annotated[str, Field(min_length=1, max_length=2000)]
Events = Annotated[
    list[Line], Field(min_length=1, max_length=50, description=f"Of {', '.join(EVENTS)}; or execution.*, *.")
]


class NewSubscription(Shape):
    """Who is to be told of what."""

    url: Url
    events: Events
    description: Word = ""
    workflow_id: Word = ""


class ChangedSubscription(Shape):
    """What is to be different; what is left out stays."""

    url: Url | None = None
    events: Events | None = None
    description: Word | None = None
    is_active: bool | None = None


class SubscriptionRow(BaseModel):
    """A subscription; `disabled_reason` says why LinkFlow switched it off."""

    id: str
    url: str
    events: list[str]
    description: str
    workflow_id: str
    is_active: bool
    disabled_reason: str
    created_by: str
    created_at: str
    updated_at: str


class NewSecret(SubscriptionRow):
    """A subscription with its signing secret, shown this once."""

    secret: str


class SubscriptionPage(BaseModel):
    """Subscriptions, newest first."""

    data: list[SubscriptionRow]


class DeliveryRow(BaseModel):
    """A message and how it stands; `status` is the HTTP status of the last answer."""

    id: str
    event: str
    at: str
    state: str
    attempts: int
    due_at: str | None
    status: int
    error: str
    duration_ms: int
    body: dict[str, object]


class DeliveryPage(BaseModel):
    """Messages, newest first."""

    data: list[DeliveryRow]
    next: float | None


def row(found: Subscription) -> dict[str, Json]:
    """Say a subscription."""
    return {
        "id": found.id,
        "url": found.url,
        "events": list(found.events),
        "description": found.description,
        "workflow_id": found.workflow_id,
        "is_active": found.is_active,
        "disabled_reason": found.disabled_reason,
        "created_by": found.created_by,
        "created_at": render.instant(found.created_at),
        "updated_at": render.instant(found.updated_at),
    }


def message(found: Delivery) -> dict[str, Json]:
    """Say a message."""
    return {
        "id": found.id,
        "event": found.event,
        "at": render.instant(found.at),
        "state": found.state,
        "attempts": found.attempts,
        "due_at": render.instant(found.due_at),
        "status": found.status,
        "error": found.error,
        "duration_ms": found.duration_ms,
        "body": decode_json(found.body),
    }


@router.get("", responses={200: {"model": SubscriptionPage}}, summary="List webhook subscriptions")
async def listed(ask: Ask) -> Response:
    """List who outside is told of what, newest first."""
    found: Sequence[Subscription] = await ask.plane.subscriptions.list(await ask.actor())
    return Answer({"data": [row(each) for each in found]})


@router.post(
    "", status_code=201, responses={201: {"model": NewSecret}}, summary="Create a webhook subscription"
)
async def create(ask: Ask, body: NewSubscription) -> Response:
    """Tell an address of events from now on; `secret` signs the messages and is shown this once."""
    made, secret = await ask.plane.subscriptions.create(
        await ask.actor(), body.url, body.events, description=body.description, workflow_id=body.workflow_id
    )
    return Answer(row(made) | {"secret": secret}, 201)


@router.get(
    "/{subscription_id}", responses={200: {"model": SubscriptionRow}}, summary="Read a webhook subscription"
)
async def read(ask: Ask, subscription_id: Id) -> Response:
    """Read a subscription."""
    return Answer(row(await ask.plane.subscriptions.read(await ask.actor(), subscription_id)))


@router.put(
    "/{subscription_id}", responses={200: {"model": SubscriptionRow}}, summary="Change a webhook subscription"
)
async def change(ask: Ask, subscription_id: Id, body: ChangedSubscription) -> Response:
    """Change a subscription; switched on again, it is told of what happens from then on."""
    found = await ask.plane.subscriptions.change(
        await ask.actor(),
        subscription_id,
        url=body.url,
        events=body.events,
        description=body.description,
        is_active=body.is_active,
    )
    return Answer(row(found))


@router.delete("/{subscription_id}", status_code=204, summary="Delete a webhook subscription")
async def delete(ask: Ask, subscription_id: Id) -> None:
    """Remove a subscription with what waits for it."""
    await ask.plane.subscriptions.delete(await ask.actor(), subscription_id)


@router.post(
    "/{subscription_id}/rotate-secret",
    responses={200: {"model": NewSecret}},
    summary="Replace a subscription's secret",
)
async def rotate_secret(ask: Ask, subscription_id: Id) -> Response:
    """Replace the signing secret, shown this once; the one before signs too for a day."""
    found, secret = await ask.plane.subscriptions.rotate_secret(await ask.actor(), subscription_id)
    return Answer(row(found) | {"secret": secret})


@router.post(
    "/{subscription_id}/test",
    status_code=202,
    responses={202: {"model": DeliveryRow}},
    summary="Send a test message",
)
async def test(ask: Ask, subscription_id: Id) -> Response:
    """Send a message `subscription.test`; its delivery says how it went."""
    return Answer(message(await ask.plane.subscriptions.test(await ask.actor(), subscription_id)), 202)


@router.get(
    "/{subscription_id}/deliveries",
    responses={200: {"model": DeliveryPage}},
    summary="List a subscription's messages",
)
async def deliveries(
    ask: Ask,
    subscription_id: Id,
    state: Literal["", "pending", "delivered", "failed"] = "",
    after: Annotated[float | None, Query(ge=0, le=4e9, description="`next` of the page before.")] = None,
    limit: Limit = 50,
) -> Response:
    """List messages with how they stand, newest first; they are kept for 30 days."""
    found = await ask.plane.subscriptions.deliveries(await ask.actor(), subscription_id, state, after, limit)
    return Answer(
        {"data": [message(each) for each in found], "next": found[-1].at if len(found) == limit else None}
    )


@router.post(
    "/{subscription_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    responses={202: {"model": DeliveryRow}},
    summary="Send a message again",
)
async def replay(ask: Ask, subscription_id: Id, delivery_id: Id) -> Response:
    """Send a message once more, under the same id; it gets all its tries again."""
    found = await ask.plane.subscriptions.replay(await ask.actor(), subscription_id, delivery_id)
    return Answer(message(found), 202)
