"""The commands that follow executions until they are over."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import uvloop
from rich.console import Group
from rich.live import Live

from linkflow.apps import shown
from linkflow.apps.files import problems_of
from linkflow.apps.remote import NotRunning, Remote
from linkflow.apps.serve import serve
from linkflow.apps.settings import Settings
from linkflow.domain.errors import SpecInvalid
from linkflow.domain.values import Json
from linkflow.domain.workflow.spec import Severity

LOOK_EVERY_S = 0.2
OVER = frozenset({"completed", "failed", "cancelled", "timed_out"})
STOPPED = 3
"""Exit code when the execution goes on but the command does not wait any longer."""


def run_file(settings: Settings, raw: Json, given: Json, *, as_json: bool) -> int:
    """Run a workflow file on the LinkFlow that runs here, or on one started just for it."""
    spec, problems = problems_of(raw)
    if any(problem.severity is Severity.ERROR for problem in problems):
        listed = [msgspec.to_builtins(problem) for problem in problems]
        raise SpecInvalid("The workflow cannot run; mend these first:", problems=listed)
    try:
        remote = Remote.find(settings.home, {})
        remote.get("/auth/me")
    except NotRunning:
        return uvloop.run(_run_alone(settings, spec, given, as_json=as_json))
    return _start_inline(remote, spec, given, as_json=as_json)


async def _run_alone(settings: Settings, spec: Json, given: Json, *, as_json: bool) -> int:
    """Start LinkFlow for this one execution, and stop it afterwards."""
    ready = asyncio.Event()
    alone = replace(settings, port=0, owner_password=settings.owner_password or secrets.token_urlsafe(12))
    say = shown.errors.print if not as_json else _nothing
    serving = asyncio.create_task(serve(alone, say, lambda _: ready.set()))
    waiting = asyncio.create_task(_set(ready))
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
    try:
        remote = await _appeared(settings)
        return await asyncio.to_thread(_start_inline, remote, spec, given, as_json=as_json)
    finally:
        serving.cancel()
        await asyncio.wait([serving])


async def _set(event: asyncio.Event) -> None:
    await event.wait()


async def _appeared(settings: Settings) -> Remote:
    """Wait for the connection file, which is written right after the start."""
    while True:
        try:
            return Remote.find(settings.home, {})
        except NotRunning:
            await asyncio.sleep(0.01)


def _nothing(text: str) -> None:
    """Say nothing: the output is for a program."""


def _start_inline(remote: Remote, spec: Json, given: Json, *, as_json: bool) -> int:
    body = {"workflow": spec, "triggerPayload": given, "options": {"wait": False}}
    started = remote.post("/workflows/execute", body)
    return follow(remote, started["executionId"], as_json=as_json)


def execute_saved(remote: Remote, workflow_id: str, given: Json, *, wait: bool, as_json: bool) -> int:
    """Start a saved workflow."""
    body = {"input": given, "mode": "async"}
    started = remote.post(f"/workflows/{workflow_id}/execute", body)
    if wait:
        return follow(remote, started["execution_id"], as_json=as_json)
    if as_json:
        shown.as_json(started)
    else:
        shown.console.print(started["execution_id"])
    return 0


def follow(remote: Remote, execution_id: str, *, as_json: bool) -> int:
    """Show an execution as it goes, until it is over or the person stops looking."""
    execution = remote.get(f"/executions/{execution_id}")
    if as_json:
        while execution["status"] not in OVER:
            time.sleep(LOOK_EVERY_S)
            execution = remote.get(f"/executions/{execution_id}")
        shown.as_json(execution)
        return _exit_code(execution)
    try:
        with Live(console=shown.console, refresh_per_second=8, transient=True) as live:
            while execution["status"] not in OVER:
                live.update(Group(shown.node_table(execution), shown.execution_line(execution)))
                time.sleep(LOOK_EVERY_S)
                execution = remote.get(f"/executions/{execution_id}")
    except KeyboardInterrupt:
        shown.console.print(
            f"It goes on without you. Look again with: linkflow executions watch {execution_id}"
        )
        return STOPPED
    _show(remote, execution)
    return _exit_code(execution)


def show_execution(remote: Remote, execution_id: str, *, as_json: bool) -> int:
    """Show one execution as it is now."""
    execution = remote.get(f"/executions/{execution_id}")
    if as_json:
        shown.as_json(execution)
    else:
        _show(remote, execution)
        if execution["status"] not in OVER:
            explanation = remote.get(f"/executions/{execution_id}/explain")
            shown.console.print(explanation["summary"], markup=False, soft_wrap=True)
    return 0


def _show(remote: Remote, execution: Mapping[str, Json]) -> None:
    outputs = {}
    for node in execution["nodes"][:50]:
        if node["status"] == "success":
            page = remote.get(f"/executions/{execution['id']}/nodes/{node['key'].replace('#', '%23')}/output")
            outputs[node["key"]] = page.get("data", page.get("output"))
    shown.console.print(shown.node_table(execution, outputs))
    shown.console.print(shown.execution_line(execution))
    if execution.get("error"):
        error = execution["error"]
        where = f" at '{execution['error_key']}'" if execution.get("error_key") else ""
        text = f"{error['code']} ({error['kind']}){where}: {error['message']}"
        shown.console.print(text, style="red", markup=False, soft_wrap=True)
    elif execution.get("result") is not None:
        shown.console.print_json(data=execution["result"])


def _exit_code(execution: Mapping[str, Json]) -> int:
    return 0 if execution["status"] == "completed" else 1
