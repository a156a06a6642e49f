"""Subcommands for what a workspace keeps beside its workflows: credentials and variables."""

from pathlib import Path
from typing import Annotated, Any

import typer

credentials = typer.Typer(
    help="Secrets that workflows use as {{credential.NAME.FIELD}}.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
variables = typer.Typer(
    help="Values that workflows read as {{vars.KEY}}.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


@credentials.command("add")
def add_credential(
    name: Annotated[str, typer.Argument(help="What expressions call it.")],
    fields: Annotated[list[str], typer.Argument(help="FIELD=VALUE, or FIELD=@FILE to read a file.")],
    kind: Annotated[str, typer.Option("--type", help="What kind of secret it is.")] = "custom",
) -> None:
    """Keep a secret; nobody is shown it again."""
    data = {}
    for each in fields:
        field, equals, value = each.partition("=")
        if not field or not equals:
            raise typer.BadParameter(f"{each!r} is not FIELD=VALUE.")
        data[field] = Path(value[1:]).read_text(encoding="utf-8").strip() if value[:1] == "@" else value
    found = _api().call("POST", "/credentials", {"name": name, "type": kind, "data": data})
    names = [f"{{{{credential.{found['name']}.{field}}}}}" for field in data]
    typer.echo(f"kept: {', '.join(names)}")


@credentials.command("list")
def list_credentials(as_json: Json = False) -> None:
    """List credentials, without their values."""
    _listed("/credentials", ["name", "type", "updated_at", "id"], as_json=as_json)


@credentials.command("remove")
def remove_credential(name: Annotated[str, typer.Argument(help="Name or id.")]) -> None:
    """Remove a credential."""
    api = _api()
    found = {each["name"]: each["id"] for each in api.call("GET", "/credentials")["data"]}
    api.call("DELETE", f"/credentials/{found.get(name, name)}")


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
