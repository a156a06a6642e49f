"""Subcommands for who may do what: signing in to a LinkFlow elsewhere, API keys, members."""

import sys
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

import typer

keys = typer.Typer(help="API keys, for programs.", no_args_is_help=True, rich_markup_mode=None)
members = typer.Typer(help="Who belongs to the workspace.", no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
DAY_S = 24 * 3600
LOGIN_DAYS = 90
"""How long a machine stays signed in."""


def _api() -> Any:
    """Reach LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


def _listed(path: str, columns: list[str], *, as_json: bool) -> None:
    """Print rows."""
    from linkflow.apps.cli_show import brief, print_json, table

    found = _api().call("GET", path)
    if as_json:
        print_json(found)
        return
    table(columns, [[brief(each[column]) for column in columns] for each in found["data"]])


def _done(found: Any, line: str, *, as_json: bool) -> None:
    """Say what was done, to a person or a program."""
    from linkflow.apps.cli_show import print_json

    if as_json:
        print_json(found)
    else:
        typer.echo(line)


def login(
    url: Annotated[str, typer.Argument(help="Where it is, such as https://linkflow.example.")],
    email: Annotated[str, typer.Option("--email", help="Whose account; asked for when left out.")] = "",
    key: Annotated[bool, typer.Option("--key", help="Read an API key from standard input instead.")] = False,
) -> None:
    """Sign in to a LinkFlow elsewhere; from then on the commands of this machine go there."""
    import socket

    from linkflow.apps.cli_client import Api
    from linkflow.apps.cli_local import settings
    from linkflow.apps.local_access import LOGIN, LocalAccess, keep_access

    access = LocalAccess(url.rstrip("/"), "", 0)
    if key:
        access = replace(access, token=sys.stdin.readline().strip())
    else:
        said = {
            "email": email or typer.prompt("E-mail address"),
            "password": typer.prompt("Password", hide_input=True),
        }
        signed_in = replace(access, token=Api(access).call("POST", "/auth/login", said)["access_token"])
        made = {"name": f"linkflow login on {socket.gethostname()}", "expires_in": LOGIN_DAYS * DAY_S}
        access = replace(access, token=Api(signed_in).call("POST", "/auth/tokens", made)["token"])
        Api(signed_in).call("POST", "/auth/logout")
    me = Api(access).call("GET", "/auth/me")
    keep_access(settings().home, access, LOGIN)
    typer.echo(f"signed in to {access.url} as {me['email']}; linkflow logout ends it")


def logout() -> None:
    """Forget the LinkFlow elsewhere; the key of this machine can be removed under your account there."""
    from linkflow.apps.cli_local import settings
    from linkflow.apps.local_access import LOGIN, find_access

    home = settings().home
    access = find_access(home, LOGIN)
    if access is None:
        typer.echo("not signed in elsewhere")
        return
    (home / LOGIN).unlink(missing_ok=True)
    typer.echo(f"signed out of {access.url}; its key can be removed under your account there")


@keys.command("list")
def list_keys(as_json: Json = False) -> None:
    """List your API keys."""
    _listed("/auth/tokens", ["name", "prefix", "scopes", "last_used_at", "expires_at", "id"], as_json=as_json)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="Such as workflow.execute, read; all if none.")
    ] = [],  # noqa: B006  typer reads it
    days: Annotated[int, typer.Option("--days", min=0, help="How long it lasts; 0 for ever.")] = 0,
    as_json: Json = False,
) -> None:
    """Make an API key and print it, this once."""
    from linkflow.apps.cli_show import print_json

    body: dict[str, Any] = {"name": name, "scopes": scope}
    found = _api().call("POST", "/auth/tokens", body | ({"expires_in": days * DAY_S} if days else {}))
    if as_json:
        print_json(found)
    else:
        typer.echo(found["token"])


@keys.command("remove")
def remove_key(key_id: Annotated[str, typer.Argument(help="Id of the key.")], as_json: Json = False) -> None:
    """Remove an API key; it is refused at once."""
    _api().call("DELETE", f"/auth/tokens/{quote(key_id, safe='')}")
    _done({"id": key_id}, "removed; it is refused from now on", as_json=as_json)


@members.command("list")
def list_members(as_json: Json = False) -> None:
    """List the members of the workspace."""
    _listed("/members", ["email", "name", "role", "joined_at", "user_id"], as_json=as_json)


@members.command("invite")
def invite(
    email: Annotated[str, typer.Argument(help="Who.")],
    role: Annotated[str, typer.Option("--role", help="admin, member or viewer.")] = "member",
    as_json: Json = False,
) -> None:
    """Invite somebody; a letter goes out, and the link is printed."""
    from linkflow.apps.cli_show import print_json

    found = _api().call("POST", "/invitations", {"email": email, "role": role})
    if as_json:
        print_json(found)
    else:
        typer.echo(found["link"])


def _user_id(api: Any, who: str) -> str:
    """Find a member by e-mail address or id."""
    found = {each["email"]: each["user_id"] for each in api.call("GET", "/members")["data"]}
    return quote(found.get(who.lower(), who), safe="")


Who = Annotated[str, typer.Argument(help="E-mail address or id of the member.")]


@members.command("role")
def set_role(
    who: Who,
    role: Annotated[str, typer.Argument(help="owner, admin, member or viewer.")],
    as_json: Json = False,
) -> None:
    """Give a member another role."""
    api = _api()
    found = api.call("PUT", f"/members/{_user_id(api, who)}", {"role": role})
    _done(found, f"{who} is {role} now", as_json=as_json)


@members.command("remove")
def remove_member(who: Who, as_json: Json = False) -> None:
    """Take a member out of the workspace; they lose access at once."""
    api = _api()
    user_id = _user_id(api, who)
    api.call("DELETE", f"/members/{user_id}")
    _done({"user_id": user_id}, f"{who} is out", as_json=as_json)
