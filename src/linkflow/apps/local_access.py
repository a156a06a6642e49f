"""How the command line of this machine reaches the running LinkFlow: address and token, in LINKFLOW_HOME."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "access.json"
LOGIN = "login.json"
"""A LinkFlow elsewhere that somebody signed in to."""


@dataclass(frozen=True)
class LocalAccess:
    """Where it runs, a token of the owner, the process."""

    url: str
    token: str
    pid: int


def keep_access(home: Path, access: LocalAccess, name: str = FILE) -> None:
    """Write the file, for its owner only."""
    home.mkdir(parents=True, exist_ok=True)
    written = home / f"{name}.{os.getpid()}"
    handle = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(access), file)
    written.replace(home / name)


def find_access(home: Path, name: str = FILE) -> LocalAccess | None:
    """Read the file; None when LinkFlow never ran here, or nobody signed in elsewhere."""
    try:
        return LocalAccess(**json.loads((home / name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
