"""The life of a run, as a person watches it: live through lost sockets, explained, and looked at later."""

from typing import Any

from playwright.async_api import expect

from linkflow.testing.browser import Window
from linkflow.testing.receiver import Receiver, Scripted

WAITS = {
    "trigger": {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
    "nodes": [
        {
            "id": "paid", "type": "logic.wait_event", "label": "Until it is paid",
            "config": {"event": "order.paid"}, "position": {"x": 280, "y": 0},
        },
        {
            "id": "thanks", "type": "data.set", "label": "Thank them",
            "config": {"values": {"amount": "{{node_paid.output.data.amount}}"}},
            "position": {"x": 560, "y": 0},
        },
    ],
    "edges": [{"source": "start", "target": "paid"}, {"source": "paid", "target": "thanks"}],
}  # fmt: skip
CUTS = """(() => {
  const Real = window.WebSocket;
  window.cuts = 0;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      let heard = 0;
      this.addEventListener('message', () => { if (++heard % 3 === 0) { window.cuts += 1; this.close(); } });
    }
  };
})()"""
"""A network that loses a socket with every third message."""


def chain(address: str, count: int) -> dict[str, Any]:
    """Say a workflow of requests, one after the other."""
    names = [f"ask{number}" for number in range(count)]
    return {
        "trigger": {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
        "nodes": [
            {
                "id": name, "type": "http.request", "config": {"url": f"{address}/{name}"},
                "position": {"x": 280 * (at % 5 + 1), "y": 120 * (at // 5)},
            }
            for at, name in enumerate(names)
        ],
        "edges": [
            {"source": one, "target": two} for one, two in zip(["start", *names], names, strict=False)
        ],
    }  # fmt: skip


async def test_the_overlay_goes_on_after_lost_sockets(ui: Window, receiver: Receiver) -> None:
    """Detail 13: with the socket lost every three messages the cards say at the end what REST says."""
    spec = chain(receiver.address, 10)
    for each in spec["nodes"][:-1]:
        receiver.answer(f"/{each['id']}", Scripted(200, [1, 2, 3]))
    receiver.answer(f"/{spec['nodes'][-1]['id']}", Scripted(404, {"sorry": True}))
    await ui.page.add_init_script(CUTS)
    await ui.edit(await ui.live.made(spec))
    await ui.click("Run")
    found = (await ui.live.listed(lambda page: page and page[0]["status"] in ("completed", "failed")))[0]
    found = (await ui.live.get(f"/executions/{found['id']}")).json
    for each in found["nodes"]:
        await expect(ui.card(each["node_id"])).to_have_attribute("data-status", each["status"])
    await expect(ui.page.get_by_test_id("explain").locator("[data-status=failed]")).to_be_visible()
    await expect(ui.page.get_by_test_id("count-start-ask0")).to_have_text("1 item")

    assert ("failed", "test", 11, True) == (
        found["status"],
        found["mode"],
        len(found["nodes"]),
        await ui.page.evaluate("window.cuts") > 0,
    )


async def test_explain_says_what_is_waited_for_and_sends_it(ui: Window) -> None:
    """Explain names the event and since when, and its button sends it with data; the result arrives."""
    workflow_id = await ui.live.made(WAITS)
    await ui.edit(workflow_id)
    await ui.click("Run")
    explained = ui.page.get_by_test_id("explain")
    await expect(explained).to_contain_text("waits for the event 'order.paid'")
    await explained.get_by_label("Data of the event (JSON)").fill('{"amount": 12}')
    await explained.get_by_role("button", name="Send the event").click()
    await expect(explained.locator("[data-status=completed]")).to_be_visible()
    await ui.card("thanks").click()
    await ui.page.get_by_role("tab", name="Output").click()

    await expect(ui.page.get_by_role("region", name="Output")).to_contain_text('"amount": 12')


async def test_an_error_says_where_and_what_to_do(ui: Window, receiver: Receiver) -> None:
    """A failed step is marked; its card says which step, which kind of failure, and leads to the field."""
    receiver.answer("/no", Scripted(404, {"sorry": True}))
    spec = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {
                "id": "ask", "type": "http.request", "label": "Ask the shop",
                "config": {"url": f"{receiver.address}/no"}, "position": {"x": 280, "y": 0},
            }
        ],
        "edges": [{"source": "start", "target": "ask"}],
    }  # fmt: skip
    await ui.edit(await ui.live.made(spec))
    await ui.click("Run")
    await expect(ui.card("ask")).to_have_attribute("data-status", "error")
    await ui.card("ask").click()
    await ui.page.get_by_role("tab", name="Output").click()
    error = ui.page.get_by_role("alert")
    await expect(error).to_contain_text("“Ask the shop” failed")
    await expect(error).to_contain_text("404")
    said = await error.inner_text()
    await error.get_by_role("button", name="Fix it").click()
    await expect(ui.page.locator('[data-field="url"]')).to_be_visible()

    assert ("[object" in said, "Traceback" in said) == (False, False)


async def test_a_past_execution_shows_the_version_that_ran(ui: Window) -> None:
    """After an edit the execution still shows the graph that ran; its other views tell the same run."""
    workflow_id = await ui.live.made(WAITS)
    await ui.live.post(f"/workflows/{workflow_id}/publish")
    execution_id = await ui.live.start(workflow_id)
    await ui.live.waits(execution_id)
    await ui.live.put(f"/workflows/{workflow_id}/draft", {**WAITS, "nodes": [], "edges": []})
    await ui.live.post(f"/executions/{execution_id}/signal", {"name": "order.paid", "data": {"amount": 1}})
    await ui.live.ended(execution_id)
    await ui.open(f"/executions/{execution_id}")
    await expect(ui.page.get_by_text("The graph of version 1, which ran.")).to_be_visible()
    await expect(ui.card("thanks")).to_have_attribute("data-status", "success")
    await ui.page.get_by_role("tab", name="Timeline").click()
    await expect(ui.page.get_by_role("list", name="Timeline").get_by_role("listitem")).to_have_count(3)
    await ui.page.get_by_role("tab", name="Events").click()
    await expect(ui.page.get_by_role("table", name="Events")).to_contain_text("WorkflowExecutionStarted")
    await ui.page.get_by_role("tab", name="Data").click()

    await expect(ui.page.get_by_role("region", name="Result")).to_contain_text('"amount": 1')


async def test_the_list_of_executions_is_live_and_filtered_by_its_address(ui: Window) -> None:
    """A new execution appears by itself; the filter is in the address and holds after a new load."""
    workflow_id = await ui.live.made(WAITS, "Orders")
    await ui.open("/executions?status=waiting")
    await expect(ui.page.get_by_text("No execution fits")).to_be_visible()
    await ui.live.start(workflow_id)
    rows = ui.page.get_by_role("row")
    await expect(rows).to_have_count(2)
    await ui.page.reload()

    await expect(rows).to_have_count(2)
