"""Commands that act on many executions at once: cancel, retry."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import typer

from linkflow.apps.cli_client import Api, CommandFailed
from linkflow.apps.cli_show import print_json

AT_ONCE, PAGE = 200, 100
"""Executions that one request takes, and that one page of a search lists."""

OPEN = ("running", "waiting", "queued")
ENDED_BADLY = ("failed", "timed_out", "cancelled")
"""Statuses that --all means where none is said."""


def meant(
    api: Api, execution_ids: list[str], workflow: str, status: str, statuses: Sequence[str], *, every: bool
) -> list[str]:
    """List the executions that a command is about: those named, or with --all those that the options match.

    Args:
        api: Where to look.
        execution_ids: Those named.
        workflow: Only of this workflow; empty for all.
        status: Only with this status; empty for `statuses`.
        statuses: What --all means.
        every: Whether --all was said.

    Raises:
        CommandFailed: Both or neither were given, or an option without --all.
    """
    if bool(execution_ids) == every or ((workflow or status) and not every):
        raise CommandFailed("Name executions, or say --all; --workflow and --status choose among all.")
    where = [("status", each) for each in ([status] if status else statuses)]
    where += [("limit", str(PAGE))] + ([("workflow_id", workflow)] if workflow else [])
    found, after = list(execution_ids), "" if every else None
    while after is not None:
        page = api.call("GET", f"/executions/search?{urlencode([*where, ('after', after)])}")
        found += [each["id"] for each in page["data"]]
        after = page["next"]
    return found


def cancel(api: Api, execution_ids: list[str], reason: str, *, as_json: bool) -> int:
    """Ask executions to end; the exit code says whether all were asked."""
    return _said("cancel", _each(api, "cancel", execution_ids, {"reason": reason}), as_json=as_json)


def terminate(api: Api, execution_ids: list[str], reason: str, *, as_json: bool) -> int:
    """End executions at once; the exit code says whether all were ended."""
    data: list[dict[str, Any]] = []
    for execution_id in execution_ids:
        try:
            api.call("POST", f"/executions/{quote(execution_id, safe='')}/terminate", {"reason": reason})
        except CommandFailed as error:
            data.append({"id": execution_id, "ok": False, "detail": str(error)})
        else:
            data.append({"id": execution_id, "ok": True, "detail": None})
    return _said("terminate", data, as_json=as_json)


def retry(api: Api, execution_ids: list[str], *, as_json: bool) -> int:
    """Run executions again from what failed; the exit code says whether all began."""
    return _said("retry", _each(api, "retry", execution_ids, {}), as_json=as_json)


def _each(api: Api, action: str, execution_ids: list[str], more: dict[str, Any]) -> list[dict[str, Any]]:
    """Act on executions, page by page; what became of each."""
    pages = [execution_ids[start : start + AT_ONCE] for start in range(0, len(execution_ids), AT_ONCE)]
    data: list[dict[str, Any]] = []
    for page in pages:
        data += api.call("POST", f"/executions/bulk/{action}", {"ids": page} | more)["data"]
    return data


def _said(action: str, data: list[dict[str, Any]], *, as_json: bool) -> int:
    """Say what became of executions."""
    refused = [each for each in data if not each["ok"]]
    if as_json:
        print_json({"done": len(data) - len(refused), "failed": len(refused), "data": data})
    else:
        typer.echo(f"{action}: {len(data) - len(refused)} of {len(data)}")
        for each in data:
            if not each["ok"]:
                typer.echo(f"  {each['id']}: {each['detail']}")
            elif each.get("new_execution_id"):
                typer.echo(f"  {each['id']} runs again as {each['new_execution_id']}")
    return 1 if refused else 0
