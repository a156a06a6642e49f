"""Webhooks: their addresses, their inbox, and the calls from outside."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from linkflow.api import render, shapes, trigger_shapes
from linkflow.api.deps import Answer, Ask, Cursor, Id, Limit, Object, Shape, StrictRoute, Word, strict_json
from linkflow.control.plane import ControlPlane
from linkflow.control.webhooks import Taken, Webhooks
from linkflow.domain.errors import NotFound
from linkflow.domain.values import Json
from linkflow.domain.webhook import Call
from linkflow.ports.triggers import TriggerEvent, Webhook

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"], route_class=StrictRoute)
inbox = APIRouter(prefix="/api/v1/inbox", tags=["webhooks"], route_class=StrictRoute)
of_workflow = APIRouter(prefix="/api/v1/workflows", tags=["webhooks"], route_class=StrictRoute)

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})


TAKE_PARAMETERS: Json = [
    {"name": "webhook_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
]


async def take(request: Request) -> Response:
    """Take a call from outside: 202 once it is durable, with the ids of the executions it starts.

    An unknown address and a wrong signature are the same 401.
    """
    # A hot route: the edge calls it without going through the router.
    plane: ControlPlane = request.app.state.plane
    return await take_call(plane.webhooks, request)


def called(scope: Scope) -> tuple[str, str]:
    """Say which webhook a request calls, and what follows its id in the path."""
    path: str = scope["path"]
    webhook_id, slash, rest = path[path.index("/webhooks/") + len("/webhooks/") :].partition("/")
    return webhook_id, slash + rest


async def take_call(webhooks: Webhooks, request: Request) -> Response:
    """Take a call and answer it."""
    scope = request.scope
    webhook_id, rest = called(scope)
    client = scope.get("client")
    call = Call(
        method=scope["method"],
        path=rest,
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        query=scope["query_string"].decode("latin-1"),
        body=await request.body(),
        ip=client[0] if client else "",
    )
    if call.method not in METHODS:
        raise NotFound
    return answer(await webhooks.take(webhook_id, call))


def answer(taken: Taken) -> Response:
    """Answer a call: at once, with the result, or with what the workflow responded."""
    if taken.event is None:
        return PlainTextResponse(taken.challenge)
    started = taken.started
    if started is None:
        return Answer(accepted(taken.event, is_new=taken.is_new), taken.armed.status)
    if taken.armed.mode == "respond" and started.responded is not None:
        return responded(started.responded)
    shown = {"success": started.status != "failed", "event_id": taken.event.id} | render.started(started)
    return Answer(shown, 200 if "result" in shown else 202)


def accepted(event: TriggerEvent, *, is_new: bool) -> Json:
    """Say that a call is durable, and which executions it starts."""
    found = [start.execution_id for start in event.starts]
    return {
        "success": True,
        "status": "accepted" if found else "unclaimed",
        "event_id": event.id,
        "execution_id": found[0] if found else None,
        "execution_ids": found,
        "duplicate": not is_new,
    }


def responded(value: Json) -> Response:
    """Answer with `{"status_code", "headers", "body"}`; any other value is the body."""
    if not isinstance(value, dict) or "body" not in value:
        return Answer(value)
    status = value.get("status_code")
    status = status if isinstance(status, int) and 200 <= status <= 599 else 200
    given = value.get("headers")
    headers = {
        str(name): str(text)
        for name, text in (given if isinstance(given, dict) else {}).items()
        if _is_header(str(name), str(text))
    }
    body = value["body"]
    if isinstance(body, str):
        if not any(name.lower() == "content-type" for name in headers):
            headers["content-type"] = "text/plain; charset=utf-8"
        return Response(body.encode(), status, headers)
    return Answer(body, status, headers)


def _is_header(name: str, value: str) -> bool:
    """Say whether a header can be sent: a token as its name, one line as its value."""
    is_name = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    framing = name.lower() in ("content-length", "transfer-encoding", "connection")
    return is_name and not framing and value.isascii() and value.isprintable()


def shown(webhook: Webhook, public_url: str) -> Json:
    """Say a webhook; its secret is never shown."""
    return {
        "id": webhook.id,
        "workspace_id": webhook.workspace_id,
        "workflow_id": webhook.workflow_id,
        "node_id": webhook.node_id,
        "url": f"{public_url}/webhooks/{webhook.id}",
        "settings": dict(webhook.settings),
        "has_secret": bool(webhook.sealed),
        "is_active": webhook.is_active,
        "source": webhook.source,
        "created_at": render.instant(webhook.created_at),
    }


class NewWebhook(Shape):
    """A further address for a workflow; settings are those of `trigger.webhook`."""

    workflow_id: Word
    node_id: Word = ""
    settings: Object = Field(default_factory=dict)
    secret: Annotated[str, Field(max_length=1000)] = ""


class WebhookChange(Shape):
    """What changes; what is left out stays."""

    settings: Object | None = None
    is_active: bool | None = None


class SecretBody(Shape):
    """The new secret; made up when left out."""

    secret: Annotated[str, Field(max_length=1000)] = ""


@router.post(
    "", status_code=201, responses={201: {"model": trigger_shapes.Webhook}}, summary="Register a webhook"
)
async def register(ask: Ask, body: NewWebhook) -> Response:
    """Give a workflow one more address; trigger nodes get theirs at activation."""
    found = await ask.plane.webhooks.register(
        await ask.actor(), body.workflow_id, node_id=body.node_id, settings=body.settings, secret=body.secret
    )
    return Answer(shown(found, ask.public_url), 201)


@router.get("", responses={200: {"model": shapes.Rows}}, summary="List webhooks")
async def listed(ask: Ask, workflow_id: Word = "") -> Response:
    """List webhooks, newest first."""
    found = await ask.plane.webhooks.list(await ask.actor(), workflow_id)
    return Answer({"data": [shown(each, ask.public_url) for each in found], "next": None})


@of_workflow.get(
    "/{workflow_id}/webhooks", responses={200: {"model": shapes.Rows}}, summary="List its webhooks"
)
async def of_one(ask: Ask, workflow_id: Id) -> Response:
    """List the webhooks of one workflow."""
    actor = await ask.actor()
    await ask.plane.workflows.read(actor, workflow_id)
    found = await ask.plane.webhooks.list(actor, workflow_id)
    return Answer({"data": [shown(each, ask.public_url) for each in found], "next": None})


@router.get("/{webhook_id}", responses={200: {"model": trigger_shapes.Webhook}}, summary="Read a webhook")
async def read(ask: Ask, webhook_id: Id) -> Response:
    """Read a webhook."""
    return Answer(shown(await ask.plane.webhooks.read(await ask.actor(), webhook_id), ask.public_url))


@router.put("/{webhook_id}", responses={200: {"model": trigger_shapes.Webhook}}, summary="Change a webhook")
async def change(ask: Ask, webhook_id: Id, body: WebhookChange) -> Response:
    """Change what a webhook asks of its callers, or whether it takes calls."""
    found = await ask.plane.webhooks.change(
        await ask.actor(), webhook_id, settings=body.settings, is_active=body.is_active
    )
    return Answer(shown(found, ask.public_url))


@router.delete("/{webhook_id}", status_code=204, summary="Remove a webhook")
async def delete(ask: Ask, webhook_id: Id) -> None:
    """Remove a webhook; its address is unknown from now on."""
    await ask.plane.webhooks.delete(await ask.actor(), webhook_id)


@router.post(
    "/{webhook_id}/regenerate",
    responses={200: {"model": trigger_shapes.Webhook}},
    summary="Move to a new address",
)
@router.post(
    "/{webhook_id}/regenerate-uuid",
    responses={200: {"model": trigger_shapes.Webhook}},
    summary="Move to a new address",
)
async def regenerate(ask: Ask, webhook_id: Id) -> Response:
    """Move a webhook to a new address; the old one is unknown from now on."""
    found = await ask.plane.webhooks.regenerate_address(await ask.actor(), webhook_id)
    return Answer(shown(found, ask.public_url))


@router.post(
    "/{webhook_id}/regenerate-secret",
    responses={200: {"model": trigger_shapes.WebhookSecret}},
    summary="Replace the signing secret",
)
async def regenerate_secret(ask: Ask, webhook_id: Id, body: SecretBody | None = None) -> Response:
    """Replace the signing secret; the new one is shown this once."""
    given = body.secret if body else ""
    found, secret = await ask.plane.webhooks.regenerate_secret(await ask.actor(), webhook_id, given)
    return Answer(shown(found, ask.public_url) | {"secret": secret})


def kept(event: TriggerEvent, *, with_body: bool) -> Json:
    """Say a request of the inbox."""
    said: dict[str, Json] = {
        "id": event.id,
        "kind": event.kind,
        "source_id": event.source_id,
        "received_at": render.instant(event.at_ms / 1000),
        "state": event.state,
        "reason": event.reason or None,
        "execution_ids": [start.execution_id for start in event.starts],
        "body_bytes": len(event.body),
    }
    if with_body:
        said["request"] = strict_json(event.request)
        said["body"] = event.body.decode("utf-8", "replace")
    return said


State = Literal["", "pending", "done", "refused", "unclaimed"]


@inbox.get("", responses={200: {"model": shapes.Rows}}, summary="List what came in")
async def inbox_listed(
    ask: Ask, webhook_id: Word = "", state: State = "", after: Cursor = "", limit: Limit = 20
) -> Response:
    """List requests that came in, newest first, with what became of them."""
    found, next_cursor = await ask.plane.webhooks.inbox(await ask.actor(), webhook_id, state, after, limit)
    return Answer({"data": [kept(each, with_body=False) for each in found], "next": next_cursor or None})


@inbox.get("/{event_id}", responses={200: {"model": trigger_shapes.InboxEvent}}, summary="Read one request")
async def inbox_read(ask: Ask, event_id: Id) -> Response:
    """Read one request as it came."""
    return Answer(kept(await ask.plane.webhooks.inbox_event(await ask.actor(), event_id), with_body=True))


@inbox.post(
    "/{event_id}/replay",
    status_code=202,
    responses={202: {"model": trigger_shapes.Accepted}},
    summary="Take it again",
)
async def replay(ask: Ask, event_id: Id) -> Response:
    """Take a kept request again, as it came; its signature and its dedup key are not asked for."""
    taken = await ask.plane.webhooks.replay(await ask.actor(), event_id)
    assert taken.event is not None
    return Answer(accepted(taken.event, is_new=True), 202)
