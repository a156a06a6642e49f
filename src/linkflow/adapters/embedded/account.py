"""As whom the server runs, because PostgreSQL refuses to run as root.

An ordinary user starts it as itself. Root enters a user namespace in which it is called something else: the
server is content, and to the rest of the machine its files and processes are still root's, so no account is
made and no permission changed. Where namespaces are refused (some containers), root becomes `nobody`.
"""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from linkflow.adapters.embedded import launch

OVERFLOW = 65534
"""The uid under which a namespace sees everyone it does not know; it must not be the one who may connect."""

SCRIPT = Path(launch.__file__)


@dataclass(frozen=True)
class Account:
    """One way to run the server.

    Attributes:
        mode: `plain`, `namespace` or `account`; see `launch`.
        uid: User id of the server, as the server sees it.
        gid: Group id of the server, as the server sees it.
        client: Name under which the server sees LinkFlow connect.
    """

    mode: str
    uid: int
    gid: int
    client: str

    def command(self, folder: Path, program: Path, *arguments: str) -> Sequence[str]:
        """Build the command that runs a program this way, in a folder that must be writable to it."""
        who = [str(os.getpid()), self.mode, str(self.uid), str(self.gid), str(folder)]
        return [sys.executable, "-I", "-S", str(SCRIPT), *who, str(program), *arguments]

    def run(self, folder: Path, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, output and errors in one text."""
        return subprocess.run(  # noqa: S603  our own binaries, no shell
            self.command(folder, program, *arguments),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def own(self, path: Path) -> None:
        """Give a path, and all below it, to the server, where the server is somebody else."""
        if self.mode == "account" and path.stat().st_uid != self.uid:
            for each in (path, *path.rglob("*")):
                os.chown(each, self.uid, self.gid, follow_symlinks=False)


def environment() -> dict[str, str]:
    """Say what the server may know of our environment: nothing that could be a secret."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def candidates(*, namespaces: bool = True) -> Iterator[Account]:
    """Yield the ways to run the server, the best first.

    Args:
        namespaces: Whether user namespaces may be tried.
    """
    me = os.geteuid()
    known = {entry.pw_uid: entry for entry in pwd.getpwall()}
    if me != 0 and me in known:
        yield Account("plain", me, os.getegid(), known[me].pw_name)
        return
    masks = [entry for uid, entry in sorted(known.items()) if uid not in (0, OVERFLOW)]
    if namespaces and masks:
        yield Account("namespace", masks[0].pw_uid, masks[0].pw_gid, masks[0].pw_name)
    nobody = next((entry for entry in known.values() if entry.pw_name == "nobody"), None)
    if me == 0 and nobody is not None:
        yield Account("account", nobody.pw_uid, nobody.pw_gid, known[0].pw_name)
