"""Subcommands for webhook subscriptions: who outside is told of what, and how that went."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

subscriptions = typer.Typer(
    help="Webhook subscriptions: who outside is told of what.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
SubscriptionId = Annotated[str, typer.Argument(help="Id of the subscription.")]


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


def _path(subscription_id: str, rest: str = "") -> str:
    """Say the path of a subscription."""
    return f"/webhook-subscriptions/{quote(subscription_id, safe='')}{rest}"


@subscriptions.command("list")
def list_subscriptions(as_json: Json = False) -> None:
    """List subscriptions, newest first; one that LinkFlow switched off says why."""
    from linkflow.apps.cli_show import brief, print_json, table

    found = _api().call("GET", "/webhook-subscriptions")
    if as_json:
        print_json(found)
        return
    rows = [
        [each["id"], brief(each["url"]), brief(", ".join(each["events"])),
         "on" if each["is_active"] else "off", brief(each["disabled_reason"])]
        for each in found["data"]
    ]  # fmt: skip
    table(["id", "url", "events", "state", "error"], rows)


@subscriptions.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Where messages go.")],
    event: Annotated[list[str], typer.Option("--event", help="Such as execution.failed, execution.*, *.")],
    workflow: Annotated[str, typer.Option("--workflow", help="Only of this workflow.")] = "",
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    as_json: Json = False,
) -> None:
    """Tell an address of events from now on; the secret that signs is shown this once."""
    from linkflow.apps.cli_show import print_json

    body = {"url": url, "events": event, "workflow_id": workflow, "description": description}
    found = _api().call("POST", "/webhook-subscriptions", body)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['id']}\nMessages are signed with {found['secret']}")


@subscriptions.command("remove")
def remove(subscription_id: SubscriptionId) -> None:
    """Remove a subscription with what waits for it."""
    _api().call("DELETE", _path(subscription_id))


@subscriptions.command("on")
def switch_on(subscription_id: SubscriptionId) -> None:
    """Switch a subscription on; it is told of what happens from now on."""
    _api().call("PUT", _path(subscription_id), {"is_active": True})


@subscriptions.command("off")
def switch_off(subscription_id: SubscriptionId) -> None:
    """Switch a subscription off."""
    _api().call("PUT", _path(subscription_id), {"is_active": False})


@subscriptions.command("test")
def test(subscription_id: SubscriptionId, as_json: Json = False) -> None:
    """Send a message that says that it is a test; `deliveries` says how it went."""
    _messages({"data": [_api().call("POST", _path(subscription_id, "/test"))]}, as_json=as_json)


@subscriptions.command("deliveries")
def deliveries(
    subscription_id: SubscriptionId,
    state: Annotated[str, typer.Option("--state", help="pending, delivered or failed.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100)] = 20,
    as_json: Json = False,
) -> None:
    """List messages with how they stand, newest first."""
    query = urlencode({"state": state, "limit": limit})
    _messages(_api().call("GET", _path(subscription_id, f"/deliveries?{query}")), as_json=as_json)


@subscriptions.command("replay")
def replay(
    subscription_id: SubscriptionId,
    delivery_ids: Annotated[list[str], typer.Argument(help="Ids of messages; none with --failed.")] = [],  # noqa: B006  typer reads it
    failed: Annotated[bool, typer.Option("--failed", help="The newest 100 that failed.")] = False,
    as_json: Json = False,
) -> None:
    """Send messages once more, under the same ids; each gets all its tries again."""
    from linkflow.apps.cli_client import CommandFailed

    if bool(delivery_ids) == failed:
        raise CommandFailed("Name messages, or say --failed.")
    api = _api()
    if failed:
        found = api.call("GET", _path(subscription_id, "/deliveries?state=failed&limit=100"))
        delivery_ids = [each["id"] for each in found["data"]]
    again = [
        api.call("POST", _path(subscription_id, f"/deliveries/{quote(each, safe='')}/replay"))
        for each in delivery_ids
    ]
    _messages({"data": again}, as_json=as_json)


def _messages(found: Any, *, as_json: bool) -> None:
    """Print messages."""
    from linkflow.apps.cli_show import brief, print_json, table

    if as_json:
        print_json(found)
        return
    names = ("id", "at", "event", "state", "attempts", "status", "error")
    rows = [[brief(each[name]) if each[name] else "" for name in names] for each in found["data"]]
    table(["id", "at", "event", "state", "tries", "status", "error"], rows)
