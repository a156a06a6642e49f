"""Subcommands for the scheduler: who leads, which duties there are, run one now."""

from typing import Annotated, Any

import typer

scheduler = typer.Typer(
    help="What LinkFlow does because time passed: schedules, retention, upkeep.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

WAIT_MS = 60_000


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


@scheduler.command("status")
def status(as_json: Json = False) -> None:
    """Say which process leads and what its duties did last."""
    from linkflow.apps.cli_show import print_json

    found = _api().call("GET", "/admin/scheduler")
    if as_json:
        print_json(found)
        return
    leader = found["leader"]
    said = f"led by {leader['holder']} (token {leader['token']})" if leader else "nobody leads"
    typer.echo(f"scheduler: {said}")
    _print_duties([duty for duty in found["duties"] if duty["last"]])


@scheduler.command("list")
def list_duties(as_json: Json = False) -> None:
    """List every duty: what it does, how often, when it ran last and what came of it."""
    from linkflow.apps.cli_show import print_json

    found = _api().call("GET", "/admin/scheduler")["duties"]
    if as_json:
        print_json({"data": found})
        return
    _print_duties(found)


@scheduler.command("run")
def run(
    duty: Annotated[str, typer.Argument(help="Name of the duty; `linkflow scheduler list` shows them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Run a duty now and print its result: by the leader, or here when no LinkFlow runs."""
    from linkflow.apps.cli_client import Api, CommandFailed
    from linkflow.apps.cli_local import settings
    from linkflow.apps.cli_show import print_json
    from linkflow.apps.local_access import find_access

    chosen = settings()
    access = find_access(chosen.home)
    if access is not None and Api(access).is_ready():
        found = _by_leader(Api(access), duty, dry_run=dry_run)
    else:
        from linkflow.apps.scheduler_alone import run_alone

        found = run_alone(chosen, duty, dry_run=dry_run)
    if as_json:
        print_json(found)
    elif found["outcome"] == "done":
        typer.echo(f"{duty}: done in {found['duration_ms']} ms")
        _print_result(found["result"])
    if found["outcome"] != "done":
        raise CommandFailed(f"{duty} {found['outcome']}: {found['error'] or 'it goes on'}", found)


def _by_leader(api: Any, duty: str, *, dry_run: bool) -> Any:
    """Ask the leader to run a duty, and stay until it is over."""
    import time

    found = api.call("POST", f"/admin/scheduler/duties/{duty}/run?wait_ms={WAIT_MS}", {"dry_run": dry_run})
    while found["ended_at"] is None:
        time.sleep(1.0)
        found = api.call("GET", f"/admin/scheduler/runs/{found['id']}")
    return found


def _print_duties(duties: list[Any]) -> None:
    """Print duties as a table."""
    from linkflow.apps.cli_show import brief, table

    rows = []
    for duty in duties:
        last = duty["last"] or {}
        took = "" if last.get("duration_ms") is None else f"{last['duration_ms']} ms"
        said = last.get("error") or last.get("result")
        rows.append(
            [duty["name"], _span(duty["every_s"]), last.get("outcome", ""), last.get("began_at") or "",
             took, brief(said) if said else "", duty["summary"]]
        )  # fmt: skip
    table(["duty", "every", "last", "began", "took", "result", ""], rows)


def _print_result(result: Any) -> None:
    """Print counts and examples, one a line."""
    import json

    for name, value in (result or {}).items():
        typer.echo(f"  {name}: {value if isinstance(value, int | str) else json.dumps(value)}")


def _span(every_s: float) -> str:
    """Say a pause in words."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if every_s >= size:
            return f"{every_s / size:g} {unit}"
    return "always"
