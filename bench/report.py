"""What was measured, as tables that people read."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.targets import SPLITS, WAYS, Target, beside_one_process, best, fastest

Found = Mapping[str, Any]


def report(found: Found, goals: Sequence[Target]) -> str:
    """Write the whole report in Markdown."""
    parts = [_machine(found), _workloads(found), _costs(found)]
    if found.get("timers"):
        parts.append(_timers(found["timers"]))
    if found.get("editor"):
        parts.append(_editor(found["editor"]) + "\n\n" + _looks(found["looks"]))
    if found.get("split"):
        parts += [_split(found), _processes(found)]
    if found.get("peers"):
        parts.append(_peers(found["peers"]))
    parts.append(_targets(goals))
    return "\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _machine(found: Found) -> str:
    """Say what was measured on, and what it could do at most."""
    machine, limits = found["machine"], found["limits"]
    return (
        f"Measured {found['at']} on {machine['cores']} cores ({machine['cpu']}), Python {machine['python']}, "
        f"PostgreSQL {machine['postgres']} with fsync on.\n"
        f"The machine's own limits in the same run: {limits['committed_rows']:,.0f} durable rows/s "
        f"in batches of 250 on one connection, {limits['fsyncs']:,.0f} fsyncs/s.\n"
    )


def _workloads(found: Found) -> str:
    """Say how fast each workload goes."""
    rows = []
    for row in found["rows"]:
        sample, idle = best(row), row["loads"].get("1")
        drained = sample["count"] / (sample["count"] / sample["rate"] + sample["drain_s"])
        speed = f"{sample['rate']:,.0f}"
        if row["way"] == "accept":
            speed += f" (done: {drained:,.0f})"
        rows.append(
            (
                f"{row['title']}, {WAYS[row['way']]}",
                speed,
                str(row["best"]),
                f"{idle['p50_ms']:.1f} / {idle['p99_ms']:.1f}" if idle else "",
                f"{sample['p50_ms']:.0f} / {sample['p99_ms']:.0f}",
                f"{sample['foreign']:.0%}",
            )
        )
    head = (
        "workload",
        "executions/s",
        "callers",
        "p50 / p99 ms, 1 caller",
        "p50 / p99 ms, loaded",
        "strangers",
    )
    return "### Speed\n\n" + table(head, rows)


def _costs(found: Found) -> str:
    """Say what an execution costs."""
    rows = []
    for row in found["rows"]:
        sample = best(row)
        cpu, stored = sample["cpu_us"], sample["bytes"]
        rows.append(
            (
                f"{row['title']}, {WAYS[row['way']]}",
                f"{cpu['linkflow']:,.0f}",
                f"{cpu['linkflow'] / row['nodes']:,.0f}",
                f"{cpu['postgres']:,.0f}",
                f"{cpu['driver']:,.0f}",
                f"{stored['events']:,.0f}",
                f"{stored['wal']:,.0f}",
                f"{stored['tables']:,.0f}",
            )
        )
    head = ("µs of CPU and bytes per execution", "LinkFlow", "per node", "PostgreSQL", "driver")
    return "### Cost\n\n" + table((*head, "events", "WAL", "tables"), rows)


def _timers(timers: Found) -> str:
    """Say what became of many timers."""
    row = (
        f"{timers['count']:,} timers in {timers['spread_s']:.0f} s",
        *(f"{timers[name]:,}" for name in ("lost", "doubled", "early")),
        f"{timers['p50_ms']:,.0f} / {timers['p99_ms']:,.0f} / {timers['most_ms']:,.0f}",
        f"{timers['foreign']:.0%}",
    )
    head = ("in one process", "lost", "doubled", "early", "late by p50 / p99 / most ms", "strangers")
    return "### Timers\n\n" + table(head, [row])


def _editor(rows: Sequence[Found]) -> str:
    """Say what the editor costs with many nodes."""
    names = ("load_ms", "elements", "heap_mb", "drag_cpu_ms", "add_ms", "panel_ms")
    runs = ("batches", "batch_cpu_ms", "frame_p95_ms", "long_tasks")
    head = (
        "the editor at its actual size", "load ms", "elements", "heap MB", "drag, CPU ms a step", "add ms",
        "open ms", "live frames", "CPU ms each", "picture p95 ms", "long tasks", "strangers",
    )  # fmt: skip
    made = [
        (
            f"{row['nodes']:,} nodes",
            *(f"{row[name]:,.{_digits(row[name])}f}" for name in (*names, *runs)),
            f"{row['foreign']:.0%}",
        )
        for row in rows
    ]
    return "### The editor\n\n" + table(head, made)


def _looks(looks: Found) -> str:
    """Say what long histories and previews take."""
    head = ("looked at", "open ms", "picture p95 ms", "rows at once", "preview ms", "strangers")
    foreign = f"{looks['foreign']:.0%}"
    made: list[Sequence[str]] = [
        ("an expression as one types", "", "", "", f"{looks['preview_ms']:.0f}", foreign)
    ]
    for view in ("timeline", "events"):
        names = (f"{view}_ms", f"{view}_p95_ms", f"{view}_rows")
        row = (f"{looks[name]:,.{_digits(looks[name])}f}" for name in names)
        made.append((f"{view} of {looks['events']:,} events", *row, "", foreign))
    return table(head, made)


def _split(found: Found) -> str:
    """Say how fast LinkFlow goes when it is split, beside one process in the same run."""
    rows = [
        (
            f"{row['title']}, {SPLITS[layout]}",
            f"{best(row)['rate']:,.0f}",
            f"{share.value:.0%}" if (share := beside_one_process(found, row)) else "",
            str(row["best"]),
            f"{row['loads']['1']['p50_ms']:.1f} / {row['loads']['1']['p99_ms']:.1f}",
            f"{best(row)['p50_ms']:.0f} / {best(row)['p99_ms']:.0f}",
            f"{best(row)['foreign']:.0%}",
        )
        for layout, layout_rows in found["split"]["layouts"].items()
        for row in layout_rows
    ]
    rows += [
        (
            f"{row['title']}, {number} worker process{'es' if number > 1 else ''}",
            f"{best(row)['rate']:,.0f}",
            "",
            str(row["best"]),
            f"{row['loads']['1']['p50_ms']:.1f} / {row['loads']['1']['p99_ms']:.1f}",
            f"{best(row)['p50_ms']:.0f} / {best(row)['p99_ms']:.0f}",
            f"{best(row)['foreign']:.0%}",
        )
        for number, row in enumerate(found["split"]["workers"], 1)
    ]
    head = (
        "split over gRPC, over REST",
        "executions/s",
        "of one process",
        "callers",
        "p50 / p99 ms, 1 caller",
        "p50 / p99 ms, loaded",
        "strangers",
    )
    return "### Split\n\n" + table(head, rows)


def _processes(found: Found) -> str:
    """Say what an execution costs in each process."""
    parts = []
    for layout, layout_rows in found["split"]["layouts"].items():
        names = list(best(layout_rows[0])["parts_us"]) if layout_rows else []
        rows = [
            (
                row["title"],
                f"{best(row)['cpu_us']['linkflow']:,.0f}",
                *(f"{best(row)['parts_us'][name]:,.0f}" for name in names),
                f"{best(row)['cpu_us']['postgres']:,.0f}",
            )
            for row in layout_rows
        ]
        head = (f"µs of CPU per execution, {SPLITS[layout]}", "LinkFlow", *names, "PostgreSQL")
        parts.append(table(head, rows))
    return "\n".join(parts)


def _peers(peers: Found) -> str:
    """Say how fast the peers did the same."""
    rows = []
    for name, peer in peers.items():
        callers = max(peer["loads"], key=lambda load: peer["loads"][load]["rate"])
        sample = peer["loads"][callers]
        rows.append(
            (
                _named(name),
                f"{fastest(peer)['rate']:,.0f}",
                callers,
                f"{sample['p50_ms']:.0f} / {sample['p99_ms']:.0f}",
                f"{sample['cpu_us']['peer']:,.0f}",
                f"{sample['foreign']:.0%}",
            )
        )
    head = ("peer", "executions/s", "callers", "p50 / p99 ms", "µs of CPU", "strangers")
    return "### Peers in the same run\n\n" + table(head, rows)


def _named(name: str) -> str:
    """Say a peer's row in words."""
    peer, form, workload = name.split(" ")
    work = {
        "pure1": "1 step",
        "effects10": "10 steps",
        "fan50": "50 steps at once",
        "accept": "send, answered 202",
    }
    if peer == "dbos":
        return f"DBOS, {'async steps' if form == 'async' else 'threads'}, {work[workload]}"
    return f"Restate, {form} Python worker{'s' if form != '1' else ''}, {work[workload]}"


def _targets(goals: Sequence[Target]) -> str:
    """Say what was promised and what was reached."""
    rows = []
    for goal in goals:
        sign = "≥" if goal.is_least else "≤"
        measured = "not measured"
        if goal.measured is not None:
            measured = f"{goal.measured.value:,.{_digits(goal.measured.value)}f}"
        aim = f" ({goal.aim:,g})" if goal.aim else ""
        rows.append((goal.title, f"{sign} {goal.must:,g}{aim} {goal.unit}", measured, goal.verdict))
    return "### Targets\n\n" + table(("target", "to reach (to aim at)", "measured", ""), rows)


def _digits(value: float) -> int:
    """Say how many decimals a number needs."""
    return 0 if value >= 100 else 1
