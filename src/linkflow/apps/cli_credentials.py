"""Subcommands for credentials. A secret is typed unseen, or read from a file or standard input.

It is never an argument: arguments stand in the history of the shell and in the list of processes.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, urlsplit

import typer

credentials = typer.Typer(
    help="Secrets that workflows use as {{credential.NAME.FIELD}}.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Name = Annotated[str, typer.Argument(help="Name or id.")]
Fields = Annotated[
    list[str],
    typer.Argument(
        metavar="[FIELD…]",
        help="FIELD asks for its value; FIELD=@FILE reads a file, FIELD=- standard input; "
        "FIELD=VALUE for what is no secret.",
    ),
]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


def _print(found: Any, line: str, *, as_json: bool) -> None:
    """Say what was done, to a person or a program."""
    from linkflow.apps.cli_show import print_json

    if as_json:
        print_json(found)
    else:
        typer.echo(line)


def _kind(api: Any, name: str) -> Any:
    """Read a type of credentials: `{"name", "is_open", "fields": [{"name", "secret", "required", …}]}`."""
    return api.call("GET", f"/credential-types/{quote(name, safe='')}")


def _is_secret(kind: Any, field: str) -> bool:
    """Say whether a field of a type is a secret."""
    from linkflow.domain.credential import PLAIN

    known = {each["name"]: bool(each["secret"]) for each in kind["fields"]}
    return known.get(field, field not in PLAIN)


def _read(kind: Any, given: Sequence[str]) -> dict[str, str]:
    """Read fields as they were given: typed, from files, from standard input, in the clear.

    Raises:
        CommandFailed: A secret stands among the arguments, a file cannot be read, or standard input twice.
    """
    from linkflow.apps.cli_client import CommandFailed

    data: dict[str, str] = {}
    for each in given:
        field, equals, value = each.partition("=")
        if not field:
            raise CommandFailed(f"{each!r} names no field.")
        if not equals:
            data[field] = typer.prompt(field, hide_input=_is_secret(kind, field))
        elif value == "-":
            if sum(other.endswith("=-") for other in given) > 1:
                raise CommandFailed("Only one field can be read from standard input.")
            data[field] = sys.stdin.read().removesuffix("\n")
        elif value.startswith("@"):
            try:
                data[field] = Path(value[1:]).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise CommandFailed(f"{value[1:]} cannot be read: {error}.") from error
        elif _is_secret(kind, field):
            raise CommandFailed(
                f"{field} is a secret, and an argument stays in the history of your shell. "
                f"Say {field} to be asked for it, {field}=@FILE to read a file, {field}=- to pipe it in."
            )
        else:
            data[field] = value
    return data


@credentials.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What expressions call it.")],
    fields: Fields = [],  # noqa: B006  typer reads it
    kind: Annotated[str, typer.Option("--type", help="What kind of secret it is.")] = "custom",
    as_json: Json = False,
) -> None:
    """Keep a secret; nobody is shown it again. What its type needs and was not named is asked for."""
    api = _api()
    found = _kind(api, kind)
    named = {each.partition("=")[0] for each in fields}
    wanted = [each["name"] for each in found["fields"] if each["required"] and each["name"] not in named]
    if not fields and not wanted:
        raise typer.BadParameter("Name at least one field, such as token: linkflow credentials add x token")
    data = _read(found, [*fields, *wanted])
    made = api.call("POST", "/credentials", {"name": name, "type": kind, "data": data})
    names = ", ".join(f"{{{{credential.{made['name']}.{field}}}}}" for field in data)
    _print(made, f"kept: {names}{_next_step(made)}", as_json=as_json)


def _next_step(made: Mapping[str, Any]) -> str:
    """Say what a new credential still needs."""
    return f"\nnow: linkflow credentials connect {made['name']}" if made["state"] == "unconnected" else ""


@credentials.command("list")
def listed(as_json: Json = False) -> None:
    """List credentials, without their values."""
    from linkflow.apps.cli_show import brief, print_json, table

    columns = ["name", "type", "state", "last_used_at", "updated_at", "id"]
    found = _api().call("GET", "/credentials")
    if as_json:
        print_json(found)
        return
    table(columns, [[brief(each[column]) for column in columns] for each in found["data"]])


@credentials.command("test")
def test(name: Name, as_json: Json = False) -> None:
    """Make one harmless call with it; ends with 1 when it does not work."""
    found = _api().call("POST", f"/credentials/{quote(name, safe='')}/test")
    _print(found, f"{'works' if found['works'] else 'does not work'}: {found['message']}", as_json=as_json)
    if not found["works"]:
        raise typer.Exit(1)


@credentials.command("connect")
def connect(name: Name, as_json: Json = False) -> None:
    """Connect an OAuth credential: agree in a browser, then say where it came back to."""
    from linkflow.apps.cli_client import CommandFailed

    api = _api()
    begun = api.call("POST", "/oauth/authorize", {"credential": name})
    typer.echo(f"Open this address and agree:\n\n  {begun['authorization_url']}\n", err=as_json)
    asked = "The whole address that the browser came back to"
    back = urlsplit(typer.prompt(asked, err=as_json).strip())
    query = parse_qs(back.query)
    if "code" not in query or "state" not in query:
        raise CommandFailed("That address holds no code and state; copy it whole, from the browser's bar.")
    provider = back.path.rpartition("/")[2]
    came = {"code": query["code"][0], "state": query["state"][0]}
    found = api.call("POST", f"/oauth/callback/{quote(provider, safe='')}", came)
    _print(found, f"{found['name']} is {found['state']}", as_json=as_json)


@credentials.command("rotate")
def rotate(
    name: Name,
    fields: Fields = [],  # noqa: B006  typer reads it
    as_json: Json = False,
) -> None:
    """Replace its secrets, all that its type has or those named; what runs uses the new ones from now on."""
    api = _api()
    path = f"/credentials/{quote(name, safe='')}"
    kind = _kind(api, api.call("GET", path)["type"])
    asked = fields or [each["name"] for each in kind["fields"] if each["secret"]]
    if not asked:
        raise typer.BadParameter("Name the fields to replace, such as token.")
    found = api.call("PUT", path, {"data": _read(kind, asked)})
    _print(found, f"replaced: {', '.join(each.partition('=')[0] for each in asked)}", as_json=as_json)


@credentials.command("remove")
def remove(name: Name, as_json: Json = False) -> None:
    """Remove a credential; nodes that use it fail from now on."""
    api = _api()
    found = api.call("GET", f"/credentials/{quote(name, safe='')}")
    api.call("DELETE", f"/credentials/{quote(found['id'], safe='')}")
    _print(found, f"removed: {found['name']}", as_json=as_json)
