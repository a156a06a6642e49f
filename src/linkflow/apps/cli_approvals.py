"""Subcommands for approvals: what executions ask people, and deciding it."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

approvals = typer.Typer(
    help="Approvals: what executions ask people.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
ApprovalId = Annotated[str, typer.Argument(help="Id of the approval.")]
Answer = Annotated[str, typer.Option("--answer", help="What the form asks, as JSON or @file.")]
Comment = Annotated[str, typer.Option("--comment", help="Why; it goes into the audit log.")]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


@approvals.command("list")
def list_approvals(
    decided: Annotated[bool, typer.Option("--decided", help="Those that are over.")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Only those that you may decide.")] = False,
    workflow: Annotated[str, typer.Option("--workflow", help="Only of this workflow.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100)] = 50,
    as_json: Json = False,
) -> None:
    """List approvals, newest first: those that are open, unless told otherwise."""
    from linkflow.apps.cli_show import brief, print_json, table

    query = urlencode(
        {
            "status": "decided" if decided else "open",
            "mine": str(mine).lower(),
            "workflow_id": workflow,
            "limit": limit,
        }
    )
    found = _api().call("GET", f"/approvals?{query}")
    if as_json:
        print_json(found)
        return
    rows = [
        [each["id"], each["status"], each["due_at"], brief(each["title"]), brief(", ".join(each["deciders"])),
         brief(each["decided_by"])]
        for each in found["data"]
    ]  # fmt: skip
    table(["id", "status", "until", "name", "asked of", "decided by"], rows)


@approvals.command("show")
def show(approval_id: ApprovalId) -> None:
    """Print an approval as JSON: the question, its data, its form."""
    from linkflow.apps.cli_show import print_json

    print_json(_api().call("GET", f"/approvals/{quote(approval_id, safe='')}"))


@approvals.command("approve")
def approve(
    approval_id: ApprovalId, answer: Answer = "", comment: Comment = "", as_json: Json = False
) -> None:
    """Approve; the execution goes on."""
    _decide(approval_id, "approved", answer, comment, as_json=as_json)


@approvals.command("reject")
def reject(approval_id: ApprovalId, comment: Comment = "", as_json: Json = False) -> None:
    """Reject; the execution goes on by its other way."""
    _decide(approval_id, "rejected", "", comment, as_json=as_json)


def _decide(approval_id: str, decision: str, answer: str, comment: str, *, as_json: bool) -> None:
    """Decide, and say how it stands."""
    from linkflow.apps.cli_show import print_json, read_json

    body = {"decision": decision, "answer": read_json(answer) if answer else None, "comment": comment}
    found = _api().call("POST", f"/approvals/{quote(approval_id, safe='')}/decision", body)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['title']}: {found['status']}")
