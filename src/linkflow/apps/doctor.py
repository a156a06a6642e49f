"""`linkflow doctor`: look at this installation and say what is wrong and what to do about it."""

import asyncio
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from linkflow.apps.cli_client import Api
from linkflow.apps.cli_local import settings
from linkflow.apps.cli_show import print_json, table
from linkflow.apps.local_access import find_access
from linkflow.apps.settings import Settings, database_urls
from linkflow.domain.errors import LinkFlowError

Finding = tuple[str, str, str]
"""What was looked at, ok / warning / error, what was seen."""

FREE_BYTES = 1_000_000_000


def report(*, as_json: bool) -> int:
    """Print what was found; 1 when something is wrong."""
    found = settings()
    looks: list[Callable[[Settings], Finding]] = [
        _python,
        _home,
        _space,
        _keys,
        _binaries,
        _database,
        _blobs,
        _server,
    ]
    findings = [look(found) for look in looks]
    if as_json:
        print_json([{"look": look, "state": state, "seen": seen} for look, state, seen in findings])
    else:
        colours = {"ok": "green", "warning": "yellow", "error": "red"}
        table(
            ["", "", ""],
            [[look, f"[{colours[state]}]{state}[/{colours[state]}]", seen] for look, state, seen in findings],
        )
    return int(any(state == "error" for _, state, _ in findings))


def _python(_: Settings) -> Finding:
    """Look at the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    return "python", "ok" if sys.version_info >= (3, 11) else "error", version


def _home(found: Settings) -> Finding:
    """Look at the folder everything is kept in."""
    if not found.home.exists():
        return "home", "ok", f"{found.home} will be made at the first start"
    if not os.access(found.home, os.W_OK):
        return "home", "error", f"{found.home} cannot be written; it belongs to somebody else"
    return "home", "ok", str(found.home)


def _space(found: Settings) -> Finding:
    """Look at the disk."""
    place = next(path for path in (found.home, *found.home.parents) if path.exists())
    disk = os.statvfs(place)
    free = disk.f_bavail * disk.f_frsize
    return "disk", "ok" if free > FREE_BYTES else "warning", f"{free / 1e9:.1f} GB free"


def _keys(found: Settings) -> Finding:
    """Look at the keys and who may read them."""
    folder = found.home / "keys"
    if not folder.exists():
        return "keys", "ok", "made at the first start"
    loose = [path.name for path in sorted(folder.iterdir()) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if loose:
        return "keys", "error", f"others may read {', '.join(loose)}: chmod 600 {folder}/*"
    return "keys", "ok", f"back up {folder}: without it no credential or webhook secret can be opened"


def _binaries(found: Settings) -> Finding:
    """Look for a PostgreSQL to start."""
    if found.database_url is not None:
        return "postgresql", "ok", "yours is used (LINKFLOW_DATABASE_URL)"
    from linkflow.adapters.embedded import binaries

    try:
        return "postgresql", "ok", str(_first(binaries.first))
    except LinkFlowError as error:
        return "postgresql", "error", str(error)


def _first(find: Callable[[], Path]) -> Path:
    """Find the binaries."""
    return find()


def _database(found: Settings) -> Finding:
    """Look at the schema of databases of the person's own."""
    from linkflow.adapters.sql.schema import revisions, schema_version

    seen, newest = [], revisions()[-1][0]
    try:
        for name, url in database_urls(found).items():
            version = asyncio.run(schema_version(url))
            if version != newest:
                lacks = f"schema {version or 'none'}, this version brings {newest}: linkflow migrate"
                return "database", "warning", f"{name}: {lacks}"
            seen.append(f"{name}: schema {version}")
    except LinkFlowError as error:
        return "database", "error", str(error)
    return "database", "ok", "; ".join(seen) or f"LinkFlow's own, in {found.home / 'postgres'}"


def _blobs(found: Settings) -> Finding:
    """Look whether large values can be kept."""
    from linkflow.apps.brokers import open_blobs

    try:
        asyncio.run(open_blobs(found))
    except LinkFlowError as error:
        return "large values", "error", str(error)
    where = found.home / "blobs" if found.s3_bucket is None else f"bucket {found.s3_bucket}"
    return "large values", "ok", f"in {where}"


def _server(found: Settings) -> Finding:
    """Look whether LinkFlow runs."""
    access = find_access(found.home)
    if access is not None and Api(access).is_ready():
        return "linkflow", "ok", f"runs on {access.url}"
    return "linkflow", "ok", "does not run; start it: linkflow up"
