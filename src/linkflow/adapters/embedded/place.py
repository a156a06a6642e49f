"""Where the server's files lie: data, socket, configuration, locks."""

import contextlib
import fcntl
import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from linkflow.adapters.embedded.failure import EmbeddedPostgresFailed

SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 107
ELSEWHERE = Path("/var/lib/linkflow")


@dataclass(frozen=True)
class Place:
    """The folder of one embedded server.

    Attributes:
        folder: Holds everything; an absolute path without links.
        socket: Folder of the socket; inside `folder` unless that makes the path too long.
    """

    folder: Path
    socket: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "log"


def _owners() -> set[int]:
    """List who may own our folders: we; where we are root, also `nobody`, who may run the server."""
    owners = {os.geteuid()}
    if os.geteuid() == 0:
        owners |= {entry.pw_uid for entry in pwd.getpwall() if entry.pw_name == "nobody"}
    return owners


def private(folder: Path) -> Path:
    """Make a folder that only its owner can enter; it may exist when it is ours.

    Raises:
        EmbeddedPostgresFailed: It exists and belongs to someone else, or is a link.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in _owners():
        raise EmbeddedPostgresFailed(
            f"{folder} belongs to someone else. Remove it, or choose another place with LINKFLOW_HOME."
        )
    folder.chmod(0o700)
    return folder


def socket_folder(folder: Path) -> Path:
    """Choose a folder for the socket, short enough for the kernel."""
    near = folder / "socket"
    if len(os.fsencode(near / SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        return near
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    short = Path(runtime if Path(runtime).is_dir() and runtime else "/tmp")  # noqa: S108  made 0700 and checked
    return short / f"linkflow-{os.geteuid()}-{mark}"


def settle(home: Path) -> Place:
    """Find the place of the server below LINKFLOW_HOME, and make it where it is missing.

    Raises:
        EmbeddedPostgresFailed: The folder is not ours, or leads to a place that is gone.
    """
    link = home / "postgres"
    if link.is_symlink() and not link.exists():
        raise EmbeddedPostgresFailed(
            f"The data should lie in {link.readlink()}, but that folder is gone. Bring it back; "
            f"or, to begin with an empty database, remove {link}."
        )
    folder = link.resolve()
    private(folder)
    return Place(folder, socket_folder(folder))


def move_elsewhere(home: Path) -> Place:
    """Put a new server's files where `nobody` can reach them, and leave a link in LINKFLOW_HOME."""
    mark = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = private(ELSEWHERE / f"postgres-{mark}")
    link = home / "postgres"
    if not link.is_symlink():
        link.rmdir()
        link.symlink_to(folder)
    return settle(home)


def take_home(home: Path) -> tuple[Path, IO[str]]:
    """Take LINKFLOW_HOME, made where it is missing, for this process until it ends.

    Returns:
        The folder as an absolute path, and the lock, which holds as long as it is open.

    Raises:
        EmbeddedPostgresFailed: Another LinkFlow has it; the message names the process.
    """
    home = home.absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (home / "postgres.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise EmbeddedPostgresFailed(
            f"Another LinkFlow (process {holder}) is already running on {home}. "
            "Stop it first, or give this one a folder of its own with LINKFLOW_HOME."
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return home, lock
