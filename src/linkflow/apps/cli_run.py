"""Commands that start an execution and stay with it: a live list of its nodes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from linkflow.apps.cli_client import Api, running
from linkflow.apps.cli_show import coloured, console, escape, node_table, print_json, read_file, read_json

PATIENCE_S = 60
OVER = ("completed", "failed", "cancelled", "timed_out")


def run_file(home: Path, path: Path, data: str, *, as_json: bool) -> int:
    """Import a file, run it, and take it out again; the exit code says how it ended."""
    document, given = read_file(path), read_json(data)
    with running(home) as api:
        arrivals = api.call("POST", "/workflows/import", document)["workflows"]
        found = arrivals[0]
        try:
            return execute_json(api, found["id"], given, as_json=as_json)
        finally:
            for each in arrivals:
                if each["id"]:
                    api.call("DELETE", f"/workflows/{each['id']}")


def execute(api: Api, workflow_id: str, data: str, *, as_json: bool) -> int:
    """Start a workflow and stay with it."""
    return execute_json(api, workflow_id, read_json(data), as_json=as_json)


def execute_json(api: Api, workflow_id: str, data: Any, *, as_json: bool) -> int:
    """Start a workflow with an input and stay with it."""
    started = api.call("POST", f"/workflows/{workflow_id}/execute", {"input": data})
    return show(api, started["execution_id"], watch=True, as_json=as_json)


def retry(api: Api, execution_id: str, from_node: str, data: str | None, *, as_json: bool) -> int:
    """Run an execution again and stay with it."""
    body: dict[str, Any] = {"from_node": from_node}
    if data is not None:
        body["input"] = read_json(data)
    started = api.call("POST", f"/executions/{execution_id}/retry", body)
    return show(api, started["execution_id"], watch=True, as_json=as_json)


def show(api: Api, execution_id: str, *, watch: bool, as_json: bool) -> int:
    """Show an execution; with `watch` stay until it is over or waits for something outside.

    Returns:
        0 when it completed, 1 when it failed, 2 while it goes on.
    """
    if as_json:
        if watch:
            _follow(api, execution_id, lambda nodes, status: None)
        found = api.call("GET", f"/executions/{execution_id}?nodes=none")
        found["nodes"] = api.every(f"/executions/{execution_id}/nodes")
        print_json(found)
        return _code(found["status"])
    out = console()
    if watch:
        _watch(api, execution_id, out)
    found = api.call("GET", f"/executions/{execution_id}?nodes=none")
    nodes = api.every(f"/executions/{execution_id}/nodes")
    out.print(f"{execution_id}  {coloured(found['status'])}")
    out.print(node_table(nodes, {node["key"]: node["output"] for node in nodes}))
    if found["error"]:
        place = f" (at {found['error_key']})" if found["error_key"] else ""
        out.print(f"[red]{found['error']['code']}[/red] {escape(found['error']['message'])}{place}")
    elif found["status"] == "completed":
        out.print("result:")
        out.print_json(data=found["result"])
    elif found["status"] in OVER:
        out.print(escape(_summary(api, execution_id)))
    else:
        out.print(f"It goes on without you: linkflow explain {execution_id}")
    return _code(found["status"])


def _watch(api: Api, execution_id: str, out: Any) -> None:
    """Show the nodes as they change, and what an execution waits for that has not begun."""
    from rich.console import Group
    from rich.live import Live

    with Live(console=out, refresh_per_second=12, transient=True) as live:

        def changed(nodes: list[Any], status: str) -> None:
            table = node_table(nodes, {})
            is_queued = status == "queued"
            live.update(Group(table, escape(_summary(api, execution_id))) if is_queued else table)

        _follow(api, execution_id, changed)


def _summary(api: Api, execution_id: str) -> str:
    """Say why an execution stands where it stands."""
    return str(api.call("GET", f"/executions/{execution_id}/explain")["summary"])


def _code(status: str) -> int:
    """Say an exit code."""
    return 0 if status == "completed" else 1 if status in OVER else 2


def _follow(api: Api, execution_id: str, changed: Any) -> None:
    """Follow an execution until it is over, or waits for something that may take long."""
    nodes: dict[str, Any] = {}
    for frame in api.stream(f"/executions/{execution_id}/stream"):
        status = ""
        if frame["t"] == "snapshot":
            nodes = dict(frame["data"]["nodes"])
            status = frame["data"]["status"]
        elif frame["t"] == "batch":
            for _, kind, key, value in frame["ev"]:
                if kind == "node":
                    nodes[key] = value
                else:
                    status = value["status"]
        elif frame["t"] == "end":
            return
        changed([{"key": key, "type": "", "label": "", **node} for key, node in nodes.items()], status)
        if status in OVER or (status == "waiting" and not _moves_soon(nodes)):
            return


def _moves_soon(nodes: dict[str, Any]) -> bool:
    """Say whether a delay or a retry ends within a minute."""
    soon = datetime.now(UTC) + timedelta(seconds=PATIENCE_S)
    ends = [
        node.get("retry_at") or node.get("deadline_at")
        for node in nodes.values()
        if node.get("retry_at") or node.get("waits_for") == "delay"
    ]
    return any(end and datetime.fromisoformat(end) <= soon for end in ends)
