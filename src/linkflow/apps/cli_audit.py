"""Subcommands for the audit log: who did what, taken out, checked."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

audit = typer.Typer(
    help="The audit log: who did what, to what, from where.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


@audit.command("list")
def list_lines(
    action: Annotated[
        str, typer.Option("--action", help="Such as workflow.publish, or workflow. for all.")
    ] = "",
    resource: Annotated[str, typer.Option("--resource", help="Such as workflow:ID.")] = "",
    actor: Annotated[str, typer.Option("--actor", help="Id of a user.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100)] = 20,
    as_json: Json = False,
) -> None:
    """List what was done, newest first."""
    from linkflow.apps.cli_show import brief, print_json, table

    query = {"action": action, "resource": resource, "actor_id": actor, "limit": limit}
    found = _api().call("GET", f"/audit-logs?{urlencode(query)}")
    if as_json:
        print_json(found)
        return
    rows = [
        [str(each["number"]), each["at"], each["actor_id"] or "LinkFlow", each["action"], each["resource"],
         each["address"], brief(each["details"])]
        for each in found["data"]
    ]  # fmt: skip
    table(["line", "at", "who", "did", "to", "from", "details"], rows)


@audit.command("export")
def export() -> None:
    """Print the whole log, oldest first, one JSON object a line."""
    for line in _api().lines("/audit-logs/export"):
        sys.stdout.write(line + "\n")


@audit.command("verify")
def verify(
    file: Annotated[
        Path, typer.Argument(help="An export to check instead; - reads standard input.")
    ] = Path(),
    expect: Annotated[str, typer.Option("--expect", help="NUMBER:HASH that an earlier check printed.")] = "",
    as_json: Json = False,
) -> None:
    """Check the chain of hashes; exits with 1 when a line was changed, removed or put in later."""
    from linkflow.apps.cli_show import print_json

    if file == Path():
        found = _api().call("GET", f"/audit-logs/verify?{urlencode({'expect': expect})}")
    else:
        found = _of_export(file, expect)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{'holds' if found['holds'] else 'BROKEN'}: {found['lines']} lines, head {found['head']}")
        for finding in found["findings"]:
            typer.echo(f"  line {finding['number']}: {finding['what']}")
    if not found["holds"]:
        raise typer.Exit(1)


def _of_export(file: Path, expect: str) -> dict[str, Any]:
    """Check the lines of an export, without a running LinkFlow."""
    from linkflow.apps.cli_client import CommandFailed
    from linkflow.domain.audit import AuditLine, ChainCheck, head_of

    check = ChainCheck(head_of(expect) if expect else None)
    try:
        with sys.stdin if str(file) == "-" else file.open(encoding="utf-8") as lines:
            for text in lines:
                said = json.loads(text)
                plain = {name: said[name] for name in _PLAIN}
                hashes: dict[str, Any] = {name: bytes.fromhex(said[name]) for name in ("previous", "hash")}
                check.look([AuditLine(at=said["at_s"], **plain, **hashes)])
    except (OSError, ValueError, KeyError) as error:
        raise CommandFailed(f"{file} is no export of an audit log: {error}.") from error
    verdict = check.verdict()
    return {
        "holds": verdict.holds,
        "lines": verdict.lines,
        "first": verdict.first,
        "head": f"{verdict.head.number}:{verdict.head.hash.hex()}",
        "findings": [{"number": each.number, "what": each.what} for each in verdict.findings],
    }


_PLAIN = (
    "id", "workspace_id", "actor_id", "action", "resource", "details", "via", "address", "number",
)  # fmt: skip
