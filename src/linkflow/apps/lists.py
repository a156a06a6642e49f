"""The commands that print lists and explanations."""

from collections.abc import Mapping, Sequence

from linkflow.apps import shown
from linkflow.apps.remote import Remote
from linkflow.domain.values import Json


def show_workflows(remote: Remote, search: str, *, as_json: bool) -> None:
    """List workflows."""
    answer = remote.get("/workflows", search=search, limit=100)
    if as_json:
        shown.as_json(answer)
        return
    rows = [
        (item["id"], item["name"], item.get("version") or "draft", "active" if item.get("is_active") else "")
        for item in answer["data"]
    ]
    _print("No workflows yet. Try: linkflow import examples/*.json", ("id", "name", "version", ""), rows)


def show_executions(remote: Remote, query: Mapping[str, Json], *, as_json: bool) -> None:
    """List executions."""
    answer = remote.get("/executions", **query)
    if as_json:
        shown.as_json(answer)
        return
    rows = [
        (
            shown.status(item["status"]),
            item["id"],
            item["trigger_kind"],
            item["started_at"],
            "" if item.get("duration_ms") is None else f"{item['duration_ms']:g} ms",
            (item.get("error") or {}).get("message", ""),
        )
        for item in answer["data"]
    ]
    _print(
        "No executions yet. Try: linkflow run examples/hello.json",
        ("status", "id", "trigger", "started", "time", "error"),
        rows,
    )


def show_logs(remote: Remote, execution_id: str, *, as_json: bool) -> None:
    """Print the log."""
    answer = remote.get(f"/executions/{execution_id}/logs")
    if as_json:
        shown.as_json(answer)
        return
    rows = [(line["at"], line["level"], line.get("key", ""), line["message"]) for line in answer["data"]]
    _print("The nodes of this execution logged nothing.", ("at", "level", "node", "message"), rows)


def show_events(remote: Remote, execution_id: str, *, as_json: bool) -> None:
    """Print the event history."""
    events: list[Json] = []
    while True:
        page = remote.get(f"/executions/{execution_id}/events", after=events[-1]["number"] if events else 0)
        events += page["data"]
        if not page["data"] or not page.get("next"):
            break
    if as_json:
        shown.as_json(events)
        return
    rows = [(event["number"], event["at"], event["type"], event["data"].get("key", "")) for event in events]
    _print("No events.", ("#", "at", "event", "node"), rows)


def show_explanation(remote: Remote, execution_id: str, *, as_json: bool) -> None:
    """Say what an execution waits for."""
    answer = remote.get(f"/executions/{execution_id}/explain")
    if as_json:
        shown.as_json(answer)
        return
    shown.console.print(shown.status(answer["status"]), markup=False)
    shown.console.print(answer["summary"], markup=False, soft_wrap=True)
    for driver in answer["drivers"]:
        shown.console.print(f"\n  {driver['message']}", markup=False, soft_wrap=True)
        for name, word in (("since", "since"), ("until", "at the latest until"), ("attempt", "attempt")):
            if driver.get(name):
                shown.console.print(f"    {word} {driver[name]}", markup=False)
        if driver.get("can"):
            shown.console.print(f"    you can: {', '.join(driver['can'])}", markup=False)
    for late in answer.get("late", ()):
        text = f"  late result of {late['key']}, attempt {late['attempt']}: {late['reason']}"
        shown.console.print(text, markup=False, soft_wrap=True)


def _print(empty: str, columns: tuple[str, ...], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        shown.console.print(shown.table("", columns, rows))
    else:
        shown.console.print(empty, markup=False)
