"""`linkflow backlogs`: what runs in the background, and trying again what failed."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

backlogs = typer.Typer(
    help="What is under way, waits or failed in the background.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


@backlogs.command("list")
def list_backlogs(as_json: Json = False) -> None:
    """List what stands in each queue and outbox, over all workspaces."""
    from linkflow.apps.cli_show import print_json, table

    found = _api().call("GET", "/admin/backlogs")
    if as_json:
        print_json(found)
        return
    rows = [["executions", status, str(count), "", ""] for status, count in found["executions"].items()]
    rows += [
        ["queue " + each["name"], f"{each['in_flight']} under way", str(each["depth"]), "", _age(each)]
        for each in found["queues"]
    ]
    rows += [
        [each["name"], each["summary"], str(each["waiting"]), str(each["failed"] or ""), _age(each)]
        for each in found["backlogs"]
    ]
    table(["name", "what", "waiting", "failed", "oldest"], rows)


def _age(each: dict[str, Any]) -> str:
    """Say how long the oldest waits."""
    return f"{each['oldest_s']:.0f} s" if each["oldest_s"] else ""


@backlogs.command("retry")
def retry(
    name: Annotated[str, typer.Argument(help="notifications or deliveries.")], as_json: Json = False
) -> None:
    """Try again what failed of one kind, each with all its tries; for dead letters: linkflow dead-letters."""
    from linkflow.apps.cli_show import print_json

    found = _api().call("POST", f"/admin/backlogs/{quote(name, safe='')}/retry")
    if as_json:
        print_json(found)
    else:
        typer.echo(f"retried: {found['retried']}")
