"""The life of a test run of a part of a workflow: only what is needed runs; pins stand for their nodes."""

from typing import Any

from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted


def spec(address: str) -> Any:
    """Ask, decide, note; beside it something that nobody needs."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {"id": "ask", "type": "http.request", "config": {"url": f"{address}/ask"}},
            {"id": "paid", "type": "logic.condition", "config": {"expression": "ask.body.paid"}},
            {
                "id": "thank",
                "type": "data.set",
                "config": {"values": {"n": "{{ ask.body.n + trigger.add }}"}},
            },
            {"id": "remind", "type": "data.set", "config": {"values": {"late": "{{ ask.body.n }}"}}},
            {"id": "close", "type": "http.request", "config": {"url": f"{address}/close?n={{{{thank.n}}}}"}},
            {"id": "aside", "type": "http.request", "config": {"url": f"{address}/aside"}},
        ],
        "edges": [
            {"source": "start", "target": "ask"},
            {"source": "ask", "target": "paid"},
            {"source": "paid", "target": "thank", "sourceHandle": "true"},
            {"source": "paid", "target": "remind", "sourceHandle": "false"},
            {"source": "thank", "target": "close"},
            {"source": "start", "target": "aside"},
        ],
    }


async def said(live: Live, execution_id: str) -> dict[str, Any]:
    """Read what the nodes of an execution said, by key."""
    found = (await live.get(f"/executions/{execution_id}/nodes")).json["data"]
    return {node["key"]: node["output"] for node in found if node["status"] == "success"}


class Shop:
    """A workflow that was run once, and the shop that it asks."""

    def __init__(self, live: Live, receiver: Receiver) -> None:
        self.live, self.receiver = live, receiver
        self.workflow_id = self.execution_id = ""

    async def open(self) -> None:
        """Run everything once."""
        for path in ("/ask", "/close", "/aside"):
            self.receiver.answer(path, Scripted(200, {"paid": True, "n": 1}))
        self.workflow_id = await self.live.made(spec(self.receiver.address))
        self.execution_id = await self.live.start(self.workflow_id, {"add": 10})
        await self.live.ended(self.execution_id)
        self.receiver.calls.clear()

    async def test(self, **asked: Any) -> tuple[Any, dict[str, Any], set[str]]:
        """Run a part; the execution, the outputs by node, and what was asked of the shop."""
        before = len(self.receiver.calls)
        started = await self.live.post(f"/workflows/{self.workflow_id}/test-run", asked)
        assert started.status == 202, started.body
        found = await self.live.ended(started.json["execution_id"])
        outputs = await said(self.live, found["id"])
        return found, outputs, {each.path for each in self.receiver.calls[before:]}

    async def pin(self, node_id: str, pinned: Any) -> None:
        """Save a pin with the draft."""
        draft = (await self.live.get(f"/workflows/{self.workflow_id}/draft")).json["spec"]
        next(node for node in draft["nodes"] if node["id"] == node_id)["pinned"] = pinned
        assert (await self.live.put(f"/workflows/{self.workflow_id}/draft", draft)).status == 200


async def test_one_node_runs_with_the_data_of_an_earlier_execution(live: Live, receiver: Receiver) -> None:
    """Running one node asks nobody again for what came before, and runs nothing after it."""
    shop = Shop(live, receiver)
    await shop.open()
    found, outputs, asked = await shop.test(
        from_node="thank", to_node="thank", execution_id=shop.execution_id
    )

    assert ("completed", "test", {"n": 11}, set(), False) == (
        found["status"],
        found["mode"],
        outputs["thank"],
        asked,
        "close" in outputs or "aside" in outputs,
    )


async def test_up_to_a_node_only_what_leads_to_it_runs(live: Live, receiver: Receiver) -> None:
    """Running up to a node runs what leads to it, from the trigger, and nothing beside or after it."""
    shop = Shop(live, receiver)
    await shop.open()
    found, outputs, asked = await shop.test(to_node="thank", input={"add": 5})

    assert ("completed", {"n": 6}, {"/ask"}, {"start", "ask", "paid", "thank"}) == (
        found["status"],
        outputs["thank"],
        asked,
        set(outputs),
    )


async def test_from_a_node_on_what_follows_runs(live: Live, receiver: Receiver) -> None:
    """Running from a node on runs what follows it with the earlier data, and asks for nothing before it."""
    shop = Shop(live, receiver)
    await shop.open()
    found, outputs, asked = await shop.test(from_node="thank", execution_id=shop.execution_id)

    assert ("completed", {"/close"}, {"n": 11}) == (found["status"], asked, outputs["thank"])


async def test_a_node_that_was_skipped_can_be_tried(live: Live, receiver: Receiver) -> None:
    """A node on the way that was not taken runs when it is named."""
    shop = Shop(live, receiver)
    await shop.open()
    found, outputs, asked = await shop.test(
        from_node="remind", to_node="remind", execution_id=shop.execution_id
    )

    assert ("completed", {"late": 1}, set()) == (found["status"], outputs["remind"], asked)


async def test_pins_stand_for_nodes_in_tests_only(live: Live, receiver: Receiver) -> None:
    """A pinned node and what leads to it do not run in a test; published it runs, without the pin."""
    shop = Shop(live, receiver)
    await shop.open()
    made = await live.post(
        f"/workflows/{shop.workflow_id}/pins", {"output": {"body": {"paid": True, "n": 30}}}
    )
    await shop.pin("ask", made.json)
    draft = (await live.get(f"/workflows/{shop.workflow_id}/draft")).json["spec"]
    checked = await live.post("/workflows/validate", draft)
    _, tested, asked = await shop.test(input={"add": 1})
    _, single, _ = await shop.test(from_node="thank", to_node="thank", input={"add": 2})
    await live.post(f"/workflows/{shop.workflow_id}/publish")
    version = (await live.get(f"/workflows/{shop.workflow_id}/versions/1")).json["spec"]
    ran = await live.ended(await live.start(shop.workflow_id, {"add": 1}))
    published = await said(live, ran["id"])

    assert (True, {"n": 31}, {"/close", "/aside"}, {"n": 32}, {"n": 2}, False) == (
        b"PINNED_OUTPUT" in checked.body,
        tested["thank"],
        asked,
        single["thank"],
        published["thank"],
        any("pinned" in node for node in version["nodes"]),
    )


async def test_a_large_output_is_pinned_by_reference(live: Live, receiver: Receiver) -> None:
    """An output above 64 KB is kept apart; the draft names it, and a test reads all of it."""
    shop = Shop(live, receiver)
    await shop.open()
    receiver.answer("/ask", Scripted(200, {"paid": True, "n": 2, "long": "x" * 200_000}))
    big = await live.ended(await live.start(shop.workflow_id, {"add": 1}))
    made = await live.post(f"/workflows/{shop.workflow_id}/pins", {"execution_id": big["id"], "key": "ask"})
    await shop.pin("ask", made.json)
    found, outputs, asked = await shop.test(to_node="thank", input={"add": 1})

    assert ("completed", {"n": 3}, set(), True) == (
        found["status"],
        outputs["thank"],
        asked,
        made.json["output"]["bytes"] > 200_000,
    )


async def test_a_retry_takes_the_workflow_of_today(live: Live, receiver: Receiver) -> None:
    """A retry from the failed node runs the version of then, or the mended one; earlier nodes do not run."""
    shop = Shop(live, receiver)
    await shop.open()
    receiver.answer("/close", Scripted(400, {"sorry": True}))
    failed = await live.ended(await live.start(shop.workflow_id, {"add": 1}))
    mended = spec(receiver.address)
    mended["nodes"][4]["config"]["url"] = f"{receiver.address}/aside"
    await live.put(f"/workflows/{shop.workflow_id}/draft", mended)
    receiver.calls.clear()
    ended = []
    for which in ("original", "current"):
        started = await live.post(f"/executions/{failed['id']}/retry", {"workflow": which})
        ended.append((await live.ended(started.json["execution_id"]))["status"])
    ran = (await live.get(f"/executions/{failed['id']}/spec")).json["spec"]

    assert ("failed", ["failed", "completed"], False, spec(receiver.address)["nodes"][4]["config"]) == (
        failed["status"],
        ended,
        any(each.path == "/ask" for each in receiver.calls),
        ran["nodes"][4]["config"],
    )
