"""The life of a large output when people look at it: in pages, by parts, searched, described, and whole."""

from typing import Any

from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

ROWS = [{"id": number, "name": f"Person {number}", "note": "x" * 400} for number in range(2_000)]


async def asked(live: Live, receiver: Receiver) -> str:
    """Ask for many rows and return the path of the output."""
    receiver.answer("/rows", Scripted(200, ROWS))
    spec: Any = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [{"id": "ask", "type": "http.request", "config": {"url": f"{receiver.address}/rows"}}],
        "edges": [{"source": "start", "target": "ask"}],
    }
    execution_id = await live.start(await live.made(spec))
    await live.ended(execution_id)
    return f"/executions/{execution_id}/nodes/ask/output"


async def test_a_large_output_comes_in_pages_of_its_parts(live: Live, receiver: Receiver) -> None:
    """The whole is shortened; its parts are paged by a path, and a part that is not there says so."""
    path = await asked(live, receiver)
    top = await live.get(path)
    page = (await live.get(f"{path}?path=body&offset=1990&limit=100")).json
    missing = await live.get(f"{path}?path=body&path=9999")

    assert (True, True, ("list", 2_000, 10, False), "Person 1990", 404) == (
        top.json["is_cut"],
        len(top.body) < 300_000,
        (page["kind"], page["count"], len(page["output"]), page["is_cut"]),
        page["output"][0]["name"],
        missing.status,
    )


async def test_an_output_is_searched_and_described(live: Live, receiver: Receiver) -> None:
    """A search keeps what holds the words and says where it was; the schema has types and samples."""
    path = await asked(live, receiver)
    found = (await live.get(f"{path}?path=body&q=PERSON%20199&limit=3")).json
    schema = (await live.get(f"{path}?path=body&view=schema")).json["schema"]
    whole = await live.get(f"{path}?view=whole")

    assert ([199, 1990, 1991], 11, ["id", "name", "note"], True, ROWS) == (
        found["indexes"],
        found["count"],
        [each["name"] for each in schema["fields"][0]["fields"]],
        "attachment" in whole.headers["content-disposition"],
        whole.json["body"],
    )
