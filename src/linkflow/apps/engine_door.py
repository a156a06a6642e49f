"""HTTP on the engine's own port (seed 001): start an execution, look at executions, beside health.

For programs beside LinkFlow that speak no gRPC. Who asks shows a service token (made of `LINKFLOW_SECRET`, as
gRPC callers do) as bearer token; people use the REST API.

    POST /api/v1/workflows/execute                               {workspace_id, workflow_id, input, …}
    GET  /api/v1/workspaces/{workspace}/executions[/{id}]
    POST /api/v1/workspaces/{workspace}/executions/{id}/cancel   {reason}
    POST /api/v1/workspaces/{workspace}/executions/{id}/signal   {signal_name, data, key, id}
"""

import re
from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from linkflow.adapters.grpc.trust import Trust
from linkflow.api.answers import Answer
from linkflow.api.problems import problem
from linkflow.domain.errors import Invalid, LinkFlowError, NotFound, Unauthenticated
from linkflow.domain.values import Json, decode_json
from linkflow.ports.clock import IdSource
from linkflow.ports.services import (
    ExecutionQuery,
    ExecutionView,
    Frontend,
    SignalExecution,
    StartExecution,
    Visibility,
    WorkflowDirectory,
)

EXECUTE = "/api/v1/workflows/execute"
EXECUTIONS = re.compile(r"/api/v1/workspaces/([^/]+)/executions(?:/([^/]+)(?:/(cancel|signal))?)?")


class EngineDoor:
    """Answers for the engine what a process of the role frontend is asked over HTTP."""

    def __init__(
        self,
        frontend: Frontend,
        visibility: Visibility,
        directory: WorkflowDirectory,
        trust: Trust,
        ids: IdSource,
    ) -> None:
        self._frontend, self._visibility, self._directory = frontend, visibility, directory
        self._trust, self._ids = trust, ids

    def in_front_of(self, app: ASGIApp) -> ASGIApp:
        """Answer the engine's routes, and leave the others to an application."""

        async def door(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            found = EXECUTIONS.fullmatch(path)
            if scope["type"] != "http" or (path != EXECUTE and found is None):
                await app(scope, receive, send)
                return
            request = Request(scope, receive)
            try:
                self._require_token(request)
                answer = await (
                    self._start(request) if found is None else self._about(request, *found.groups())
                )
            except LinkFlowError as error:
                answer = problem(error, "")
            await answer(scope, receive, send)

        return door

    def _require_token(self, request: Request) -> None:
        if not self._trust.accepts(request.headers.get("authorization", "").removeprefix("Bearer ")):
            raise Unauthenticated

    async def _start(self, request: Request) -> Response:
        """Start an execution of a workflow's published version, or of a spec by its hash."""
        if request.method != "POST":
            raise NotFound("An execution is started with POST.")
        body = await _object(request)
        if not body.get("spec_hash"):
            target = await self._directory.published(
                str(body.get("workspace_id", "")), str(body.get("workflow_id", ""))
            )
            body |= {"spec_hash": target.spec_hash, "workflow_version": target.workflow_version}
        body["request_id"] = body.pop("idempotency_key", body.get("request_id", ""))
        names = {name: body[name] for name in StartExecution.__struct_fields__ if name in body}
        try:
            command = msgspec.convert({"trigger_kind": "api", **names}, StartExecution)
        except msgspec.ValidationError as error:
            raise Invalid(f"The start does not fit: {error}.") from None
        started = await self._frontend.start(command)
        told = {
            "execution_id": started.execution_id,
            "run_id": started.execution_id,
            "started": started.is_new,
        }
        return Answer({**told, "status": started.status}, 202)

    async def _about(self, request: Request, workspace_id: str, execution_id: str, action: str) -> Response:
        if not execution_id:
            query = ExecutionQuery(workspace_id=workspace_id, after=request.query_params.get("after", ""))
            return Answer(msgspec.to_builtins(await self._visibility.list(query)))
        view = await self._view(workspace_id, execution_id)
        if not action:
            return Answer(msgspec.to_builtins(view))
        body = await _object(request)
        if action == "cancel":
            await self._frontend.cancel(execution_id, str(body.get("reason", "")), "service")
        else:
            command = SignalExecution(
                execution_id=execution_id,
                id=str(body.get("id") or self._ids.uuid()),
                name=str(body.get("signal_name", "")),
                match=str(body.get("key", "")),
                data=body.get("data"),
            )
            await self._frontend.signal(command)
        return Answer({"execution_id": execution_id}, 202)

    async def _view(self, workspace_id: str, execution_id: str) -> ExecutionView:
        view = await self._frontend.view(execution_id)
        if view.workspace_id != workspace_id:
            raise NotFound("There is no such execution.", execution_id=execution_id)
        return view


async def _object(request: Request) -> dict[str, Json]:
    """Read a body that is a JSON object; empty when there is none."""
    raw = await request.body()
    try:
        found = decode_json(raw) if raw else {}
    except msgspec.DecodeError as error:
        raise Invalid(f"The body is no JSON: {error}.") from None
    if not isinstance(found, Mapping):
        raise Invalid("The body must be a JSON object.")
    return dict(found)
