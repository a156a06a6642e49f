"""`linkflow queues`: how the task queues stand, once or again and again."""

import time

from linkflow.apps.cli_client import Api
from linkflow.apps.cli_show import console, laid_out, print_json
from linkflow.domain.values import Json

EVERY_S = 2.0
COLUMNS = ["queue", "waiting", "oldest", "under way", "room", "workers"]


def show(api: Api, *, watch: bool, as_json: bool) -> None:
    """Print the queues; with `watch` until Ctrl-C, with `as_json` one JSON document each time."""
    from rich.live import Live

    if not watch:
        found = api.call("GET", "/admin/queues")
        if as_json:
            print_json(found)
        else:
            console().print(laid_out(COLUMNS, rows(found)))
        return
    try:
        if as_json:
            while True:
                print_json(api.call("GET", "/admin/queues"))
                time.sleep(EVERY_S)
        with Live(console=console(), auto_refresh=False) as live:
            while True:
                live.update(laid_out(COLUMNS, rows(api.call("GET", "/admin/queues"))), refresh=True)
                time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return


def rows(found: Json) -> list[list[str]]:
    """Lay the queues out; a queue that has work and no worker says so."""
    return [
        [
            each["name"],
            str(each["depth"]),
            f"{each['oldest_s']:.1f} s" if each["depth"] else "",
            str(each["in_flight"]),
            str(each["credits"]),
            str(each["workers"]) if each["workers"] or not each["depth"] else "none: start one",
        ]
        for each in found["data"]
    ]
