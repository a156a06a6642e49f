"""What the documentation says about the code is there: paths, symbols, tables."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "linkflow"
PAGES = sorted([*(ROOT / "docs" / "architecture").glob("*.md"), *(ROOT / "docs" / "decisions").glob("0*.md")])
MIGRATIONS = SOURCE / "adapters" / "sql" / "migrations" / "versions"
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w./-]+\.(?:py|md)|(?:[a-z_]+/)+[a-z_]*")
SYMBOL = re.compile(r"[A-Z]\w*(?:\.\w+)?|[a-z]+(?:_[a-z]+)+|_?[a-z]\w*\(\)")
TABLE = re.compile(r"CREATE (?:UNLOGGED )?(?:TABLE|VIEW) (\w+\.\w+)")
OUTSIDE = {
    # columns, fields of JSON and words of other systems that look like names of ours
    "POST", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "Forwarded", "Host", "HMAC",
    "JSON", "UUID", "COPY", "LISTEN", "XAUTOCLAIM", "SETNX", "FLUSHALL", "pg_dump",
}  # fmt: skip


def _names(tree: ast.AST, prefix: str = "") -> Iterator[str]:
    """List what a module defines: classes, functions, methods as `Class.method`, fields, constants."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
            yield from _names(node, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (node.name, f"{prefix}{node.name}")
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield from (node.target.id, f"{prefix}{node.target.id}")
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def defined() -> set[str]:
    """List every name the package defines, and the columns of its tables."""
    names = {name for path in SOURCE.rglob("*.py") for name in _names(ast.parse(path.read_text()))}
    columns = {word for path in MIGRATIONS.glob("*.py") for word in re.findall(r"\b\w+\b", path.read_text())}
    settings = {f"LINKFLOW_{name.upper()}" for name in names}
    return names | columns | settings | OUTSIDE


def spans(page: Path) -> list[str]:
    """List what stands in backticks on a page, outside its code blocks."""
    return SPAN.findall(FENCE.sub("", page.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_name_what_exists(page: Path) -> None:
    """Every path and every symbol that a page about the code names is there."""
    known = defined()
    missing = []
    for span in spans(page):
        if PATH.fullmatch(span):
            if not any((place / span).exists() for place in (SOURCE, ROOT, page.parent)):
                missing += [span] * (not any(SOURCE.rglob(span)))
        elif SYMBOL.fullmatch(span) and span.removesuffix("()") not in known:
            missing.append(span)

    assert [] == missing


def test_pages_quote_what_is_written() -> None:
    """Every line of Python that the architecture quotes stands in the code."""
    written = {line.strip() for path in SOURCE.rglob("*.py") for line in path.read_text().splitlines()}
    quoted = [
        line.strip()
        for page in (ROOT / "docs" / "architecture").glob("*.md")
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]

    assert (True, []) == (bool(quoted), [line for line in quoted if line not in written])


def test_every_table_is_told_of() -> None:
    """The data model names every table and view of the migrations, and no other."""
    made = {name for path in MIGRATIONS.glob("*.py") for name in TABLE.findall(path.read_text())}
    made = {name for name in made if not name.endswith("_default")}
    told = {
        span
        for span in spans(ROOT / "docs" / "architecture" / "data-model.md")
        if re.fullmatch(r"(engine|control)\.\w+", span)
    }

    assert made == told


def test_architecture_pages_say_when_to_read_them() -> None:
    """Every page of the architecture, the tutorials and the how-tos opens with when to read it."""
    folders = [ROOT / "docs" / name for name in ("architecture", "tutorial", "howto")]
    silent = [
        str(page.relative_to(ROOT))
        for folder in folders
        for page in folder.glob("*.md")
        if not page.read_text().splitlines()[2].startswith("Read this ")
    ]

    assert [] == silent
