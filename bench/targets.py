"""What the figures must reach, and how they are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.meter import QUIET

Found = Mapping[str, Any]
REACHED, MISSED, DISTURBED, UNKNOWN = "reached", "missed", "disturbed", ""


class Measured(NamedTuple):
    """A figure, and the share of the machine that strangers took while it was taken."""

    value: float
    foreign: float


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
    measured: Measured | None
    aim: float = 0.0
    is_least: bool = True

    @property
    def verdict(self) -> str:
        """Reached, missed, or disturbed: not reached on a machine that strangers kept busy."""
        if self.measured is None:
            return UNKNOWN
        value, foreign = self.measured
        if value >= self.must if self.is_least else value <= self.must:
            return REACHED
        return MISSED if foreign < QUIET else DISTURBED


RATES = (
    ("pure1", 1_500, 0),
    ("pure10", 1_000, 1_500),
    ("mixed10", 500, 800),
    ("effects10", 350, 560),
    ("fan50", 80, 150),
    ("gets5", 300, 0),
    ("hook10", 500, 800),
    ("accept", 3_500, 5_000),
)
IDLE_MS = (("pure1", 3.5), ("mixed10", 15.0))
START_S, MEMORY_MB = 3.0, 150.0
DBOS_STEPS, DBOS_BEST = 10.0, 7.0
EDITOR_MOST = (
    ("elements", "elements", "elements", 3_000),
    ("drag_cpu_ms", "CPU of a step of a drag", "ms", 25),
    ("batch_cpu_ms", "CPU of a live frame", "ms", 25),
    ("frame_p95_ms", "p95 of a picture during a run", "ms", 20),
    ("long_tasks", "long tasks during a run", "tasks", 0),
    ("add_ms", "a step added", "ms", 150),
    ("panel_ms", "the panel opened", "ms", 100),
    ("load_ms", "loaded", "ms", 2_500),
)
"""What the editor may take with any number of nodes, at the actual size of the canvas."""

LOOKS_MOST = (
    ("preview_ms", "an expression's preview, from the key to the picture", "ms", 50),
    ("timeline_p95_ms", "p95 of a picture while a long timeline scrolls", "ms", 20),
    ("timeline_rows", "rows of a long timeline at once", "rows", 100),
    ("events_p95_ms", "p95 of a picture while a long history scrolls", "ms", 20),
    ("events_rows", "rows of a long history at once", "rows", 100),
)

SPLIT_SHARE, SPLIT_WORKLOADS = 0.5, ("pure1", "mixed10", "effects10", "fan50")
SECOND_WORKER = 1.6
LAG_MS = 1_000
SPLITS = {"eight": "a process per service", "three": "api, worker and scheduler"}
WAYS = {"process": "in its process", "rest": "over REST", "webhook": "over HTTP", "accept": "over HTTP"}


def targets(found: Found) -> Sequence[Target]:
    """Hold what was measured against what was promised."""
    return [
        *_rates(found),
        *_idle(found),
        *_timers(found),
        *_editor(found),
        *_split(found),
        *_starts(found),
        *_beside_peers(found),
    ]


def _rates(found: Found) -> Sequence[Target]:
    """Compare executions per second."""
    least = {name: (must, aim) for name, must, aim in RATES}
    return [
        Target(
            f"{row['title']}, {WAYS[row['way']]}",
            "executions/s",
            least[row["workload"]][0],
            Measured(best(row)["rate"], best(row)["foreign"]),
            least[row["workload"]][1],
        )
        for row in found["rows"]
        if row["workload"] in least
    ]


def _idle(found: Found) -> Sequence[Target]:
    """Compare how long one caller waits."""
    most = dict(IDLE_MS)
    return [
        Target(
            f"{row['title']}, {WAYS[row['way']]}, one caller's p50",
            "ms",
            most[row["workload"]],
            Measured(row["loads"]["1"]["p50_ms"], row["loads"]["1"]["foreign"]),
            is_least=False,
        )
        for row in found["rows"]
        if row["workload"] in most
    ]


def _starts(found: Found) -> Sequence[Target]:
    """Compare the start."""
    start = found.get("start")

    def figure(name: str) -> Measured | None:
        return Measured(start[name], start["foreign"]) if start else None

    return [
        Target("start to ready, first start", "s", START_S, figure("first_s"), is_least=False),
        Target("start to ready, again", "s", START_S, figure("again_s"), is_least=False),
        Target("memory of its own process, idle", "MB", MEMORY_MB, figure("memory_mb"), is_least=False),
    ]


def _timers(found: Found) -> Sequence[Target]:
    """Compare what became of many timers."""
    timers = found.get("timers")
    if not timers:
        return []
    wrong = Measured(timers["lost"] + timers["doubled"] + timers["early"], 0.0)
    lag = Measured(timers["p99_ms"], timers["foreign"])
    title = f"{timers['count']:,} timers in {timers['spread_s']:.0f} s"
    return [
        Target(f"{title}, lost, doubled or early", "timers", 0, wrong, is_least=False),
        Target(f"{title}, p99 of lag", "ms", LAG_MS, lag, is_least=False),
    ]


def _editor(found: Found) -> Sequence[Target]:
    """Compare what the editor takes."""
    return [
        Target(
            f"editor with {row['nodes']:,} nodes, {title}",
            unit,
            most,
            Measured(row[name], 0.0 if name == "elements" else row["foreign"]),
            is_least=False,
        )
        for row in found.get("editor", ())
        for name, title, unit, most in EDITOR_MOST
    ] + [
        Target(title, unit, most, Measured(looks[name], looks["foreign"]), is_least=False)
        for looks in [found.get("looks")]
        if looks
        for name, title, unit, most in LOOKS_MOST
    ]


def _split(found: Found) -> Sequence[Target]:
    """Compare LinkFlow split over processes with one process, and two workers with one."""
    split = found.get("split")
    if not split:
        return []
    goals = [
        Target(
            f"{row['title']} over REST, {SPLITS[layout]}, beside one process",
            "times",
            SPLIT_SHARE,
            beside_one_process(found, row),
        )
        for layout, rows in split["layouts"].items()
        for row in rows
        if row["workload"] in SPLIT_WORKLOADS
    ]
    if split["workers"]:
        one, two = (best(row) for row in split["workers"])
        gained = Measured(two["rate"] / one["rate"], max(one["foreign"], two["foreign"]))
        goals.append(
            Target("worker-bound work, two worker processes over one", "times", SECOND_WORKER, gained)
        )
    return goals


def beside_one_process(found: Found, row: Found) -> Measured | None:
    """Say what share of one process's rate in the same run a split row has; None without the other."""
    whole = [each for each in found["rows"] if (each["workload"], each["way"]) == (row["workload"], "rest")]
    if not whole:
        return None
    ours, theirs = best(row), best(whole[0])
    return Measured(ours["rate"] / theirs["rate"], max(ours["foreign"], theirs["foreign"]))


def _beside_peers(found: Found) -> Sequence[Target]:
    """Compare with peers of the same run, both at their best."""
    rows = {(row["workload"], row["way"]): row for row in found["rows"]}
    peers = found.get("peers", {})

    def times(workload: str, way: str, theirs: str, forms: Sequence[str] = ()) -> Measured | None:
        row = rows.get((workload, way))
        known = [
            fastest(peer)
            for name, peer in peers.items()
            if name.startswith(theirs)
            and name.endswith(f" {workload}")
            and (not forms or name.split()[1] in forms)
        ]
        if row is None or not known:
            return None
        ours, other = best(row), max(known, key=lambda sample: float(sample["rate"]))
        return Measured(ours["rate"] / other["rate"], max(ours["foreign"], other["foreign"]))

    restate = "Restate, any number of workers"
    return [
        Target(
            "10 effects, over DBOS with async steps",
            "times",
            DBOS_STEPS,
            times("effects10", "process", "dbos", ["async"]),
        ),
        Target(
            "10 effects, over DBOS in its best form",
            "times",
            DBOS_BEST,
            times("effects10", "process", "dbos"),
        ),
        Target(f"10 effects over REST, over {restate}", "times", 1.0, times("effects10", "rest", "restate")),
        Target(
            f"50 effects at once over REST, over {restate}", "times", 1.0, times("fan50", "rest", "restate")
        ),
        Target(
            "webhook answered 202, over Restate's send", "times", 1.0, times("accept", "accept", "restate")
        ),
    ]


def best(row: Found) -> Found:
    """Find the sample of a row's best load."""
    sample: Found = row["loads"][str(row["best"])]
    return sample


def fastest(peer: Found) -> Found:
    """Find a peer's fastest sample."""
    return max(peer["loads"].values(), key=lambda sample: float(sample["rate"]))
