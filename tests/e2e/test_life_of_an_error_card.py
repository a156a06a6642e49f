"""The life of an error as a person reads it: six kinds, each in words, with field, answer and what to do."""

import json
import re
from typing import Any

from playwright.async_api import expect

from linkflow.testing.browser import Window
from linkflow.testing.receiver import Receiver, Scripted


def kinds(address: str) -> list[tuple[dict[str, Any], str, str]]:
    """Node, what its card says, and what kind of failure it is."""
    once = {"retry": {"maxAttempts": 1}}
    ask = "http.request"
    return [
        ({"type": ask, "config": {"url": f"{address}/no"}}, "404", "Trying again will not help"),
        ({"type": ask, "config": {"url": f"{address}/down"}} | once, "503", "A passing failure"),
        ({"type": ask, "config": {"url": f"{address}/slow"}} | once, "429", "asked to slow down"),
        ({"type": ask, "config": {"url": "http://127.0.0.1:9/"}} | once, "127.0.0.1", "A passing failure"),
        (
            {"type": "data.set", "config": {"values": {"n": "{{ trigger.nme }}"}}},
            "did you mean name",
            "values",
        ),
        ({"type": "data.math", "config": {"expression": "1 / 0"}}, "“Do it” failed", "Code"),
    ]


async def test_six_kinds_of_errors_are_told_in_words(ui: Window, receiver: Receiver) -> None:
    """Each card names step and kind and shows no object and no trace; the editor leads to the field."""
    for path, status in (("/no", 404), ("/down", 503), ("/slow", 429)):
        receiver.answer(path, Scripted(status, {"sorry": "not today"}))
    told = []
    workflow_id = execution_id = ""
    for node, message, kind in kinds(receiver.address):
        spec = {
            "trigger": {"id": "start", "type": "trigger.manual"},
            "nodes": [{"id": "do", "label": "Do it", **node}],
            "edges": [{"source": "start", "target": "do"}],
        }
        made = await ui.live.made(spec)
        ran = await ui.live.start(made, {"name": "Amina"})
        await ui.live.ended(ran)
        await ui.open(f"/executions/{ran}?node=do")
        card = ui.page.get_by_role("alert")
        await expect(card).to_contain_text("“Do it” failed")
        await expect(card).to_contain_text(message)
        await expect(card).to_contain_text(kind)
        if message == "404":
            await expect(card.locator("pre").last).to_contain_text("404")
            workflow_id, execution_id = made, ran
        told.append(await card.inner_text())
    await ui.click("Debug in the editor", "link")
    await ui.open(f"/w/{workflow_id}/edit?exec={execution_id}&node=do")
    await ui.page.get_by_role("tab", name="Output").click()
    await ui.page.get_by_role("alert").get_by_role("button", name="Fix it").click()
    await expect(ui.page.locator('[data-field="url"]')).to_be_focused()

    assert (6, []) == (len(told), [each for each in told if "[object" in each or "Traceback" in each])


async def test_a_failure_far_away_is_found_copied_and_says_when_it_tries_again(
    ui: Window, receiver: Receiver
) -> None:
    """Explain brings the failed step into view; its card is copied as JSON, and says when it tries again."""
    receiver.answer("/no", Scripted(404, {"sorry": True}))
    receiver.answer("/down", *[Scripted(503, {}) for _ in range(9)])
    patient = {"maxAttempts": 9, "initialDelayMs": 600_000, "maxDelayMs": 600_000}
    spec: dict[str, Any] = {
        "trigger": {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
        "nodes": [
            {
                "id": "far", "type": "http.request", "label": "Far away",
                "config": {"url": f"{receiver.address}/no"}, "position": {"x": 9_000, "y": 4_000},
            }
        ],
        "edges": [{"source": "start", "target": "far"}],
    }  # fmt: skip
    workflow_id = await ui.live.made(spec)
    execution_id = await ui.live.start(workflow_id)
    await ui.live.ended(execution_id)
    await ui.open(f"/w/{workflow_id}/edit?exec={execution_id}")
    await expect(ui.card("start")).to_be_visible()
    await ui.page.keyboard.press("0")
    await expect(ui.card("far")).not_to_be_in_viewport()
    await ui.page.get_by_test_id("explain").get_by_role("button", name="“Far away” failed").click()
    await expect(ui.card("far")).to_be_in_viewport()
    await ui.page.get_by_role("tab", name="Output").click()
    await expect(ui.page.get_by_role("alert")).to_contain_text("status: 404")
    await ui.page.get_by_role("alert").get_by_role("button", name="Copy").click()
    await expect(ui.page.get_by_text("Copied", exact=True)).to_be_visible()
    copied = json.loads(await ui.page.evaluate("navigator.clipboard.readText()"))
    spec["nodes"][0] |= {"config": {"url": f"{receiver.address}/down"}, "retry": patient}
    other = await ui.live.made(spec, "Down")
    waiting = await ui.live.start(other)
    await ui.open(f"/executions/{waiting}?node=far")

    await expect(ui.page.get_by_role("alert")).to_contain_text(re.compile(r"Tries again in \d+ min"))
    assert ("http.status", "far", execution_id, 404) == (
        copied["code"],
        copied["node"],
        copied["execution"],
        copied["details"]["status"],
    )
