"""`linkflow doctor`: look at this installation and say what is wrong and what to do about it.

It changes nothing, and can look while LinkFlow runs. It ends with 1 when something must be mended.
"""

import os
import resource
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from linkflow.apps import doctor_outside as outside
from linkflow.apps.cli_client import Api, CommandFailed
from linkflow.apps.cli_local import settings
from linkflow.apps.cli_show import print_json, table
from linkflow.apps.doctor_security import examine_security
from linkflow.apps.findings import Finding
from linkflow.apps.local_access import find_access
from linkflow.apps.settings import Settings
from linkflow.domain.errors import LinkFlowError

FREE_BYTES, FULL_BYTES = 1_000_000_000, 100_000_000
"""Less is worth a word; less than the second and the database stops soon."""

FILES = 4_096
"""Open files that a busy installation needs."""

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


def report(*, as_json: bool, security: bool = False) -> int:
    """Print what was found, of what works or of what protects; 1 when something is wrong."""
    findings = (examine_security if security else examine)(settings())
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        rows = [
            [each.look, f"[{COLOURS[each.state]}]{each.state}[/{COLOURS[each.state]}]", each.seen, each.mend]
            for each in findings
        ]
        table(["", "", "", "to mend it"], rows)
    return int(any(each.state == "error" for each in findings))


def examine(found: Settings) -> Sequence[Finding]:
    """Look at everything."""
    looks: Sequence[Callable[[Settings], Sequence[Finding]]] = (
        _python,
        _home,
        _space,
        _limits,
        _keys,
        _binaries,
        outside.databases,
        outside.redis,
        outside.rabbitmq,
        outside.large_values,
        outside.certificates,
        _server,
    )
    return [finding for look in looks for finding in look(found)]


def _python(_: Settings) -> Sequence[Finding]:
    """Look at the interpreter; an older one than we need could not have read this."""
    version = ".".join(map(str, sys.version_info[:3]))
    return [Finding("python", "ok", version)]


def _home(found: Settings) -> Sequence[Finding]:
    """Look at the folder everything is kept in."""
    if not found.home.exists():
        return [Finding("home", "ok", f"{found.home} will be made at the first start")]
    if not os.access(found.home, os.W_OK):
        mend = f"chown -R {os.getuid()} {found.home}, or set LINKFLOW_HOME"
        return [
            Finding("home", "error", f"{found.home} cannot be written; it belongs to somebody else", mend)
        ]
    return [Finding("home", "ok", str(found.home))]


def _space(found: Settings) -> Sequence[Finding]:
    """Look at the disk."""
    place = next(path for path in (found.home, *found.home.parents) if path.exists())
    disk = os.statvfs(place)
    free = disk.f_bavail * disk.f_frsize
    seen = f"{free / 1e9:.1f} GB free"
    if free > FREE_BYTES:
        return [Finding("disk", "ok", seen)]
    mend = f"make room where {place} is, or set LINKFLOW_RETENTION_* lower"
    return [Finding("disk", "error" if free < FULL_BYTES else "warning", seen, mend)]


def _limits(_: Settings) -> Sequence[Finding]:
    """Look at what the system lets a process have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if most != resource.RLIM_INFINITY and most < FILES:
        mend = f"ulimit -n {FILES * 16}, or LimitNOFILE={FILES * 16} in the unit of systemd"
        return [Finding("limits", "warning", f"{most} open files", mend)]
    shown = "any number of" if most == resource.RLIM_INFINITY else str(most)
    return [Finding("limits", "ok", f"{shown} open files")]


def _keys(found: Settings) -> Sequence[Finding]:
    """Look at the keys and who may read them."""
    folder = found.home / "keys"
    if not folder.exists():
        return [Finding("keys", "ok", "made at the first start")]
    loose = [path.name for path in sorted(folder.iterdir()) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if loose:
        return [Finding("keys", "error", f"others may read {', '.join(loose)}", f"chmod 600 {folder}/*")]
    seen = f"back up {folder}: without it no credential or webhook secret can be opened"
    return [Finding("keys", "ok", seen)]


def _binaries(found: Settings) -> Sequence[Finding]:
    """Look for a PostgreSQL to start."""
    if found.database_url is not None:
        return [Finding("postgresql", "ok", "yours is used (LINKFLOW_DATABASE_URL)")]
    from linkflow.adapters.embedded import binaries

    try:
        return [Finding("postgresql", "ok", str(_first(binaries.first)))]
    except LinkFlowError as error:
        return [Finding("postgresql", "error", str(error), "install one, or set LINKFLOW_DATABASE_URL")]


def _first(find: Callable[[], Path]) -> Path:
    """Find the binaries."""
    return find()


def _server(found: Settings) -> Sequence[Finding]:
    """Look whether LinkFlow runs, and is ready."""
    access = find_access(found.home)
    if access is None or not _lives(access.pid):
        return [Finding("linkflow", "ok", "does not run; start it: linkflow up")]
    try:
        Api(access).call("GET", "/ready")
    except CommandFailed as error:
        mend = f"look at its log, and at {access.url}/ready"
        return [Finding("linkflow", "error", f"process {access.pid} is not ready: {error}", mend)]
    return [Finding("linkflow", "ok", f"runs on {access.url}")]


def _lives(pid: int) -> bool:
    """Say whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
