"""Become a program as an ordinary user that ends when its parent does. Run as a script, with no packages.

Usage: launch.py PARENT MODE UID GID FOLDER PROGRAM ARGUMENT...

MODE is `plain` (stay who we are), `namespace` (enter a user namespace in which we are UID:GID, though outside
we stay who we are) or `account` (give up root and become UID:GID).
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000

NAMESPACE_REFUSED, FOLDER_UNREACHABLE, PROGRAM_UNREACHABLE, ORPHANED = 77, 78, 79, 80


def _namespace(uid: int, gid: int) -> None:
    """Enter a user namespace that knows only us, as uid:gid."""
    inside, outside = (uid, gid), (os.geteuid(), os.getegid())
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if libc.unshare(CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"{inside[1]} {outside[1]} 1")
        Path("/proc/self/uid_map").write_text(f"{inside[0]} {outside[0]} 1")
    except OSError:
        sys.exit(NAMESPACE_REFUSED)


def _account(uid: int, gid: int) -> None:
    """Become another user for good."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def main() -> None:
    """Change who we are, tie our life to the parent's, become the program."""
    parent, mode, uid, gid, folder, program = sys.argv[1:7]
    os.umask(0o077)
    if mode == "namespace":
        _namespace(int(uid), int(gid))
    elif mode == "account":
        _account(int(uid), int(gid))
    # After the change of user, which would clear it. SIGINT is PostgreSQL's fast and clean shutdown.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(ORPHANED)  # it died before we asked to be told
    try:
        os.chdir(folder)
    except OSError:
        sys.exit(FOLDER_UNREACHABLE)
    if not os.access(".", os.R_OK | os.W_OK | os.X_OK):
        sys.exit(FOLDER_UNREACHABLE)
    try:
        os.execv(program, sys.argv[6:])  # noqa: S606  the very purpose; no shell is involved
    except OSError:
        sys.exit(PROGRAM_UNREACHABLE)


if __name__ == "__main__":
    main()
