"""`linkflow upgrade-data`: the embedded database of an older PostgreSQL, carried over to the newest one here.

The old server reads its own folder, the new one fills a folder beside it, and only when everything is there
the folders change names::

    postgres/data             read, never written to but by its own server
    postgres/upgrade/…        the new database, until it is whole
    postgres/data.old-<major> where the old one is kept
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linkflow.adapters.embedded import EmbeddedPostgres, EmbeddedPostgresFailed
from linkflow.adapters.embedded.majors import Found, folder_of, found_in
from linkflow.apps.moving import Databases, Say, carry


async def upgrade(home: Path, say: Say) -> Mapping[str, Any]:
    """Upgrade; when anything goes wrong the old database is as it was.

    Args:
        home: LINKFLOW_HOME.
        say: Told what goes on, one line each.

    Returns:
        `{"from": 16, "to": 18, "rows": 1234, "tables": {"control.users": 1}, "kept": "<folder>"}`

    Raises:
        EmbeddedPostgresFailed: There is nothing to upgrade, or no PostgreSQL that can read the old data.
    """
    found = found_in(home)
    if found.data_major == found.newest_major:
        raise EmbeddedPostgresFailed(f"The data is of PostgreSQL {found.data_major} already: nothing to do.")
    old_binaries = folder_of(found.data_major)
    beside = found.folder / "upgrade"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    say(f"reading with PostgreSQL {found.data_major} ({old_binaries}) ...")
    old = await EmbeddedPostgres.start(home, say=say, binary_folder=old_binaries)
    try:
        new = await EmbeddedPostgres.start(beside, say=say)
        try:
            progress = await carry(Databases.at(old.dsn), Databases.at(new.dsn), say)
        finally:
            await new.stop()
    finally:
        await old.stop()
    kept = _change_names(found, beside)
    return {
        "from": found.data_major,
        "to": found.newest_major,
        "rows": sum(progress.rows.values()),
        "tables": progress.rows,
        "kept": str(kept),
    }


def _change_names(found: Found, beside: Path) -> Path:
    """Put the new data folder in the old one's place; where the old one is now."""
    data = found.folder / "data"
    kept = found.folder / f"data.old-{found.data_major}"
    if kept.exists():
        kept = found.folder / f"data.old-{found.data_major}-{os.getpid()}"
    data.rename(kept)
    ((beside / "postgres").resolve() / "data").rename(data)
    shutil.rmtree(beside, ignore_errors=True)
    return kept
