"""The life of a long execution when people look at it: its runs and its log come in pages, and live."""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import connect

from linkflow.control.looks import MOST
from linkflow.testing.live import Live
from linkflow.testing.receiver import GENEROUS_S

TURNS = MOST + 100
LOOP: Any = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {"id": "each", "type": "logic.loop", "config": {"mode": "times", "times": TURNS}},
        {"id": "note", "type": "data.log", "config": {"message": "turn {{ loop.index }}"}},
    ],
    "edges": [
        {"source": "start", "target": "each"},
        {"source": "each", "target": "note", "sourceHandle": "body"},
        {"source": "note", "target": "each"},
    ],
}


async def ran(live: Live) -> str:
    """Run a loop of many turns and return the path of the execution."""
    execution_id = await live.start(await live.made(LOOP))
    await live.ended(execution_id)
    return f"/executions/{execution_id}"


async def paged(live: Live, path: str, query: str) -> list[list[Any]]:
    """Read all pages of something."""
    pages, after, version = [], 0, 0
    while True:
        page = (await live.get(f"{path}?limit=200&after={after}&version={version}{query}")).json
        pages.append(page["data"])
        if page["next"] is None:
            return pages
        after, version = page["next"], page["version"]


async def test_runs_and_log_come_in_pages(live: Live) -> None:
    """Each page has no more than was asked for; together they are all there is, each once, in order."""
    path = await ran(live)
    pages = await paged(live, f"{path}/nodes", "&outputs=false")
    lines = await paged(live, f"{path}/logs", "")
    runs = [run for page in pages for run in page]
    numbers = [run["event"] for run in runs]
    news = (await live.get(f"{path}/nodes?after={numbers[-1]}")).json

    assert (TURNS + 2, sorted(numbers), {200}, False, TURNS, [f"turn {at}" for at in range(TURNS)], []) == (
        len({run["key"] for run in runs}),
        numbers,
        {len(page) for page in pages[:-1]},
        any("output" in run for run in runs),
        sum(1 for run in runs if run["node_id"] == "note"),
        [line["message"] for page in lines for line in page if line["message"].startswith("turn")],
        news["data"],
    )


async def test_who_reads_further_on_takes_nothing_from_who_reads_all(live: Live) -> None:
    """Two people look at one instant: what is cut for the later part leaves the pages of the other whole."""
    path = f"{await ran(live)}/nodes"
    first = (await live.get(f"{path}?limit=200")).json
    await live.get(f"{path}?limit=10&after={first['version'] - 500}")
    second = (await live.get(f"{path}?limit=200&after={first['next']}&version={first['version']}")).json
    alone = (await live.get(f"{path}?limit=200&after={first['next']}")).json

    assert [run["key"] for run in alone["data"]] == [run["key"] for run in second["data"]]


async def test_a_compact_answer_has_the_newest_run_of_each_node(live: Live) -> None:
    """`nodes=last` and a live snapshot have one run of each node, `nodes=none` none, the default a page."""
    path = await ran(live)
    whole, last, none = [
        (await live.get(f"{path}?nodes={which}")).json["nodes"] for which in ("all", "last", "none")
    ]
    of_one = (await live.get(f"{path}/nodes?node=note%2399")).json["data"]
    ticket = (await live.post("/ws/tickets")).json["ticket"]
    async with connect(f"{live.address}/api/v1/ws?ticket={ticket}".replace("http", "ws", 1)) as socket:
        await socket.send(json.dumps({"op": "sub", "topic": f"execution:{path.rpartition('/')[2]}"}))
        async with asyncio.timeout(GENEROUS_S):
            frames = [json.loads(await socket.recv()) for _ in range(2)]

    assert (MOST, ["start", "each", f"note#{TURNS}"], [], ["note#99"], 3) == (
        len(whole),
        [run["key"] for run in last],
        none,
        [run["key"] for run in of_one],
        len(frames[1]["data"]["nodes"]),
    )


async def test_no_answer_has_all_of_it_at_once(live: Live) -> None:
    """Without a limit an answer has a bounded page and says where to go on; together it is all, each once."""
    path = await ran(live)
    first = (await live.get(path)).json
    rest = (await live.get(f"{path}/nodes?after={first['nodes_next']}")).json
    few = (await live.get(f"{path}?limit=10")).json
    lines = (await live.get(f"{path}/logs")).json
    more = (await live.get(f"{path}/logs?after={lines['next']}&version={lines['version']}")).json
    keys = [run["key"] for run in first["nodes"] + rest["data"]]

    assert (TURNS + 2, TURNS + 2, None) == (len(keys), len(set(keys)), rest["next"])
    assert (10, few["nodes"][-1]["event"]) == (len(few["nodes"]), few["nodes_next"])
    assert (MOST, TURNS + 2, None) == (len(lines["data"]), len(lines["data"] + more["data"]), more["next"])


async def test_a_page_of_a_history_is_read_alone(live: Live) -> None:
    """Pages of the history of an execution that is over follow one another; nobody else's is shown."""
    path = await ran(live)
    numbers: list[int] = []
    after: int | None = 0
    while after is not None:
        page = (await live.get(f"{path}/events?after={after}&limit=900")).json
        numbers += [event["number"] for event in page["data"]]
        after = page["next"]
    version = (await live.get(f"{path}?nodes=none")).json["version"]
    beyond = (await live.get(f"{path}/events?after={version}")).json

    assert list(range(1, version + 1)) == numbers
    assert {"data": [], "next": None} == beyond
