"""Commands that ask the running LinkFlow and print what it says."""

import json
import sys
from pathlib import Path
from typing import Any

from linkflow.apps.cli_client import Api, CommandFailed
from linkflow.apps.cli_show import brief, coloured, console, escape, node_table, print_json, read_file, table


def _echo(text: str) -> None:
    """Print one line, with colours where the terminal has them."""
    console().print(text, soft_wrap=True)


def _minute(instant: str) -> str:
    """Say an instant as `11-21 09:00`, in UTC."""
    return instant[5:16].replace("T", " ")


def bring_in(api: Api, files: list[Path], *, activate: bool, as_json: bool) -> None:
    """Import files; print what became of each workflow."""
    arrivals: list[Any] = []
    for path in files:
        for found in api.call("POST", "/workflows/import", read_file(path))["workflows"]:
            if activate and found["id"]:
                api.call("POST", f"/workflows/{found['id']}/activate")
                found["webhooks"] = [hook["url"] for hook in _webhooks(api, found["id"])]
            arrivals.append(found)
    if as_json:
        print_json(arrivals)
        return
    for found in arrivals:
        _echo(f"[bold]{found['name']}[/bold]  {found['id'] or found['error']}")
        for note in [*found["notes"], *found["problems"]]:
            where = f"{note['nodeId']}: " if note.get("nodeId") else ""
            _echo(f"  [yellow]{note['code']}[/yellow] {escape(where + note['message'])}")
        for url in found.get("webhooks", ()):
            _echo(f"  webhook {url}")


def _webhooks(api: Api, workflow_id: str) -> list[Any]:
    """List the webhooks of a workflow."""
    found: list[Any] = api.call("GET", f"/workflows/{workflow_id}/webhooks")["data"]
    return found


def export(api: Api, workflow_ids: list[str]) -> None:
    """Print one workflow, or several as a bundle."""
    if len(workflow_ids) == 1:
        print_json(api.call("GET", f"/workflows/{workflow_ids[0]}/export"))
    else:
        print_json(api.call("POST", "/workflows/export-bulk", {"workflow_ids": workflow_ids}))


def list_workflows(api: Api, search: str, *, as_json: bool) -> None:
    """Print workflows."""
    from urllib.parse import quote

    found = api.call("GET", f"/workflows?limit=100&search={quote(search)}")
    if as_json:
        print_json(found)
        return
    rows = [
        [each["id"], each["name"], f"v{each['version']}" if each["version"] else "draft",
         "[green]active[/green]" if each["is_active"] else "", _minute(each["updated_at"])]
        for each in found["data"]
    ]  # fmt: skip
    table(["id", "name", "version", "", "updated"], rows)


def act_on_workflow(api: Api, workflow_id: str, action: str, *, as_json: bool) -> None:
    """Activate, deactivate or publish; print how the workflow stands and where it takes calls."""
    found = api.call("POST", f"/workflows/{workflow_id}/{action}")
    webhooks = _webhooks(api, workflow_id) if action == "activate" else []
    if as_json:
        print_json(found | {"webhooks": webhooks})
        return
    _echo(
        f"{action}d: version {found['version']}"
        if action != "publish"
        else f"published version {found['version']}"
    )
    for webhook in webhooks:
        _echo(f"webhook {webhook['url']}")


def list_executions(api: Api, workflow: str, status: str, limit: int, *, as_json: bool) -> None:
    """Print executions."""
    query = f"limit={limit}&workflow_id={workflow}" + (f"&status={status}" if status else "")
    found = api.call("GET", f"/executions?{query}")
    if as_json:
        print_json(found)
        return
    rows = [
        [each["id"], coloured(each["status"]), each["trigger_kind"], _minute(each["started_at"]),
         "" if each["duration_ms"] is None else f"{each['duration_ms']} ms",
         brief((each["error"] or {}).get("message"))]
        for each in found["data"]
    ]  # fmt: skip
    table(["id", "status", "by", "started", "took", "error"], rows)


def print_events(api: Api, execution_id: str) -> None:
    """Print the whole history, one JSON object a line."""
    after: int | None = 0
    while after is not None:
        page = api.call("GET", f"/executions/{execution_id}/events?after={after}&limit=1000")
        for event in page["data"]:
            sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
        after = page["next"]


def print_logs(api: Api, execution_id: str, *, as_json: bool) -> None:
    """Print the log."""
    found = api.every(f"/executions/{execution_id}/logs")
    if as_json:
        print_json({"data": found})
        return
    for line in found:
        place = f"[dim]{line['at']}[/dim] {line['level']:<5} {line['key']:<12}"
        _echo(f"{place} {brief(line['message'])} {brief(line['data'])}".rstrip())


def explain(api: Api, execution_id: str, *, as_json: bool) -> None:
    """Print why an execution is where it is; the newest when none is named."""
    if not execution_id:
        newest = api.call("GET", "/executions?limit=1")["data"]
        if not newest:
            raise CommandFailed("There is no execution yet. Start one: linkflow run FILE")
        execution_id = newest[0]["id"]
    found = api.call("GET", f"/executions/{execution_id}/explain")
    if as_json:
        print_json(found)
        return
    nodes = api.every(f"/executions/{execution_id}/nodes")
    out = console()
    out.print(f"{execution_id}  {coloured(found['status'])}  event {found['version']}")
    out.print(found["summary"], soft_wrap=True, markup=False)
    out.print(node_table(nodes, {node["key"]: node["output"] for node in nodes}))
    for driver in found["drivers"]:
        until = f" until {driver['until']}" if driver["until"] else ""
        since = f" since {driver['since']}" if driver["since"] else ""
        out.print(
            f"  [yellow]{driver['kind']}[/yellow] {escape(driver['message'])}{since}{until}", soft_wrap=True
        )
        if driver["can"]:
            out.print(f"    you can: {', '.join(driver['can'])}")
        if driver["resume_url"]:
            out.print(f"    link: {driver['resume_url']}", soft_wrap=True)
