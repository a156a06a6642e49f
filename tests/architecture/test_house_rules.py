"""The habits of the house that a machine can check; docs/contributing/house.md gives the reasons."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "linkflow"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "_gen" not in path.parts)
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

TOO_LONG: set[str] = set()
"""Modules over 400 lines, as paths below src/linkflow. This list may only shrink."""

DRAWERS = re.compile(r"^(utils?|helpers?|managers?|common|core|shared|misc|base|impl|abstract)$")
"""Words that say where something was put and not what it is."""

SYNONYMS = re.compile(r"^(flow|scenario|zap|pipeline|job|namespace)s?$")
"""Words that docs/glossary.md replaces, in names of modules and classes."""

FIELD_WORDS_ELSEWHERE = {"flow.py", "flows"}
"""Module names that are allowed all the same: `flow.` is a group of node types."""

REGISTRY_HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "yarnpkg" + ".com"]
WORKSHOP = re.compile(
    r"/work/(shared|main|\.library)|/tmp/brief|\b(AI|coding|autonomous) agents?\b", re.IGNORECASE
)
"""How the code came to be is not part of it."""


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    paths = [ROOT / name for name in listed.splitlines()] or [
        path
        for path in ROOT.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]
    return [path for path in paths if path.is_file() and path.suffix not in {".png", ".woff2", ".ico", ".gz"}]


def words(name: str) -> list[str]:
    return [
        word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name.replace("LinkFlow", ""))
    ]


def definitions(path: Path) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_every_module_says_what_it_is(path: Path) -> None:
    """Every module opens with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


def test_modules_stay_short() -> None:
    """No module is longer than 400 lines, but for a list that may only shrink."""
    long = {str(path.relative_to(SOURCE)) for path in MODULES if len(path.read_text().splitlines()) > 400}

    assert TOO_LONG == long


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_names_say_what_a_thing_is(path: Path) -> None:
    """No module, class or function is named after a drawer, and no class or module after a synonym."""
    named = [path.stem, *(node.name for node in definitions(path))]
    drawers = [name for name in named if any(DRAWERS.match(word) for word in words(name))]
    nouns = [path.stem, *(node.name for node in definitions(path) if isinstance(node, ast.ClassDef))]
    synonyms = [name for name in nouns if any(SYNONYMS.match(word) for word in words(name))]
    if path.name in FIELD_WORDS_ELSEWHERE:
        synonyms.remove(path.stem)

    assert ([], []) == (drawers, synonyms)


@pytest.mark.parametrize("path", TESTS, ids=ids)
def test_every_test_promises_a_behaviour(path: Path) -> None:
    """Every test has a docstring, whose first line is one sentence."""
    silent = [
        node.name
        for node in definitions(path)
        if node.name.startswith("test_") and not (ast.get_docstring(node) or "").splitlines()[:1]
    ]
    unfinished = [
        node.name
        for node in definitions(path)
        if node.name.startswith("test_")
        and not (ast.get_docstring(node) or ".").split("\n\n")[0].endswith(".")
    ]

    assert ([], []) == (silent, unfinished)


@pytest.mark.parametrize("path", TESTS, ids=ids)
def test_tests_never_sleep(path: Path) -> None:
    """A test waits for an event or turns the fake clock; it never sleeps."""
    slept = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "sleep"}
        and ast.unparse(node.args[0] if node.args else node) != "0"
    ]

    assert [] == slept


def test_no_file_names_a_registry() -> None:
    """No file of the checkout names the host of a package registry, lock files least of all."""
    named = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in tracked()
        for host in REGISTRY_HOSTS
        if host in path.read_text(errors="replace")
    ]

    assert [] == named


def test_files_speak_of_the_product_only() -> None:
    """No file tells on which machine or by whom it was made."""
    told = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if path != Path(__file__).resolve() and (match := WORKSHOP.search(path.read_text(errors="replace")))
    ]

    assert [] == told
