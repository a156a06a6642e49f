"""The workloads: what each workflow does, and how hard it is pushed."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MOST_PURE, MOST_EFFECTS, FANNED = 10, 10, 50
INPUT = {"v": 1, "customer": {"name": "Ada", "email": "ada@example.org"}, "items": [1, 2, 3]}


@dataclass(frozen=True)
class Workload:
    """One workload.

    Attributes:
        name: Stable name in the JSON results.
        title: What people read.
        nodes: Nodes of one execution, triggers not counted.
        spec: The workflow.
        loads: Callers at once that are tried; 1 comes first and is what idle figures come from.
        ways: How it is driven: `process` calls the engine's front door from a coroutine beside it, `rest`
            sends `POST /api/v1/workflows/{id}/execute` with mode wait, `webhook` sends `POST /webhooks/{id}`,
            `accept` does so too and is answered 202 before the execution starts.
    """

    name: str
    title: str
    nodes: int
    spec: dict[str, Any]
    loads: Sequence[int]
    ways: Sequence[str]


def chain(kinds: str, *, url: str = "", trigger: dict[str, Any] | None = None) -> dict[str, Any]:
    """Design a workflow of nodes in a row: p pure, e effect, o effect at most once, b burning, g GET."""
    webhook = trigger is not None
    value = "{{trigger.body.v}}" if webhook else "{{trigger.v}}"
    shapes: dict[str, tuple[str, dict[str, Any]]] = {
        "p": ("data.set", {"values": {"x": value, "name": "set"}}),
        "e": ("bench.effect", {"x": value}),
        "o": ("bench.once", {"x": value}),
        "b": ("bench.burn", {"x": value}),
        "g": ("http.request", {"url": url}),
    }
    nodes = [
        {"id": f"n{number}", "type": shapes[kind][0], "config": shapes[kind][1]}
        for number, kind in enumerate(kinds)
    ]
    path = ["t", *(node["id"] for node in nodes)]
    return {
        "metadata": {"name": kinds},
        "trigger": trigger or {"id": "t", "type": "trigger.manual"},
        "nodes": nodes,
        "edges": [
            {"id": f"{source}-{target}", "source": source, "target": target}
            for source, target in itertools.pairwise(path)
        ],
    }


def fan(width: int) -> dict[str, Any]:
    """Design a workflow whose trigger starts many effects at once, and which joins them."""
    effects = [f"e{number}" for number in range(width)]
    return {
        "metadata": {"name": "fan"},
        "trigger": {"id": "t", "type": "trigger.manual"},
        "nodes": [
            *({"id": each, "type": "bench.effect", "config": {"x": "{{trigger.v}}"}} for each in effects),
            {"id": "join", "type": "logic.merge"},
        ],
        "edges": [
            edge
            for each in effects
            for edge in (
                {"id": f"t-{each}", "source": "t", "target": each},
                {"id": f"{each}-join", "source": each, "target": "join"},
            )
        ],
    }


def burning() -> Workload:
    """Say the workload that keeps workers busy, and nobody else."""
    return Workload("burn3", "3 effects of 10 ms CPU", 3, chain("bbb"), (1, 16), ("rest",))


def hook(mode: str) -> dict[str, Any]:
    """Say a webhook trigger that answers at once or at the end."""
    return {"id": "t", "type": "trigger.webhook", "config": {"methods": ["POST"], "response_mode": mode}}


def workloads(url: str) -> Sequence[Workload]:
    """List the workloads.

    Args:
        url: What the HTTP GETs read.
    """
    both = ("process", "rest")
    return (
        Workload("pure1", "trigger → 1 pure node", 1, chain("p"), (1, 32, 128), both),
        Workload("pure10", "10 pure nodes", 10, chain("p" * 10), (1, 32, 128), both),
        Workload("mixed10", "5 pure + 5 effects", 10, chain("pe" * 5), (1, 32, 128), both),
        Workload("effects10", "10 durable effect steps", 10, chain("e" * 10), (1, 32, 128), both),
        Workload("once10", "10 effects at most once", 10, chain("o" * 10), (32,), ("process",)),
        Workload("gets5", "5 HTTP GETs in a row", 5, chain("g" * 5, url=url), (1, 32, 128), both),
        Workload("fan50", "50 effects at once + join", 51, fan(FANNED), (1, 4, 16), both),
        Workload(
            "hook10",
            "webhook, waits for 10 pure nodes",
            10,
            chain("p" * 10, trigger=hook("wait")),
            (1, 32, 128),
            ("webhook",),
        ),
        Workload(
            "accept",
            "webhook, answered 202",
            1,
            chain("p", trigger=hook("immediately")),
            (32, 64, 128),
            ("accept",),
        ),
    )
