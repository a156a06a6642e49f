"""docs/reference/metrics.md, from the declarations."""

from itertools import groupby

from linkflow.telemetry.declared import METRICS

PAGE = """# Metrics

Read this when you build a dashboard or an alarm.
This page is generated; `make docs` writes it again.

Every process serves its metrics at `/metrics`, in the formats of Prometheus and OpenMetrics.
[How to monitor](../howto/monitor.md) says who may read them and what to watch.
A process exports what its roles measure; `linkflow up` has every role.
The gauges of histories, outbox, dead letters and webhooks are read from the database, at most every 10 s, by
each process that has the role: take their maximum, not their sum.
No label holds the id of a workspace, workflow or execution, so the number of series stays small.
Beside these there are `process_*` (memory, CPU, open files) of each process.
{sections}"""


def metrics_page() -> str:
    """Write the page about the metrics."""
    sections = []
    for room, metrics in groupby(METRICS, key=lambda metric: metric.room):
        rows = [
            f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} "
            f"| {metric.help} |"
            for metric in metrics
        ]
        title = "Every process" if room == "every" else room.capitalize()
        sections.append(
            "\n".join([f"\n## {title}\n", "| metric | kind | labels | what |", "|---|---|---|---|", *rows])
        )
    return PAGE.format(sections="\n".join(sections)) + "\n"
