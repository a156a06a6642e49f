"""Subcommands for variables, which a workspace keeps beside its workflows."""

from typing import Annotated, Any

import typer

variables = typer.Typer(
    help="Values that workflows read as {{vars.KEY}}.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


@variables.command("set")
def set_variable(
    key: Annotated[str, typer.Argument(help="What expressions call it.")],
    value: Annotated[str, typer.Argument(help="JSON; what is no JSON is text.")],
) -> None:
    """Set a variable; executions that start from now on see it."""
    import json

    try:
        read = json.loads(value)
    except ValueError:
        read = value
    _api().call("PUT", f"/variables/{key}", {"value": read})


@variables.command("list")
def list_variables(as_json: Json = False) -> None:
    """List variables."""
    _listed("/variables", ["key", "value"], as_json=as_json)


def _listed(path: str, columns: list[str], *, as_json: bool) -> None:
    """Print a list."""
    from linkflow.apps.cli_show import brief, print_json, table

    found = _api().call("GET", path)
    if as_json:
        print_json(found)
    else:
        table(columns, [[brief(each[column]) for column in columns] for each in found["data"]])
