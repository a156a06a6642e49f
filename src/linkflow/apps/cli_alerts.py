"""Subcommands for alerts: rules, trying them, what they sent."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

alerts = typer.Typer(
    help="Alerts: who hears of what, by e-mail, Slack or webhook.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
AlertId = Annotated[str, typer.Argument(help="Id of the alert.")]
HOW = ["at", "via", "to", "state", "title", "error"]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


@alerts.command("list")
def list_alerts(as_json: Json = False) -> None:
    """List the rules, newest first."""
    from linkflow.apps.cli_show import brief, print_json, table

    found = _api().call("GET", "/alerts")
    if as_json:
        print_json(found)
        return
    rows = [
        [each["id"], brief(each["name"]), each["kind"], "on" if each["is_active"] else "off",
         brief(", ".join(map(_where, each["channels"])))]
        for each in found["data"]
    ]  # fmt: skip
    table(["id", "name", "kind", "state", "goes to"], rows)


def _where(channel: dict[str, Any]) -> str:
    """Say a channel."""
    return channel.get("url") or channel.get("channel") or ", ".join(channel.get("to") or [])


@alerts.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    kind: Annotated[
        str,
        typer.Option(
            "--on",
            help="failure, slow, stuck, approval, dead_letter, quota, budget, credential or schedule.",
        ),
    ],
    email: Annotated[list[str], typer.Option("--email", help="Send a letter there.")] = [],  # noqa: B006  typer reads it
    slack: Annotated[
        list[str],
        typer.Option(
            "--slack", help="URL of an incoming webhook; @file keeps it out of the shell's history."
        ),
    ] = [],  # noqa: B006  as above
    webhook: Annotated[list[str], typer.Option("--webhook", help="Call this address, signed.")] = [],  # noqa: B006  as above
    workflow: Annotated[list[str], typer.Option("--workflow", help="Only of this workflow.")] = [],  # noqa: B006  as above
    over: Annotated[float, typer.Option("--over", help="Seconds that are too long.")] = 0.0,
    times_p95: Annotated[
        float, typer.Option("--times-p95", help="Too long is so many times what 95 of 100 take.")
    ] = 0.0,
    percent: Annotated[int, typer.Option("--percent", help="Of a plan or budget.")] = 0,
    cooldown: Annotated[float, typer.Option("--cooldown", help="Seconds between two messages.")] = 300.0,
    as_json: Json = False,
) -> None:
    """Tell of something from now on; the secret of a webhook is shown this once."""
    from linkflow.apps.cli_show import print_json

    channels: list[dict[str, Any]] = [{"kind": "email", "to": email}] if email else []
    channels += [{"kind": "slack", "url": _read(url)} for url in slack]
    channels += [{"kind": "webhook", "url": url} for url in webhook]
    body = {
        "name": name,
        "kind": kind,
        "workflow_ids": workflow,
        "cooldown_s": cooldown,
        "channels": channels,
    }
    given = {"over_s": over, "times_p95": times_p95, "percent": percent}
    found = _api().call("POST", "/alerts", body | {key: value for key, value in given.items() if value})
    if as_json:
        print_json(found)
        return
    typer.echo(found["id"])
    for channel in found["channels"]:
        if channel.get("secret"):
            typer.echo(f"{channel['url']} is signed with {channel['secret']}")


def _read(url: str) -> str:
    """Read an address from the file after an @."""
    from pathlib import Path

    from linkflow.apps.cli_client import CommandFailed

    if not url.startswith("@"):
        return url
    try:
        return Path(url[1:]).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CommandFailed(f"{url[1:]} cannot be read: {error.strerror}.") from error


@alerts.command("remove")
def remove(alert_id: AlertId) -> None:
    """Remove a rule; what it sent stays in the history."""
    _api().call("DELETE", f"/alerts/{quote(alert_id, safe='')}")


@alerts.command("on")
def switch_on(alert_id: AlertId) -> None:
    """Switch a rule on; it tells of what happens from now on."""
    _api().call("PUT", f"/alerts/{quote(alert_id, safe='')}", {"is_active": True})


@alerts.command("off")
def switch_off(alert_id: AlertId) -> None:
    """Switch a rule off."""
    _api().call("PUT", f"/alerts/{quote(alert_id, safe='')}", {"is_active": False})


@alerts.command("test")
def test(alert_id: AlertId, as_json: Json = False) -> None:
    """Send a message that says that it is a test to every channel; `history` says how it went."""
    _sent(_api().call("POST", f"/alerts/{quote(alert_id, safe='')}/test"), as_json=as_json)


@alerts.command("history")
def history(
    alert_id: Annotated[str, typer.Argument(help="Id of the alert; all of them without.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100)] = 20,
    as_json: Json = False,
) -> None:
    """List what was sent, newest first, and how it went."""
    path = f"/alerts/{quote(alert_id, safe='')}/history" if alert_id else "/alerts/history"
    _sent(_api().call("GET", f"{path}?{urlencode({'limit': limit})}"), as_json=as_json)


def _sent(found: Any, *, as_json: bool) -> None:
    """Print messages."""
    from linkflow.apps.cli_show import brief, print_json, table

    if as_json:
        print_json(found)
        return
    rows = [
        [
            each["at"],
            each["kind"],
            brief(each["to"]),
            each["state"],
            brief(each["title"]),
            brief(each["error"]),
        ]
        for each in found["data"]
    ]
    table(HOW, rows)
