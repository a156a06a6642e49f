"""Subcommands for dead letters: what was given up on, and trying it again."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

letters = typer.Typer(
    help="Dead letters: work given up on, kept for people.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
LetterId = Annotated[str, typer.Argument(help="Id of the letter.")]
LetterIds = Annotated[list[str], typer.Argument(help="Ids of letters; none with --all.")]
Everything = Annotated[bool, typer.Option("--all", help="Every letter that the options match.")]
Kind = Annotated[str, typer.Option("--kind", help="task, callback, start or decision.")]
Execution = Annotated[str, typer.Option("--execution", help="Only of this execution.")]
Workflow = Annotated[str, typer.Option("--workflow", help="Only of this workflow.")]
Reason = Annotated[str, typer.Option("--reason", help="Only with this in the reason.")]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


def _where(kind: str, execution: str, workflow: str, reason: str) -> dict[str, str]:
    """Say which letters are meant, as REST takes it."""
    given = {"kind": kind, "execution_id": execution, "workflow_id": workflow, "reason": reason}
    return {name: value for name, value in given.items() if value}


@letters.command("list")
def list_letters(
    kind: Kind = "",
    execution: Execution = "",
    workflow: Workflow = "",
    reason: Reason = "",
    limit: int = 50,
    as_json: Json = False,
) -> None:
    """List dead letters, newest first."""
    from linkflow.apps.cli_show import brief, print_json, table

    query = urlencode(_where(kind, execution, workflow, reason) | {"limit": limit})
    found = _api().call("GET", f"/dead-letters?{query}")
    if as_json:
        print_json(found)
        return
    rows = [[each["id"], each["kind"], each["at"], brief(each["reason"])] for each in found["data"]]
    table(["id", "kind", "at", "reason"], rows)


@letters.command("show")
def show(letter_id: LetterId) -> None:
    """Print a dead letter as JSON."""
    from linkflow.apps.cli_show import print_json

    print_json(_api().call("GET", f"/dead-letters/{quote(letter_id, safe='')}"))


@letters.command("replay")
def replay(
    letter_ids: LetterIds = [],  # noqa: B006  typer reads it
    every: Everything = False,
    kind: Kind = "",
    execution: Execution = "",
    workflow: Workflow = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Try letters again: those named, or with --all those that the options match."""
    _deal("replay", letter_ids, _where(kind, execution, workflow, reason), every=every, as_json=as_json)


@letters.command("drop")
def drop(
    letter_ids: LetterIds = [],  # noqa: B006  typer reads it
    every: Everything = False,
    kind: Kind = "",
    execution: Execution = "",
    workflow: Workflow = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Remove letters: those named, or with --all those that the options match."""
    _deal("drop", letter_ids, _where(kind, execution, workflow, reason), every=every, as_json=as_json)


def _deal(action: str, letter_ids: list[str], where: dict[str, str], *, every: bool, as_json: bool) -> None:
    """Replay or drop letters, page by page, and say what became of them."""
    from linkflow.apps.cli_client import CommandFailed
    from linkflow.apps.cli_show import print_json

    if bool(letter_ids) == every or (where and not every):
        raise CommandFailed("Name letters, or say --all; the options choose among all.")
    api = _api()
    body = {"action": action} | ({"where": where} if every else {"ids": letter_ids})
    total: dict[str, Any] = {"matched": 0, "done": 0, "failed": []}
    while True:
        found = api.call("POST", "/dead-letters/bulk", body)
        total["matched"] += found["matched"]
        total["done"] += found["done"]
        total["failed"] += found["failed"]
        if not found["has_more"] or not found["done"]:
            break
    if as_json:
        print_json(total)
    else:
        typer.echo(f"{action}: {total['done']} of {total['matched']}")
        for failure in total["failed"]:
            typer.echo(f"  {failure['id']}: {failure['detail']}")
    if total["failed"]:
        raise typer.Exit(1)
