"""Which major version of PostgreSQL made a data folder, and which ones are here to read it."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from linkflow.adapters.embedded import binaries, place
from linkflow.adapters.embedded.account import environment
from linkflow.adapters.embedded.failure import EmbeddedPostgresFailed


@dataclass(frozen=True)
class Found:
    """A data folder beside the binaries that would be used for it.

    Attributes:
        folder: Holds the data folder and what belongs to it.
        data_major: What made the data.
        newest_major: What a start would use.
    """

    folder: Path
    data_major: int
    newest_major: int


def found_in(home: Path) -> Found:
    """Look at the embedded database of LINKFLOW_HOME.

    Raises:
        EmbeddedPostgresFailed: There is none.
    """
    if not (home / "postgres").exists():
        raise EmbeddedPostgresFailed(f"There is no database in {home}. Set LINKFLOW_HOME to its folder.")
    folder = place.settle(home).folder
    mark = folder / "data" / "PG_VERSION"
    if not mark.exists():
        raise EmbeddedPostgresFailed(f"There is no data in {folder}; nothing was changed.")
    return Found(folder, int(mark.read_text().strip()), _major(binaries.first()) or 0)


def majors() -> list[int]:
    """List the major versions that are on this machine, the newest first."""
    return sorted({major for folder in binaries.folders() if (major := _major(folder))}, reverse=True)


def folder_of(major: int) -> Path:
    """Find the binaries of a major version.

    Raises:
        EmbeddedPostgresFailed: They are not here; the message says what to install.
    """
    for folder in binaries.folders():
        if _major(folder) == major:
            return folder
    raise EmbeddedPostgresFailed(
        f"Only PostgreSQL {major} can read this data, and it is not on this machine. Install it (Debian: "
        f"apt-get install postgresql-{major}), then run: linkflow upgrade-data"
    )


def _major(folder: Path) -> int | None:
    """Ask for the major version of binaries; None when they do not run."""
    done = subprocess.run(  # noqa: S603  our own binaries, no shell
        [folder / "postgres", "--version"], env=environment(), capture_output=True, text=True, check=False
    )
    found = re.search(r"\d+", done.stdout)
    return int(found[0]) if found else None
