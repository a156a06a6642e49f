"""What the command line prints: tables and live lists for people, JSON for programs."""

import json
import sys
from pathlib import Path
from typing import Any

from linkflow.apps.cli_client import CommandFailed

COLOURS = {
    "completed": "green", "success": "green", "running": "cyan", "waiting": "yellow", "queued": "blue",
    "failed": "red", "error": "red", "timeout": "red", "timed_out": "red", "cancelled": "magenta",
    "skipped": "dim", "pending": "dim",
}  # fmt: skip
MARKS = {"success": "✓", "error": "✗", "timeout": "✗", "running": "…", "waiting": "⏸", "skipped": "·"}
SHOWN = 100
WIDE = 200
FREE_TEXT = ("node", "name", "result", "error", "value")


def print_json(value: Any) -> None:
    """Print JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(text: str) -> Any:
    """Read JSON from an option: the text itself, or the file after an @.

    Raises:
        CommandFailed: It is not JSON.
    """
    source = text
    try:
        if text.startswith("@"):
            source = Path(text[1:]).read_text(encoding="utf-8")
        return json.loads(source)
    except OSError as error:
        raise CommandFailed(f"{text[1:]} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandFailed(f"This is not JSON: {error}.") from error


def read_file(path: Path) -> Any:
    """Read a JSON file; `-` is standard input.

    Raises:
        CommandFailed: It cannot be read, or is not JSON.
    """
    try:
        return json.loads(sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandFailed(f"{path} is not JSON: {error}.") from error


def coloured(status: str) -> str:
    """Say a status in its colour."""
    colour = COLOURS.get(status)
    return f"[{colour}]{status}[/{colour}]" if colour else status


def table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table; columns in which nothing stands are left out."""
    kept = [at for at in range(len(columns)) if not rows or any(row[at] for row in rows)]
    console().print(laid_out([columns[at] for at in kept], [[row[at] for at in kept] for row in rows]))


def console() -> Any:
    """Make the console that people read; what goes into a pipe is as wide as it needs to be."""
    from rich.console import Console

    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=WIDE)


def laid_out(columns: list[str], rows: list[list[str]]) -> Any:
    """Lay out a table of one line per row: on a narrow terminal free text is cut, the widest first."""
    from rich.table import Table
    from rich.text import Text

    cells = [[Text.from_markup(cell) for cell in row] for row in rows]
    widths = [max([len(column), *(row[at].cell_len for row in cells)]) for at, column in enumerate(columns)]
    spare = console().width - sum(width + 2 for width in widths)
    for at in sorted(range(len(columns)), key=lambda at: -widths[at]):
        if columns[at] in FREE_TEXT and spare < 0:
            cut = min(-spare, max(0, widths[at] - 12))
            widths[at] -= cut
            spare += cut
    found = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        found.add_column(column, no_wrap=True, width=width)
    for row in cells:
        for cell, width in zip(row, widths, strict=True):
            cell.truncate(width, overflow="ellipsis")
        found.add_row(*row)
    return found


def escape(text: str) -> str:
    """Keep what people wrote from being read as colours."""
    from rich.markup import escape as escaped

    return escaped(text)


def brief(value: Any) -> str:
    """Say a value in one line."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return escape(text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…")


def node_rows(nodes: list[Any], outputs: dict[str, Any]) -> list[list[str]]:
    """Say node runs as rows."""
    rows = []
    for node in nodes:
        error = node.get("error") or {}
        said = brief(error.get("message")) if error else brief(outputs.get(node["key"]))
        took = "" if node.get("duration_ms") is None else f"{node['duration_ms']} ms"
        rows.append([
            MARKS.get(node["status"], " "), escape(node["label"] or node["key"]), node["type"],
            coloured(node["status"]), took, said,
        ])  # fmt: skip
    return rows


def node_table(nodes: list[Any], outputs: dict[str, Any]) -> Any:
    """Build the table of node runs."""
    return laid_out(["", "node", "type", "status", "took", "result"], node_rows(nodes, outputs))
