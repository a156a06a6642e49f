"""Subcommands for the cluster: its processes, how they are, settings of all of them at run time."""

from typing import Annotated, Any

import typer

cluster = typer.Typer(help="The processes of this LinkFlow.", no_args_is_help=True, rich_markup_mode=None)
config = typer.Typer(
    help="Settings of all processes while they run.", no_args_is_help=True, rich_markup_mode=None
)
cluster.add_typer(config, name="config")
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


@cluster.command("status")
def status(as_json: Json = False) -> None:
    """List the processes with their roles, and say what is missing; 1 when executions cannot go on."""
    from linkflow.apps.cli_show import print_json, table

    found = _api().call("GET", "/admin/cluster")
    if as_json:
        print_json(found)
    else:
        rows = [
            [
                each["id"],
                each["state"],
                each["release"],
                ", ".join(f"{role}*" if role in each["active"] else role for role in each["roles"]),
                f"{each['silent_s']:.1f} s ago",
                each["waits_for"] or "",
            ]
            for each in found["members"]
        ]
        table(["process", "state", "release", "roles (* active)", "heard", "waits for"], rows)
        if found["missing"]:
            typer.echo(f"roles that nobody has: {', '.join(found['missing'])}")
        for problem in found["problems"]:
            typer.echo(f"! {problem}")
        if len(found["releases"]) > 1:
            typer.echo(f"! Releases differ: {', '.join(found['releases'])}.")
        typer.echo(waiting(found["waiting"]))
        said = found["config"]
        behind = f", not applied yet by {', '.join(found['behind'])}" if found["behind"] else ""
        typer.echo(f"configuration {said['version']}{behind}")
    raise typer.Exit(0 if found["ok"] else 1)


def waiting(found: Any) -> str:
    """Say what waits for workers; more is in `linkflow queues`."""
    if found is None:
        return "tasks waiting: unknown, Matching cannot be asked"
    oldest = f", the oldest for {found['oldest_s']:.1f} s" if found["tasks"] else ""
    return f"tasks waiting: {found['tasks']}{oldest}; under way: {found['in_flight']}"


@config.command("get")
def get(as_json: Json = False) -> None:
    """Print what was said to all processes, and what can be."""
    from linkflow.apps.cli_show import print_json, table

    found = _api().call("GET", "/admin/cluster/config")
    if as_json:
        print_json(found)
        return
    rows = [[name, found["values"].get(name, "-"), doc] for name, doc in found["settings"].items()]
    table(["setting", "value", "what it is for"], rows)
    typer.echo(f"version {found['version']}")


@config.command("set")
def change(
    values: Annotated[
        list[str], typer.Argument(help="name=value; name= takes a value back.", metavar="NAME=VALUE...")
    ],
    as_json: Json = False,
) -> None:
    """Change settings of all processes while they run; each applies them within seconds."""
    from linkflow.apps.cli_client import CommandFailed
    from linkflow.apps.cli_show import print_json

    pairs = [each.partition("=") for each in values]
    if not all(sign for _, sign, _ in pairs):
        raise CommandFailed("Say name=value, such as log_level=debug.")
    told = {name: value or None for name, _, value in pairs}
    found = _api().call("PUT", "/admin/cluster/config", {"values": told})
    if as_json:
        print_json(found)
    else:
        typer.echo(f"configuration {found['version']}")
