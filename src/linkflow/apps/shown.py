"""What the command line shows: tables and sentences for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkflow.domain.values import Json

MARKS = {
    "success": ("✓", "green"),
    "completed": ("✓", "green"),
    "error": ("✕", "red"),
    "failed": ("✕", "red"),
    "timeout": ("⏱", "red"),
    "timed_out": ("⏱", "red"),
    "waiting": ("⏸", "yellow"),
    "queued": ("⏸", "yellow"),
    "running": ("●", "blue"),
    "pending": ("○", "dim"),
    "skipped": ("-", "dim"),
    "cancelled": ("⊘", "dim"),
}
SHOWN = 70

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def as_json(value: Json) -> None:
    """Print a value for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def status(word: str) -> Text:
    """A status with its mark."""
    mark, style = MARKS.get(word, ("?", ""))
    return Text(f"{mark} {word}", style=style)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; what is not text is shown as text."""
    made = Table(title=title or None, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else str("" if cell is None else cell) for cell in row))
    return made


def node_table(execution: Mapping[str, Json], outputs: Mapping[str, Json] | None = None) -> Table:
    """The nodes of an execution: status, attempts, how long, what came out or went wrong."""
    rows = []
    for node in execution.get("nodes", ()):
        error = node.get("error")
        said = error["message"] if error else _short((outputs or {}).get(node["key"]))
        if not said and node.get("waits_for"):
            said = f"waits for {node['waits_for']}"
        took = node.get("duration_ms")
        rows.append(
            (
                status(node["status"]),
                node["key"],
                node.get("type", ""),
                node["attempt"],
                "" if took is None else f"{took:g} ms",
                Text(said),
            )
        )
    return table("", ("status", "node", "type", "attempt", "time", "output or error"), rows)


def execution_line(execution: Mapping[str, Json]) -> Text:
    """One line about an execution as a whole."""
    line = status(str(execution["status"]))
    took = execution.get("duration_ms")
    line.append(f"  {execution['id']}" + (f"  in {took:g} ms" if took is not None else ""), style="default")
    return line


def _short(value: Json) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
