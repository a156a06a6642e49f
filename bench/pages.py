"""The documentation pages that show what was measured; `make bench ARGS=--docs` writes their tables."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.report import table
from bench.targets import best

DOCS = Path(__file__).resolve().parent.parent / "docs"
BENCHMARKS, SIZING = DOCS / "benchmarks.md", DOCS / "howto" / "sizing.md"
MARK = "<!-- Written by `make bench ARGS=--docs`; what is below is replaced. -->\n"

COSTS = (
    ("pure10", "process", "10 pure nodes"),
    ("mixed10", "process", "5 pure nodes and 5 effects"),
    ("effects10", "process", "10 effects, each durable"),
    ("gets5", "process", "5 HTTP calls in a row"),
    ("accept", "accept", "a webhook that is answered 202"),
)
SPLITS = (
    ("pure1", "1 pure node"),
    ("mixed10", "5 pure nodes and 5 effects"),
    ("effects10", "10 effects, each durable"),
    ("fan50", "50 effects at once"),
)

Found = Mapping[str, Any]


def write(found: Found, text: str) -> None:
    """Write the tables into the documentation; what people wrote there stays."""
    above = BENCHMARKS.read_text(encoding="utf-8").partition(MARK)[0]
    BENCHMARKS.write_text(f"{above}{MARK}\n{text}", encoding="utf-8")
    page = SIZING.read_text(encoding="utf-8")
    for name, made in (("executions", executions(found)), ("processes", processes(found))):
        page = put(page, name, made)
    SIZING.write_text(page, encoding="utf-8")


def put(page: str, name: str, made: str) -> str:
    """Put a table between its marks: `<!-- measured: <name> -->` and `<!-- end -->`."""
    pattern = rf"(<!-- measured: {name} -->\n).*?(<!-- end -->)"
    found, count = re.subn(pattern, lambda marks: f"{marks[1]}\n{made}\n{marks[2]}", page, flags=re.DOTALL)
    assert count == 1, f"{name} has no place of its own"
    return found


def executions(found: Found) -> str:
    """Say what an execution of each kind takes."""
    rows = {(row["workload"], row["way"]): best(row) for row in found["rows"]}
    head = ("execution", "LinkFlow, CPU ms", "PostgreSQL, CPU ms", "tables, kB", "log (WAL), kB")
    return table(
        head,
        [
            (
                title,
                *(f"{rows[workload, way]['cpu_us'][part] / 1_000:.2f}" for part in ("linkflow", "postgres")),
                *(f"{rows[workload, way]['bytes'][part] / 1_000:.1f}" for part in ("tables", "wal")),
            )
            for workload, way, title in COSTS
        ],
    )


def processes(found: Found) -> str:
    """Say what an execution takes when its services are processes of their own."""
    alone = {row["workload"]: best(row) for row in found["rows"] if row["way"] == "rest"}
    layouts = [
        {row["workload"]: best(row) for row in found["split"]["layouts"][name]} for name in ("three", "eight")
    ]
    head = (
        "µs of CPU per execution, over REST",
        "one process",
        "api, worker and scheduler",
        "a process per service",
        "rate, of one process",
    )
    made: list[Sequence[str]] = []
    for workload, title in SPLITS:
        samples = [alone[workload], *(layout[workload] for layout in layouts)]
        shares = sorted(sample["rate"] / samples[0]["rate"] for sample in samples[1:])
        made.append(
            (
                title,
                *(f"{sample['cpu_us']['linkflow']:,.0f}" for sample in samples),
                f"{shares[0]:.0%} to {shares[1]:.0%}",
            )
        )
    return table(head, made)
