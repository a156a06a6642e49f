"""As whom, with which binaries and where a server can be run: found out by trying."""

import os
import re
from pathlib import Path

from linkflow.adapters.embedded import account as accounts
from linkflow.adapters.embedded import binaries, launch, place
from linkflow.adapters.embedded.account import Account
from linkflow.adapters.embedded.failure import EmbeddedPostgresFailed
from linkflow.adapters.embedded.place import Place


def choose(
    home: Path, where: Place, folder: Path, namespaces: bool
) -> tuple[Account, Path, Place, tuple[int, str]]:
    """Find a way to run the server, by trying: as whom, with which binaries, where; and its version."""
    tried = []
    for account in accounts.candidates(namespaces=namespaces):
        here, programs = where, folder
        account.own(here.folder)
        code, output = _version(account, here, programs)
        if code == launch.FOLDER_UNREACHABLE and account.mode == "account":
            here = _let_in(home, here, account, programs)
            code, output = _version(account, here, programs)
        if code == launch.PROGRAM_UNREACHABLE:
            programs = binaries.copy(programs, here.folder / "binaries")
            code, output = _version(account, here, programs)
        found = re.search(r"(\d+)(\.\d+|devel|beta\d+|rc\d+)?", output) if code == 0 else None
        if found:
            return account, programs, here, (int(found[1]), found[0])
        tried.append(f"{account.mode}: {REASONS.get(code, output.strip() or f'exit code {code}')}")
    raise EmbeddedPostgresFailed(
        f"PostgreSQL does not run as root, and there is no other way to run it in {where.folder} "
        f"({'; '.join(tried) or 'this user has no name on this machine'}). Start LinkFlow as an ordinary "
        "user, set LINKFLOW_HOME to a folder that everybody may enter, or set LINKFLOW_DATABASE_URL."
    )


def _let_in(home: Path, where: Place, account: Account, folder: Path) -> Place:
    """Make a place for a new server that another account can reach; what is not ours stays as it is."""
    mode = home.stat().st_mode
    if home.stat().st_uid == os.geteuid():
        home.chmod(mode | 0o011)  # to pass through, not to list: our keys lie in folders of their own
        if _version(account, where, folder)[0] != launch.FOLDER_UNREACHABLE:
            return where
        home.chmod(mode)
    if not where.data.exists():
        where = place.move_elsewhere(home)
        account.own(where.folder)
    return where


REASONS = {
    launch.NAMESPACE_REFUSED: "user namespaces are refused here",
    launch.FOLDER_UNREACHABLE: "the folder cannot be entered",
    launch.PROGRAM_UNREACHABLE: "the binaries cannot be run",
}


def _version(account: Account, where: Place, folder: Path) -> tuple[int, str]:
    """Ask the server for its version, which also shows whether it can be run."""
    done = account.run(where.folder, folder / "postgres", "--version")
    return done.returncode, done.stdout
