"""The catalogue of node types."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from linkflow.domain.errors import Conflict, Invalid, LinkFlowError
from linkflow.domain.node import Catalog, Completion, NodeClass, NodeSpec, PureContext, PureNode, PureResult
from linkflow.domain.parameters import config_problems, respell
from linkflow.domain.values import Json, canonical
from linkflow.nodes.logic import Condition, Noop
from linkflow.nodes.registry import BUILTIN, NodeRegistry
from linkflow.nodes.sdk import node
from linkflow.ports.nodes import NodeContext, WorkerNodes
from linkflow.testing.fakes import evaluate, node_context, response

ROOT = Path(__file__).resolve().parents[3]
REGISTRY = NodeRegistry()
SPECS = REGISTRY.specs()
PURE: Sequence[PureNode] = [found for spec in SPECS if (found := REGISTRY.pure(spec.type)) is not None]


def ids(value: object) -> str:
    spec = value if isinstance(value, NodeSpec) else getattr(value, "spec", None)
    return spec.type if isinstance(spec, NodeSpec) else str(value)


def test_registry_satisfies_its_ports() -> None:
    """D14: one registry is the catalogue of the check and the table of the worker."""
    catalog: Catalog = REGISTRY
    workers: WorkerNodes = REGISTRY

    assert ("http.request", "http.request") == (
        getattr(catalog.find("http.request"), "type", None),
        getattr(getattr(workers.runner("http.request"), "spec", None), "type", None),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("http.request", "http.request"),
        ("http.request@1", "http.request"),
        ("http.request@2", None),
        ("http.request@x", None),
        ("action_http_request", "http.request"),
        ("HTTP_REQUEST", "http.request"),
        ("trigger-manual", "trigger.manual"),
        ("trigger_webhook", "trigger.webhook"),
        ("SCHEDULED", "trigger.schedule"),
        ("logic.if", "logic.condition"),
        ("If/Else", "logic.condition"),
        ("SWITCH", "logic.switch"),
        ("logic.splitBatches", "logic.loop"),
        ("DELAY", "logic.delay"),
        ("action_approval", "logic.approval"),
        ("action.stopError", "logic.throw_error"),
        ("transform_set", "data.set"),
        ("logic.dataSort", "data.sort"),
        ("logic.remove_duplicates", "data.dedupe"),
        ("output_log", "data.log"),
        ("transform_code", "code.python"),
        ("action.sub_workflow", "flow.sub_workflow"),
        ("action.respondWebhook", "webhook.respond"),
        ("n8n-nodes-base.if", "logic.condition"),
        ("LOGIC.IF", None),
        ("", None),
        ("no.such", None),
    ],
)
def test_find(name: str, expected: str | None) -> None:
    """A node type is found by its name, with a version, by aliases and across like spellings."""
    assert expected == getattr(REGISTRY.find(name), "type", None)


def test_integrations_have_two_spellings() -> None:
    """`integrations.` finds what is called `integration.`."""
    registry = NodeRegistry(third_party={"a package": [_named("integration.slack")]})

    assert registry.find("integrations.slack") is registry.find("integration.slack")


def _named(name: str, **fields: Json) -> object:
    class Found:
        spec = NodeSpec(type=name, title="t", summary="s", node_class=NodeClass.IDEMPOTENT, **fields)

        async def run(self, context: NodeContext) -> Completion:
            return Completion()

    return Found()


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        (_named("http.request"), "a second time"),
        (_named("mine.a", aliases=("logic.if",)), "logic.condition of LinkFlow"),
        (_named("http-request.x", aliases=("http-request",)), "http.request"),
        (object(), "not a node"),
        (_named("nogroup"), "not a node"),
        (_named("mine.blind", can_look_up=True), "which has no `look_up`"),
    ],
)
def test_clashes_are_refused_in_words(offered: object, said: str) -> None:
    """Two node types of one name, and things that are no nodes, are refused with where they come from."""
    with pytest.raises(LinkFlowError, match=said) as raised:
        NodeRegistry(third_party={"the package acme": [offered]})

    assert "the package acme" in str(raised.value)
    assert isinstance(raised.value, Conflict | Invalid)


def test_the_latest_version_is_the_default() -> None:
    """Without a version the latest is meant; each version keeps its own meaning."""
    registry = NodeRegistry(third_party={"p": [_named("a.b", version=2), _named("a.b", version=1)]})

    assert (2, 1) == (
        getattr(registry.find("a.b"), "version", None),
        getattr(registry.find("a.b@1"), "version", None),
    )


def test_a_third_partys_pure_node_runs_on_a_worker() -> None:
    """A pure node of a third party is an activity of class idempotent, and never evaluated in History."""

    class Theirs(Noop):
        spec = msgspec.structs.replace(Noop.spec, type="acme.noop", aliases=())

    registry = NodeRegistry(third_party={"acme": [Theirs()]})
    spec = registry.find("acme.noop")

    assert spec is not None
    assert (NodeClass.IDEMPOTENT, None, True) == (
        spec.node_class,
        registry.pure("acme.noop"),
        registry.runner("acme.noop") is not None,
    )


async def test_a_pure_node_with_a_large_input_runs_on_a_worker() -> None:
    """On a worker a pure node gives what it gives in History, expressions over its input included."""
    runner = REGISTRY.runner("logic.condition")
    assert runner is not None
    config = {
        "conditions": [{"field": "{{ input.n + trigger.m }}", "operator": "eq", "value": 3, "output": "x"}]
    }

    completion = await runner.run(node_context(config, input={"n": 2}, roots={"trigger": {"m": 1}}))

    here = evaluate(Condition(), config, {"n": 2}, trigger={"m": 1})
    assert (here.output, here.handles) == (completion.output, completion.handles)
    assert ("true", "x") == here.handles


@pytest.mark.parametrize("spec", SPECS, ids=ids)
def test_every_node_is_described(spec: NodeSpec) -> None:
    """Every node has a title, a summary, a schema with descriptions, and a class that fits its group."""
    properties = spec.parameters["properties"]
    silent = [name for name, schema in properties.items() if not schema.get("description")]

    assert ([], True, True) == (silent, spec.summary.endswith("."), bool(spec.title))
    assert (spec.group == "trigger") == (spec.node_class is NodeClass.TRIGGER)
    assert (spec.timeout_s is None) == (not spec.runs_on_worker)


@pytest.mark.parametrize("spec", SPECS, ids=ids)
def test_every_example_is_valid(spec: NodeSpec) -> None:
    """The example of every node satisfies its schema, before and after its spellings are settled."""
    assert [] == config_problems(spec, spec.example)
    assert spec.example == respell(spec, spec.example)


SAMPLES: Json = {
    "data.json": {"operation": "keys"},
    "data.datetime": {"operation": "now"},
    "logic.switch": {"value": 1, "cases": [1]},
    "data.filter": {"condition": "index < 2"},
    "data.math": {"expression": "input.length"},
    "logic.condition": {"expression": "input.length > 1"},
    "data.set": {"values": {"a": "{{input}}"}},
}


@pytest.mark.parametrize("pure", [found for found in PURE if found.spec.type != "logic.throw_error"], ids=ids)
def test_pure_nodes_are_pure(pure: PureNode) -> None:
    """Given the same config and context a pure node gives the same bytes, and changes neither of them."""
    config, given = SAMPLES.get(pure.spec.type, {}), [{"b": 2, "a": [1]}, {"b": 1}, "x"]
    before = canonical([config, given])

    first = evaluate(pure, config, given, now=1_000_000.0, seed=7)
    evaluate(pure, config, given, now=2_000_000_000.5, seed=8)
    again = evaluate(pure, config, given, now=1_000_000.0, seed=7)

    assert (canonical(first.output), first.handles) == (canonical(again.output), again.handles)
    assert before == canonical([config, given])


@pytest.mark.parametrize("builtin", BUILTIN, ids=ids)
def test_builtins_are_instances(builtin: object) -> None:
    """The built-in nodes come through the same door as others: objects with a spec in an explicit list."""
    assert isinstance(getattr(builtin, "spec", None), NodeSpec)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example package into a folder of its own."""
    target = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    package = ROOT / "examples" / "linkflow-nodes-example"
    subprocess.run([*command, "--disable-pip-version-check", "--target", target, package], check=True)
    return target


async def test_an_installed_package_offers_nodes(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that declares the entry point is found once it is installed, and its nodes run."""
    monkeypatch.syspath_prepend(installed)
    registry = NodeRegistry.discover()
    title, phone = registry.runner("example.page_title"), registry.runner("example.e164")
    assert title is not None
    assert phone is not None
    page = response(200, b"<html><TITLE> A &amp; B </TITLE></html>")

    found = [
        (await title.run(node_context({"url": "https://example.com"}, http=[page]))).output,
        (await phone.run(node_context({"number": "0712 345-678"}))).output,
    ]

    assert [{"title": "A & B"}, "+254712345678"] == found


async def test_an_installed_function_checks_its_config(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hints of a function are the schema of its config, and what does not fit is refused."""
    monkeypatch.syspath_prepend(installed)
    registry = NodeRegistry.discover()
    spec, phone = registry.find("example.e164"), registry.runner("example.e164")
    assert spec is not None
    assert phone is not None

    assert [("$.country", '"x" does not match "^[0-9]{1,3}$"')] == config_problems(
        spec, {"number": "1", "country": "x"}
    )
    with pytest.raises(Invalid, match="country"):
        await phone.run(node_context({"number": "1", "country": "x"}))


def test_a_broken_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package whose nodes cannot be loaded stops the start with its name, and does not vanish silently."""
    info = tmp_path / "broken_nodes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-nodes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[linkflow.nodes]\nx = no_such_module_at_all:x\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(Invalid, match="the package broken-nodes offers the node x"):
        NodeRegistry.discover()


class Address(msgspec.Struct):
    """A nested parameter."""

    city: str
    zip: int = 0


async def test_a_decorated_function_may_look_up() -> None:
    """A function beside a node's own asks what became of an attempt; silence is no answer."""
    answers: list[Json] = [{"id": 7}, None]

    async def ask(context: NodeContext) -> Json:
        return {"key": context.effect_key, **answers[0]} if answers[0] else None

    @node("mine.pay", look_up=ask)
    async def pay(amount: int) -> str:
        """Pay."""
        return str(amount)

    context = node_context({"amount": 1})
    found = await pay.look_up(context)
    answers.pop(0)
    with pytest.raises(LinkFlowError, match="gave no answer"):
        await pay.look_up(context)

    assert {"key": context.effect_key, "id": 7} == found.output
    assert (True, "look_up") == (pay.spec.can_look_up, pay.spec.unknown)
    assert NodeRegistry(third_party={"mine": [pay]}).find("mine.pay") is pay.spec


async def test_decorated_function() -> None:
    """A function with hints is a node: its schema, its text and its typed arguments come from it."""

    @node("mine.ship", node_class=NodeClass.ONCE, outputs=("out", "late"))
    async def ship(
        context: NodeContext, to: Address, parts: list[str], speed: Annotated[int, msgspec.Meta(ge=1)] = 2
    ) -> Completion:
        """Ship a parcel.

        Slowly.
        """
        return Completion(output=[context.attempt, to.city, parts, speed], handle="late")

    completion = await ship.run(node_context({"to": {"city": "Voi"}, "parts": ["a"], "speed": "3"}))

    spec = ship.spec
    assert ([1, "Voi", ["a"], 3], "late") == (completion.output, completion.handle)
    assert ("Ship", "Ship a parcel.", "Slowly.", ["to", "parts"]) == (
        spec.title,
        spec.summary,
        spec.docs,
        spec.parameters["required"],
    )
    assert ("$.to", '"zip"') != config_problems(spec, {"to": {"city": 1}, "parts": []})[0]


@pytest.mark.parametrize("flaw", ["hint", "async", "star"])
def test_functions_that_cannot_be_nodes(flaw: str) -> None:
    """A function without hints, of the wrong kind, or with open parameters is refused with the reason."""

    async def unhinted(a) -> None:  # type: ignore[no-untyped-def]
        """Nothing."""

    async def coroutine(a: int) -> None:
        """Nothing."""

    async def star(*a: int) -> None:
        """Nothing."""

    functions: dict[str, Callable[..., Any]] = {"hint": unhinted, "async": coroutine, "star": star}
    node_class = NodeClass.PURE if flaw == "async" else NodeClass.IDEMPOTENT

    with pytest.raises(Invalid, match=r"type hint|plain function|name of its own"):
        node("mine.x", node_class=node_class)(functions[flaw])


def test_decorated_pure_function() -> None:
    """A plain function of class pure is evaluated with the context it asks for."""

    @node("mine.double", node_class=NodeClass.PURE)
    def double(context: PureContext, by: int = 2) -> PureResult:
        """Double the input."""
        return PureResult(output=context.input * by, handles=("out",))

    assert 6 == evaluate(double, {}, 3).output
