"""The two planes may live in two databases, so no statement names tables of both."""

import ast
import re
from pathlib import Path

import pytest

SQL = Path(__file__).resolve().parents[2] / "src" / "linkflow" / "adapters" / "sql"
TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|USING|TABLE|REFERENCES)\s+(?:ONLY\s+)?(control|engine)\.\w")


def statements(path: Path) -> list[str]:
    """List the texts of a module; the parts of one that is put together count as one."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = (each.value for each in node.values if isinstance(each, ast.Constant))
            found.append("?".join(str(part) for part in parts))
    return found


@pytest.mark.parametrize("path", sorted(SQL.glob("*.py")), ids=lambda path: path.stem)
def test_no_statement_joins_across(path: Path) -> None:
    """C16r: a statement names tables of the control plane or of the engine, never of both."""
    across = [text for text in statements(path) if len(set(TABLE.findall(text))) > 1]

    assert [] == across


def test_statements_are_found() -> None:
    """The look above finds what it looks for: both planes have statements, and a join would be seen."""
    named = {
        schema for path in SQL.glob("*.py") for text in statements(path) for schema in TABLE.findall(text)
    }
    join = "SELECT 1 FROM control.workflows JOIN engine.executions USING (id)"

    assert ({"control", "engine"}, {"control", "engine"}) == (named, set(TABLE.findall(join)))
