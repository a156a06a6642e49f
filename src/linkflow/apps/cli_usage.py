"""Commands about what a workspace uses, what its plan allows, and budgets that stop."""

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

budgets = typer.Typer(
    help="Budgets that stop what uses too much: of each execution, of a day, of a month.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Period = Annotated[str, typer.Argument(help="execution (each one's default), day or month.")]
Limits = Annotated[
    list[str],
    typer.Argument(
        help="METER=NUMBER: executions, attempts, node_ms, ai_tokens, sms_parts, airtime_cents.",
        metavar="LIMIT",
    ),
]
Execution = Annotated[str, typer.Argument(help="Id of an execution that waits for a budget.")]
USED = (
    "started",
    "failed",
    "nodes",
    "node_seconds",
    "ai_tokens",
    "sms_parts",
    "airtime_cents",
    "storage_bytes",
)


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect
    from linkflow.apps.cli_local import settings

    return connect(settings().home)


def usage(
    first: Annotated[str, typer.Option("--from", help="A day, as 2026-01-31; the month's first.")] = "",
    last: Annotated[str, typer.Option("--to", help="A day; today.")] = "",
    by: Annotated[str, typer.Option("--by", help="day or month.")] = "day",
    as_json: Json = False,
) -> None:
    """Print what the workspace used, by day or month (UTC)."""
    from linkflow.apps.cli_show import print_json, table

    asked = {"from": first, "to": last, "by": by}
    found = _api().call("GET", f"/usage?{urlencode({name: each for name, each in asked.items() if each})}")
    if as_json:
        print_json(found)
        return
    rows = [[line["day"], *(_amount(line[name]) for name in USED)] for line in found["data"]]
    total = ["total", *(_amount(found["total"][name]) for name in USED)]
    table([by, *(name.replace("_", " ") for name in USED)], [*rows, total])


def plans(as_json: Json = False) -> None:
    """Print the plan of the workspace, how much of it is used, and which plans there are."""
    from linkflow.apps.cli_show import console, print_json, table

    api = _api()
    here, every = api.call("GET", "/usage/limits"), api.call("GET", "/plans")["data"]
    if as_json:
        print_json({"here": here, "plans": every})
        return
    locked = "; it is locked, nothing starts" if here["is_locked"] else ""
    console().print(f"This workspace is on the plan {here['title']}{locked}.")
    rows = [
        [line["meter"], str(line["used"]), _limit(line["limit"]),
         "" if line["percent"] is None else f"{line['percent']} %"]
        for line in here["data"]
    ]  # fmt: skip
    table(["meter", "used", "limit", ""], rows)
    meters = list(every[0]["limits"])
    features = sorted({feature for plan in every for feature in plan["features"]})
    limits = [[meter, *(_limit(plan["limits"][meter]) for plan in every)] for meter in meters]
    includes = [
        [feature, *("yes" if feature in plan["features"] else "no" for plan in every)] for feature in features
    ]
    table(["", *(plan["title"] for plan in every)], [*limits, *includes])


@budgets.command("list")
def list_budgets(as_json: Json = False) -> None:
    """List budgets and how they stand."""
    from linkflow.apps.cli_show import print_json, table

    found = _api().call("GET", "/budgets")
    if as_json:
        print_json(found)
        return
    rows = []
    for budget in found["data"]:
        standing = {line["meter"]: line for line in budget["data"]}
        for meter, limit in budget["limits"].items():
            line = standing.get(meter)
            used = [str(line["used"]), f"{line['percent']} %", line["resets_at"]] if line else ["", "", ""]
            rows.append([budget["period"], meter, str(limit), *used, budget["on_exceeded"]])
    table(["of", "meter", "limit", "used", "", "until", "then"], rows)


@budgets.command("set")
def set_budget(
    period: Period,
    limits: Limits,
    fail: Annotated[bool, typer.Option("--fail", help="What runs then fails, instead of pausing.")] = False,
) -> None:
    """Set a budget; its earlier limits are replaced."""
    body = {"limits": _read(limits), "on_exceeded": "fail" if fail else "pause"}
    _api().call("PUT", f"/budgets/{period}", body)
    typer.echo(f"set: {', '.join(limits)} {'of each execution' if period == 'execution' else f'a {period}'}")


@budgets.command("remove")
def remove_budget(period: Period) -> None:
    """Remove a budget; what waits for it goes on."""
    _api().call("DELETE", f"/budgets/{period}")


@budgets.command("raise")
def raise_budget(
    execution_id: Execution,
    limits: Annotated[
        list[str] | None, typer.Argument(help="METER=NUMBER; as much again.", metavar="[LIMIT]")
    ] = None,
) -> None:
    """Let an execution go on whose budget is used up."""
    body = {"action": "raise", "limits": _read(limits) if limits else None}
    _api().call("POST", f"/executions/{execution_id}/budget", body)
    typer.echo("it goes on")


@budgets.command("stop")
def stop(execution_id: Execution) -> None:
    """Stop an execution whose budget is used up."""
    _api().call("POST", f"/executions/{execution_id}/budget", {"action": "stop"})
    typer.echo("it fails")


def _read(limits: list[str]) -> dict[str, int]:
    """Read `METER=NUMBER`."""
    found = {}
    for each in limits:
        meter, equals, number = each.partition("=")
        if not equals or not number.replace("_", "").isdigit():
            raise typer.BadParameter(f"{each!r} is not METER=NUMBER, such as ai_tokens=100000.")
        found[meter] = int(number)
    return found


def _limit(limit: int | None) -> str:
    """Say a limit."""
    return "any" if limit is None else str(limit)


def _amount(amount: float) -> str:
    """Say an amount; nothing for none, so that columns without any are left out."""
    return str(round(amount, 1)) if amount else ""
