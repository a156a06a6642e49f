"""Executions: start, read, list, cancel, try again, decide."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from linkflow.api import rates, render, shapes
from linkflow.api.deps import (
    Answer,
    Ask,
    Id,
    Shape,
    StrictRoute,
    Text,
    Word,
    bearer,
    idempotency_key,
    workspace_of,
)
from linkflow.api.problems import plain_problem
from linkflow.api.searches import SearchPage, found_page
from linkflow.control.actor import Actor
from linkflow.control.approvals import may_hold
from linkflow.control.looks import Look
from linkflow.control.plane import ControlPlane
from linkflow.domain.errors import Invalid, NotFound
from linkflow.domain.values import Json
from linkflow.domain.workflow.spec import to_json
from linkflow.ports.services import StartedExecution
from linkflow.ports.views import HEAD, NEWEST, RUNS
from linkflow.telemetry import about

router = APIRouter(prefix="/api/v1/executions", tags=["executions"], route_class=StrictRoute)

WAIT_MS = 30_000
Statuses = Annotated[list[str], Query(description="Any of these statuses.", max_length=10)]


class StartBody(msgspec.Struct, omit_defaults=True):
    """How a workflow is started.

    Attributes:
        input: JSON the trigger hands on.
        mode: async answers at once; wait answers at the end, or when `wait_ms` has passed.
        version: Which version; left out, the published one, else the draft.
        test: The execution is marked as a test.
        attributes: What it will be found by; each is declared in the workspace.
    """

    input: Any = None
    mode: Literal["async", "wait", "stream"] = "async"
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = WAIT_MS
    version: Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)] | None = None
    test: bool = False
    attributes: dict[str, Any] = {}


_start_body = msgspec.json.Decoder(StartBody)


def start_answer(found: StartedExecution, *, waited: bool) -> Response:
    """Answer a start: 200 with the result when the caller waited and there is one, else 202."""
    shown = render.started(found) if waited else {"execution_id": found.execution_id, "status": found.status}
    location = {"location": f"/api/v1/executions/{found.execution_id}"}
    return Answer(shown, 200 if "result" in shown else 202, location)


START_BODY: Json = {
    "required": False,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "input": {"description": "JSON the trigger hands on."},
                    "mode": {"type": "string", "enum": ["async", "wait", "stream"], "default": "async"},
                    "wait_ms": {"type": "integer", "minimum": 0, "maximum": 60_000, "default": WAIT_MS},
                    "version": {"type": ["integer", "null"], "minimum": 1, "maximum": 2_147_483_647},
                    "test": {"type": "boolean", "default": False},
                    "attributes": {"type": "object", "description": "What it will be found by."},
                },
            }
        }
    },
}
START_PARAMETERS: Json = [
    {"name": "workflow_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
]


async def execute(request: Request) -> Response:
    """Start a workflow; the published version, else the draft. The input is validated before anything starts.

    202 with the execution's id, or with `mode: wait` 200 with its result when it ends in time.
    """
    # A hot route: the edge calls it without going through the router.
    body = await request.body()
    try:
        asked = _start_body.decode(body) if body.strip() else StartBody()
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        found = [{"path": path.rstrip("`").replace("$", "body") or "body", "message": message}]
        request_id = request.scope.get("linkflow.request_id", "")
        return plain_problem(400, f"{found[0]['path']}: {message}.", request_id, errors=found)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"The body is not JSON: {error}.", code="invalid") from error
    plane: ControlPlane = request.app.state.plane
    key = idempotency_key(request)
    token = bearer(request)
    workspace_id = workspace_of(request)
    actor = plane.access.known(token, workspace_id) or await plane.access.actor(token, workspace_id)
    about(workspace_id=actor.workspace_id)
    await rates.count(request.scope, plane.gate.by_actor(actor, "execute"))
    workflow_id = request.scope["path"].split("/")[4]
    try:
        started = await _started(plane, actor, workflow_id, asked, key)
    except NotFound:
        # A path without a workspace means the workflow's own, which may be another one of the caller's.
        there = None if workspace_id else await plane.access.beside(token, actor, workflow_id)
        if there is None:
            raise
        started = await _started(plane, there, workflow_id, asked, key)
    return start_answer(started, waited=asked.mode != "async")


async def _started(
    plane: ControlPlane, actor: Actor, workflow_id: str, asked: StartBody, key: str
) -> StartedExecution:
    """Start a workflow in the actor's workspace."""
    return await plane.executions.start(
        actor,
        workflow_id,
        data=asked.input,
        wait_ms=0 if asked.mode == "async" else asked.wait_ms,
        request_key=key,
        version=asked.version,
        mode="test" if asked.test else "production",
        attributes=await plane.searches.typed(actor, asked.attributes),
    )


@router.get("", responses={200: {"model": shapes.ExecutionPage}}, summary="List executions")
async def listed(ask: Ask, asked: Annotated[SearchPage, Query()]) -> Response:
    """List executions, newest first; the same as `search`."""
    return await found_page(ask, asked)


PARTS = {"all": RUNS, "last": NEWEST, "none": HEAD}
"""What of an execution is read for each answer to "which node runs"."""


@router.get("/{execution_id}", responses={200: {"model": shapes.Execution}}, summary="Read an execution")
async def read(
    ask: Ask,
    execution_id: Id,
    nodes: Annotated[Literal["all", "last", "none"], Query(description="Which node runs.")] = "all",
    limit: Annotated[int, Query(ge=0, le=10_000, description="How many node runs; 0 for 1000.")] = 0,
) -> Response:
    """Read one execution with its nodes; `ETag` is its version, so polling with `If-None-Match` is cheap.

    `nodes=last` has only the newest run of each node, `nodes=none` none: in a loop there may be thousands.
    Where there are more than `limit`, `nodes_next` is the event number to go on after with `GET …/nodes`.
    """
    view = await ask.plane.executions.read(await ask.actor(), execution_id, PARTS[nodes])
    etag = f'"{view.version}"'
    if ask.request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"etag": etag})
    return Answer(render.execution(view, limit=limit if nodes == "all" else None), headers={"etag": etag})


After = Annotated[int, Query(ge=0, le=2_147_483_647, description="Only what a later event changed.")]
Limit = Annotated[int, Query(ge=0, le=10_000, description="How many at most; 0 for 1000.")]
Version = Annotated[
    int, Query(ge=0, le=2_147_483_647, description="That of the page before: all pages say one instant.")
]


@router.get("/{execution_id}/nodes", responses={200: {"model": shapes.NodeRuns}}, summary="List node runs")
async def nodes(
    ask: Ask,
    execution_id: Id,
    after: After = 0,
    limit: Limit = 0,
    version: Version = 0,
    node: Annotated[str, Query(max_length=1000, description="Only of this node id or key.")] = "",
    outputs: Annotated[bool, Query(description="Whether with their outputs.")] = True,
) -> Response:
    """List the nodes that ran, with their outputs, in the order of their first events.

    With a `limit`, or where there are more than 1000, they come in pages, in the order of the events that
    changed them last: go on after `next`, and later after the last `event` for what is new.
    """
    look = Look(execution_id=execution_id, after=after, limit=limit, version=version, node=node)
    page = await ask.plane.looks.runs(await ask.actor(), look)
    data = [render.node_run(run, with_output=outputs) for run in page.data]
    return Answer({"data": data, "next": page.next, "version": page.version})


@router.get("/{execution_id}/events", responses={200: {"model": shapes.Events}}, summary="Read the history")
async def events(
    ask: Ask,
    execution_id: Id,
    after: Annotated[int, Query(ge=0, le=2_147_483_647)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """Read the event history after an event number, oldest first."""
    found = await ask.plane.looks.events(await ask.actor(), execution_id, after, limit)
    next_number = found[-1].number if len(found) >= limit else None
    return Answer({"data": [render.event(each) for each in found], "next": next_number})


@router.get("/{execution_id}/logs", responses={200: {"model": shapes.LogLines}}, summary="Read the log")
async def logs(
    ask: Ask, execution_id: Id, after: After = 0, limit: Limit = 0, version: Version = 0
) -> Response:
    """Read the lines that nodes logged, oldest first, in pages of `limit` or 1000: go on after `next`."""
    look = Look(execution_id=execution_id, after=after, limit=limit, version=version)
    page = await ask.plane.looks.log(await ask.actor(), look)
    data = [render.log_line(line) for line in page.data]
    return Answer({"data": data, "next": page.next, "version": page.version})


@router.get("/{execution_id}/explain", summary="Say what an execution waits for")
async def explain(ask: Ask, execution_id: Id) -> Response:
    """Say what an execution waits for, since when and until when, and what a person can do."""
    actor = await ask.actor()
    found = await ask.plane.executions.explain(actor, execution_id)
    shown = [
        each if may_hold(actor, each) else msgspec.structs.replace(each, token="") for each in found.drivers
    ]
    return Answer(render.explanation(msgspec.structs.replace(found, drivers=shown), ask.public_url))


@router.get("/{execution_id}/spec", responses={200: {"model": shapes.ExecutedSpec}}, summary="Read what ran")
async def spec(ask: Ask, execution_id: Id) -> Response:
    """Read the spec that an execution runs: of its version, of the draft at that time, or of a part of it."""
    view, found = await ask.plane.executions.spec(await ask.actor(), execution_id)
    return Answer({
        "execution_id": execution_id,
        "workflow_id": view.workflow_id,
        "version": view.workflow_version,
        "spec_hash": view.spec_hash,
        "spec": to_json(found),
    })  # fmt: skip


class Reason(Shape):
    """Why."""

    reason: Text = ""


@router.post(
    "/{execution_id}/cancel", status_code=202, responses={202: {"model": shapes.Done}}, summary="Cancel"
)
async def cancel(ask: Ask, execution_id: Id, body: Reason | None = None) -> Response:
    """Ask an execution to end; nodes may tidy up for a moment."""
    await ask.plane.executions.cancel(await ask.actor(), execution_id, body.reason if body else "")
    return Answer({"ok": True}, 202)


@router.post(
    "/{execution_id}/terminate", status_code=202, responses={202: {"model": shapes.Done}}, summary="Terminate"
)
async def terminate(ask: Ask, execution_id: Id, body: Reason | None = None) -> Response:
    """End an execution at once."""
    await ask.plane.executions.terminate(await ask.actor(), execution_id, body.reason if body else "")
    return Answer({"ok": True}, 202)


@router.post(
    "/{execution_id}/release", status_code=202, responses={202: {"model": shapes.Done}}, summary="Release"
)
async def release(ask: Ask, execution_id: Id) -> Response:
    """Let a quarantined execution try again."""
    await ask.plane.executions.release(await ask.actor(), execution_id)
    return Answer({"ok": True}, 202)


class RetryBody(Shape):
    """Where to begin again, and with what.

    Attributes:
        from_node: Node id or key; left out, the nodes that did not end well.
        input: The new input; left out, the one before.
        workflow: original runs the version that ran; current the workflow of today, for a test its draft.
    """

    from_node: Word = ""
    input: Any = None
    workflow: Literal["original", "current"] = "original"
    mode: Literal["async", "wait"] = "async"
    wait_ms: Annotated[int, Field(ge=0, le=60_000)] = WAIT_MS


@router.post(
    "/{execution_id}/retry",
    status_code=202,
    responses={200: {"model": shapes.Started}, 202: {"model": shapes.Started}},
    summary="Try again",
)
async def retry(ask: Ask, execution_id: Id, body: RetryBody | None = None) -> Response:
    """Start a new execution that takes over what earlier nodes said and runs the rest again."""
    asked = body or RetryBody()
    found = await ask.plane.executions.retry(
        await ask.actor(),
        execution_id,
        from_node=asked.from_node,
        data=asked.input,
        has_data="input" in asked.model_fields_set,
        request_key=ask.request_key,
        wait_ms=asked.wait_ms if asked.mode == "wait" else 0,
        is_current=asked.workflow == "current",
    )
    return start_answer(found, waited=asked.mode == "wait")


class SignalBody(Shape):
    """A message: its name, the key a wait must match, data; with an id a repeat is harmless."""

    name: Word
    key: Word = ""
    data: Any = None
    id: Word = ""


@router.post(
    "/{execution_id}/signal", status_code=202, responses={202: {"model": shapes.Done}}, summary="Signal"
)
async def signal(ask: Ask, execution_id: Id, body: SignalBody) -> Response:
    """Send a message to an execution; it waits there until a node asks for it."""
    await ask.plane.executions.signal(
        await ask.actor(),
        execution_id,
        name=body.name,
        match=body.key,
        data=body.data,
        signal_id=body.id or ask.request_key,
    )
    return Answer({"ok": True}, 202)


class ResolveBody(Shape):
    """A decision about something an execution waits for."""

    key: Word
    action: Literal["done", "approved", "rejected", "retry", "fail"] = "done"
    data: Any = None


@router.post(
    "/{execution_id}/resolve", status_code=202, responses={202: {"model": shapes.Done}}, summary="Decide"
)
async def resolve(ask: Ask, execution_id: Id, body: ResolveBody) -> Response:
    """Decide an approval, or what became of an unknown outcome."""
    await ask.plane.approvals.resolve(
        await ask.actor(), execution_id, key=body.key, action=body.action, data=body.data
    )
    return Answer({"ok": True}, 202)
