"""The life of an expression while somebody writes it: what it would give, and what there is to name."""

from typing import Any

from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

ORDER = {"id": "A-7", "who": {"name": "Amina", "phone": "+254712345678"}, "items": [3, 1, 2], "paid": True}
CASES = (
    "{{ trigger.who.name }}",
    "{{ who.name | upper }}",
    "Order {{ id }} of {{ trigger.who.name }}",
    "{{ items }}",
    "{{ sum(items) * 2 }}",
    "{{ sort(items) | join('-') }}",
    "{{ map(items, item + 1) }}",
    "{{ input.body.price }}",
    "{{ node_ask.output.body.price * length(items) }}",
    "{{ $node['Ask the shop'].json.body.tags[1] }}",
    "{{ ask.body.missing ?? 'nothing' }}",
    "{{ paid ? 'paid' : 'open' }}",
    "{{ {a: items[0], b: [paid]} }}",
    "{{ vars.greeting }}, {{ workflow.name }}{{ execution.id == '' }}",
    "{{ sha256(trigger.id) }}",
    "{{ formatNumber(1234567.891, 2) }}",
    "no expression at all",
    r"\{{ kept }}",
)
"""Evaluated and executed: both must say the same."""


def spec(address: str) -> Any:
    """Ask a shop, then write down what every case gives."""
    values = {f"case{number:02}": text for number, text in enumerate(CASES)}
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {
                "id": "ask", "type": "http.request", "label": "Ask the shop",
                "config": {"url": f"{address}/price", "headers": {"x-key": "{{credential.vars.KEY}}"}},
            },
            {"id": "note", "type": "data.set", "config": {"values": values}},
        ],
        "edges": [{"source": "start", "target": "ask"}, {"source": "ask", "target": "note"}],
        "settings": {"variables": {"greeting": "Jambo"}},
        "metadata": {"name": "Prices"},
    }  # fmt: skip


async def test_a_preview_gives_what_the_execution_gave(live: Live, receiver: Receiver) -> None:
    """Every case gives while it is written what the node said when it ran; nothing runs for it."""
    receiver.answer("/price", Scripted(200, {"price": 12.5, "tags": ["a", "b"]}))
    await live.put("/variables/KEY", {"value": "open sesame", "is_secret": True})
    workflow_id = await live.made(spec(receiver.address))
    execution_id = await live.start(workflow_id, ORDER)
    ran = await live.ended(execution_id)
    nodes = (await live.get(f"/executions/{execution_id}/nodes")).json["data"]
    said = next(node["output"] for node in nodes if node["node_id"] == "note")
    asked = {"workflow_id": workflow_id, "node_id": "note", "execution_id": execution_id}
    found = await live.post("/expressions/evaluate", {**asked, "expressions": list(CASES)})
    given = [each.get("value", each.get("error")) for each in found.json["data"]]

    assert ("completed", "note", list(said.values()), 1) == (
        ran["status"],
        found.json["key"],
        given,
        len(receiver.calls),
    )


async def test_wrong_expressions_say_what_is_near_and_where(live: Live) -> None:
    """An unknown path names the nearest one, wrong writing its place; a bare condition needs no braces."""
    workflow_id = await live.made(spec("http://127.0.0.1:1"))
    asked = {"workflow_id": workflow_id, "node_id": "note", "sample": {"trigger": ORDER, "outputs": {}}}
    texts = ["{{ trigger.who.nam }}", "{{ upper( }}", "{{ node_ask.output }}"]
    found = (await live.post("/expressions/evaluate", {**asked, "expressions": texts})).json["data"]
    bare = {**asked, "expressions": ["paid and items[0] > 2"], "are_bare": True}
    condition = (await live.post("/expressions/evaluate", bare)).json["data"]

    assert ("name", "expression.syntax", True, "expression.unresolved", [True]) == (
        found[0]["error"]["nearest"],
        found[1]["error"]["code"],
        isinstance(found[1]["error"]["position"], int),
        found[2]["error"]["code"],
        [each["value"] for each in condition],
    )


async def test_no_secret_is_shown_by_a_preview(live: Live) -> None:
    """A secret shows as dots, in text and alone."""
    await live.put("/variables/KEY", {"value": "open sesame", "is_secret": True})
    workflow_id = await live.made(spec("http://127.0.0.1:1"))
    asked = {"workflow_id": workflow_id, "node_id": "ask"}
    texts = ["{{ credential.vars.KEY }}", "Bearer {{ credential.vars.KEY }}"]
    found = await live.post("/expressions/evaluate", {**asked, "expressions": texts})

    assert (["••••••", "Bearer ••••••"], False) == (
        [each["value"] for each in found.json["data"]],
        b"sesame" in found.body,
    )


LOOP = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {"id": "list", "type": "data.set", "config": {"values": {"names": ["Amina", "Otieno"]}}},
        {"id": "each", "type": "logic.loop", "config": {"items": "{{ list.names }}"}},
        {"id": "greet", "type": "data.set", "config": {"values": {"text": "Hi {{ loop.item }}"}}},
        {"id": "after", "type": "data.set", "config": {"values": {"all": "{{ input }}"}}},
    ],
    "edges": [
        {"source": "start", "target": "list"},
        {"source": "list", "target": "each"},
        {"source": "each", "target": "greet", "sourceHandle": "body"},
        {"source": "greet", "target": "each"},
        {"source": "each", "target": "after", "sourceHandle": "done"},
    ],
}


async def test_a_preview_stands_inside_a_loop(live: Live) -> None:
    """In the body of a loop the first element is seen, and with a run behind it the last that ran."""
    workflow_id = await live.made(LOOP)
    execution_id = await live.start(workflow_id)
    await live.ended(execution_id)
    found = []
    for run in ("", execution_id):
        asked = {"workflow_id": workflow_id, "node_id": "greet", "execution_id": run}
        texts = ["{{ loop.item }} {{ loop.index }} of {{ loop.count }}"]
        found.append((await live.post("/expressions/evaluate", {**asked, "expressions": texts})).json)
    asked = {"workflow_id": workflow_id, "node_id": "after", "execution_id": execution_id}
    after = (
        await live.post(
            "/expressions/evaluate", {**asked, "expressions": ["{{ input.results | pluck('text') }}"]}
        )
    ).json

    assert ([("greet#1", "Amina 0 of 2"), ("greet#2", "Otieno 1 of 2")], ["Hi Amina", "Hi Otieno"]) == (
        [(each["key"], each["data"][0].get("value", each)) for each in found],
        after["data"][0]["value"],
    )


ROWS = [{"people": [{"name": "Amina"}, {"name": "Otieno"}]}, {"people": [{}, {"name": "Wanjiru"}]}]
LOOPS: Any = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {"id": "rows", "type": "logic.loop", "config": {"items": "{{ trigger }}"}},
        {
            "id": "people", "type": "logic.loop",
            "config": {"items": "{{ item.people }}", "on_item_error": "collect"},
        },
        {"id": "ask", "type": "data.set", "config": {"values": {"n": "{{ loop.index }}"}}},
        {"id": "greet", "type": "data.set", "config": {"values": {"text": "Hi {{ item.name }} {{ ask.n }}"}}},
    ],
    "edges": [
        {"source": "start", "target": "rows"},
        {"source": "rows", "target": "people", "sourceHandle": "body"},
        {"source": "people", "target": "ask", "sourceHandle": "body"},
        {"source": "ask", "target": "greet"},
        {"source": "greet", "target": "people"},
        {"source": "people", "target": "rows", "sourceHandle": "done"},
    ],
}  # fmt: skip


async def test_a_preview_takes_the_data_of_the_run_that_is_chosen(live: Live) -> None:
    """In nested loops a run is chosen by number or key; else the one that failed counts, else the last."""
    workflow_id = await live.made(LOOPS)
    execution_id = await live.start(workflow_id, ROWS)
    ran = await live.ended(execution_id)
    asked = {"workflow_id": workflow_id, "node_id": "greet", "execution_id": execution_id}
    found = []
    for run in ("", "1", "greet#1.2", "4", "99"):
        texts = ["{{ item }} {{ ask.n }}"]
        answer = (await live.post("/expressions/evaluate", {**asked, "run": run, "expressions": texts})).json
        found.append((answer["key"], answer["data"][0]["value"]))
    scope = f"/workflows/{workflow_id}/nodes/greet/scope?execution_id={execution_id}"
    runs = [(await live.get(f"{scope}&run={run}")).json["run"] for run in ("", "2")]

    assert (
        "completed",
        [
            ("greet#2.1", "{} 0"),
            ("greet#1.1", '{"name":"Amina"} 0'),
            ("greet#1.2", '{"name":"Otieno"} 1'),
            ("greet#2.2", '{"name":"Wanjiru"} 1'),
            ("greet#2.1", "{} 0"),
        ],
        [("greet#2.1", "error", 3, 4), ("greet#1.2", "success", 2, 4)],
    ) == (
        ran["status"],
        found,
        [(run["key"], run["status"], run["number"], run["count"]) for run in runs],
    )


async def test_the_scope_names_fields_with_samples_and_no_large_value(live: Live, receiver: Receiver) -> None:
    """What can be named comes with paths, types and short samples, the nearest node first."""
    receiver.answer("/price", Scripted(200, {"price": 12.5, "big": "x" * 300_000, "a b": [{"deep": None}]}))
    await live.put("/variables/KEY", {"value": "open sesame", "is_secret": True})
    workflow_id = await live.made(spec(receiver.address))
    execution_id = await live.start(workflow_id, ORDER)
    await live.ended(execution_id)
    found = await live.get(f"/workflows/{workflow_id}/nodes/note/scope?execution_id={execution_id}")
    roots = {each["path"]: each for each in found.json["data"]}
    body = next(each for each in roots["node_ask.output"]["fields"] if each["name"] == "body")
    fields = {each["path"]: (each["type"], each.get("sample")) for each in body["fields"]}

    assert (True, ("number", "12.5"), ("list", None), {"trigger", "input", "vars"}) == (
        len(found.body) < 20_000,
        fields["node_ask.output.body.price"],
        fields["node_ask.output.body['a b']"],
        {"trigger", "input", "vars"} & roots.keys(),
    )
