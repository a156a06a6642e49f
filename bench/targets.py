"""What the figures must reach, and how they are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """One promise and what was measured.

    Attributes:
        must: What has to be reached.
        aim: What to go for; 0 for none.
        measured: None when it could not be measured here.
        is_least: Whether more is better; else less is.
    """

    title: str
    unit: str
    must: float
    measured: float | None
    aim: float = 0.0
    is_least: bool = True

    @property
    def is_missed(self) -> bool:
        """Whether it was measured and is not reached."""
        if self.measured is None:
            return False
        return self.measured < self.must if self.is_least else self.measured > self.must


RATES = (
    ("pure1", "process", 1_500, 0),
    ("pure10", "process", 1_000, 1_500),
    ("mixed10", "process", 500, 800),
    ("effects10", "process", 350, 560),
    ("fan50", "process", 80, 150),
    ("gets5", "process", 300, 0),
    ("pure1", "rest", 1_500, 0),
    ("pure10", "rest", 1_000, 1_500),
    ("mixed10", "rest", 500, 800),
    ("effects10", "rest", 350, 560),
    ("fan50", "rest", 80, 150),
    ("gets5", "rest", 300, 0),
    ("hook10", "webhook", 500, 800),
    ("accept", "accept", 3_500, 5_000),
)
IDLE_MS = (("pure1", 3.5), ("mixed10", 15.0))
START_S, MEMORY_MB = 3.0, 150.0
DBOS_STEPS, DBOS_BEST = 10.0, 7.0


def targets(found: Found) -> Sequence[Target]:
    """Hold what was measured against what was promised."""
    rows = {(row["workload"], row["way"]): row for row in found["rows"]}
    listed = []
    for name, way, must, aim in RATES:
        row = rows.get((name, way))
        title = f"{row['title'] if row else name}, {WAYS[way]}"
        listed.append(Target(title, "executions/s", must, best(row)["rate"] if row else None, aim))
    for name, most in IDLE_MS:
        row = rows.get((name, "rest"))
        idle = row["loads"]["1"]["p50_ms"] if row else None
        listed.append(Target(f"{row['title'] if row else name}, idle p50", "ms", most, idle, is_least=False))
    start = found.get("start") or {}
    listed += [
        Target("start to ready, first start", "s", START_S, start.get("first_s"), is_least=False),
        Target("start to ready, again", "s", START_S, start.get("again_s"), is_least=False),
        Target(
            "memory of LinkFlow's own process, idle", "MB", MEMORY_MB, start.get("memory_mb"), is_least=False
        ),
    ]
    return [*listed, *_beside_peers(rows, found.get("peers") or {})]


def _beside_peers(rows: Mapping[tuple[str, str], Found], peers: Found) -> Sequence[Target]:
    """Compare with peers of the same run."""
    ours = {
        way: best(rows[name, way])["rate"] for name, way in (("effects10", "process"),) if (name, way) in rows
    }
    ours |= {
        name: best(rows[name, way])["rate"]
        for name, way in (("effects10", "rest"), ("fan50", "rest"), ("accept", "accept"))
        if (name, way) in rows
    }

    def over(mine: str, theirs: Sequence[str]) -> float | None:
        rates = [rate(peers[peer]) for peer in theirs if peer in peers]
        return ours[mine] / max(rates) if mine in ours and rates else None

    def like(kind: str) -> Sequence[str]:
        return [name for name in peers if name.startswith("restate") and name.endswith(f" {kind}")]

    return [
        Target(
            "10 effects over DBOS, async steps",
            "times",
            DBOS_STEPS,
            over("process", ["dbos async effects10"]),
        ),
        Target(
            "10 effects over DBOS, its best form",
            "times",
            DBOS_BEST,
            over(
                "process", [name for name in peers if name.startswith("dbos") and name.endswith(" effects10")]
            ),
        ),
        Target(
            "10 effects over Restate, any number of workers",
            "times",
            1.0,
            over("effects10", like("effects10")),
        ),
        Target("webhook 202 over Restate's send", "times", 1.0, over("accept", like("accept"))),
        Target("fan-out over Restate, any number of workers", "times", 1.0, over("fan50", like("fan50"))),
    ]


WAYS = {
    "process": "in its process",
    "rest": "over REST",
    "webhook": "over HTTP",
    "accept": "over HTTP",
}


def best(row: Found) -> Found:
    """Find the sample of a row's best load."""
    sample: Found = row["loads"][str(row["best"])]
    return sample


def rate(peer: Found) -> float:
    """Find a peer's best rate."""
    return max(float(load["rate"]) for load in peer["loads"].values())
