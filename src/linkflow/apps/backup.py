"""`linkflow backup` and `linkflow restore`: database, blobs and keys as one file, and back.

A backup is taken beside a running LinkFlow: the rows are those of one moment. Blobs are written before the
event that names them, so those found afterwards hold all that the rows name. A restore checks every byte of
the file first, then replaces the database in one transaction, and puts keys in place just before it commits.
"""

import math
import shutil
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from linkflow import __version__
from linkflow.adapters import passphrase as passphrases
from linkflow.adapters.embedded import EmbeddedPostgres, is_running
from linkflow.adapters.sql.copying import CopyBroken, Filling, StillRunning, Table, TargetTaken
from linkflow.apps.archive import (
    FORMAT,
    ArchiveReader,
    ArchiveRefused,
    ArchiveWriter,
    Manifest,
    Writing,
    opened,
)
from linkflow.apps.brokers import open_blobs
from linkflow.apps.moving import (
    CONTROL,
    Databases,
    Progress,
    Say,
    databases_of,
    replace,
    require_free,
    source,
)
from linkflow.apps.settings import Settings
from linkflow.domain.errors import Invalid, NotFound, Unavailable

SEALED, ARCHIVED = "keys.sealed", "archive/"


class PassphraseMissing(Invalid):
    """The keys in the archive are sealed by a passphrase."""

    code = "backup.passphrase_missing"


@dataclass(frozen=True)
class Report:
    """What was backed up or restored."""

    file: Path
    manifest: Manifest

    def facts(self) -> Mapping[str, object]:
        """Say it as JSON."""
        manifest = self.manifest
        rows = manifest.rows
        return {
            "file": str(self.file),
            "bytes": self.file.stat().st_size,
            "linkflow": manifest.linkflow,
            "created_at": manifest.created_at,
            "schema": manifest.layout.revision,
            "rows": sum(rows.values()),
            "tables": rows,
            "blobs": len(manifest.blobs),
            "archived": len(manifest.archived),
            "keys": manifest.keys,
            "keys_sealed": manifest.keys_sealed,
        }


class ArchiveNotWritten(Unavailable):
    """The file of the backup cannot be written."""

    code = "backup.not_written"


async def back_up(settings: Settings, file: Path, passphrase: str | None, say: Say) -> Report:
    """Write everything of an installation into one file, beside a running LinkFlow or without one.

    Args:
        settings: What a person set.
        file: Made; it must not exist.
        passphrase: Seals the keys; without it they lie in the file as they are.
        say: Told what goes on, one line each.

    Raises:
        LinkFlowError: There is no backup; the message says why.
    """
    try:
        return await _write(settings, file, passphrase, say)
    except OSError as error:
        raise ArchiveNotWritten(f"{file} cannot be written: {error.strerror}. There is no backup.") from error


async def _write(settings: Settings, file: Path, passphrase: str | None, say: Say) -> Report:
    with ArchiveWriter(file) as archive:
        progress = Progress(say)
        async with databases_of(settings, say) as databases, source(databases) as there:
            say("reading the database ...")
            for table in there.layout.tables:
                with archive.entry(f"rows/{table.path}") as writing:
                    writing.rows = await there.rows(table, _taking(writing, progress, table))
                progress.table(table, writing.rows)
            layout = there.layout
        say(f"blobs: {await _write_blobs(settings, archive)}")
        keys = _write_keys(settings, archive, passphrase)
        manifest = Manifest(
            format=FORMAT,
            linkflow=__version__,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            layout=layout,
            keys=keys,
            keys_sealed=passphrase is not None and bool(keys),
            entries=archive.entries,
        )
        archive.finish(manifest)
    return Report(file, manifest)


def _taking(
    writing: Writing, progress: Progress, table: Table
) -> Callable[[bytes], Coroutine[Any, Any, None]]:
    """Make the function that takes the pieces of a table."""

    async def take(piece: bytes) -> None:
        progress.piece(table, len(piece))
        writing.add(piece)

    return take


async def _write_blobs(settings: Settings, archive: ArchiveWriter) -> int:
    """Write every large value and every archived history; how many there were."""
    count, store = 0, await open_blobs(settings)
    async for workspace_id, sha256 in store.aged(math.inf):
        try:
            data = await store.get(workspace_id, sha256)
        except NotFound:  # swept just now, because nothing names it
            continue
        with archive.entry(f"blobs/{workspace_id}/{sha256}") as writing:
            writing.add(data)
        count += 1
    for key in await store.keys(""):
        with archive.entry(f"{ARCHIVED}{key}") as writing:
            writing.add(await store.fetch(key))
        count += 1
    return count


def _keys(home: Path) -> Mapping[str, bytes]:
    """Read the keys of an installation."""
    folder = home / "keys"
    files = [path for path in sorted(folder.glob("[!.]*")) if path.is_file()]
    return {path.name: path.read_bytes() for path in files}


def _write_keys(settings: Settings, archive: ArchiveWriter, passphrase: str | None) -> list[str]:
    """Write the keys, sealed when there is a passphrase; their names."""
    found = _keys(settings.home)
    if passphrase is None:
        for name, data in found.items():
            with archive.entry(f"keys/{name}") as writing:
                writing.add(data)
    elif found:
        with archive.entry(SEALED) as writing:
            writing.add(passphrases.seal(msgspec.json.encode(found), passphrase))
    return sorted(found)


async def restore(settings: Settings, file: Path, passphrase: str | None, say: Say, *, force: bool) -> Report:
    """Replace an installation by what a file holds: everything, or nothing when anything is wrong.

    Args:
        settings: What a person set; says where the installation is.
        file: A backup.
        passphrase: Opens the keys.
        say: Told what goes on, one line each.
        force: Whether what the target holds may be replaced.

    Raises:
        ArchiveRefused: The file is damaged or none of ours.
        TargetTaken: The target holds data, and nobody said that it may be replaced.
        LinkFlowError: Nothing was changed; the message says why.
    """
    if is_running(settings.home):
        raise StillRunning(f"A LinkFlow runs on {settings.home}. Stop it first.")
    with opened(file, say) as archive:
        keys = _open_keys(archive, passphrase)
        _require_keys_free(settings.home, keys, force=force)
        if settings.database_url is None:
            postgres = await EmbeddedPostgres.start(settings.home, say=say)
            try:
                await _replace(Databases.at(postgres.dsn), settings, archive, keys, say, force=force)
            finally:
                await postgres.stop()
        else:
            async with databases_of(settings, say) as databases:
                await _replace(databases, settings, archive, keys, say, force=force)
        return Report(file, archive.manifest)


async def _replace(
    databases: Databases,
    settings: Settings,
    archive: ArchiveReader,
    keys: Mapping[str, bytes],
    say: Say,
    *,
    force: bool,
) -> None:
    """Write blobs, which harm nobody, then rows, then keys; then commit."""
    await require_free(databases, force=force)
    store = await open_blobs(settings)
    for name in archive.manifest.blobs:
        _, workspace_id, sha256 = name.split("/")
        if await store.put(workspace_id, archive.read(name)) != sha256:
            raise ArchiveRefused(f"The blob {sha256[:12]}… in the archive is not what its name says.")
    for name in archive.manifest.archived:
        await store.store(name.removeprefix(ARCHIVED), archive.read(name))
    say(f"blobs: {len(archive.manifest.blobs)}, archived histories: {len(archive.manifest.archived)}")
    progress, layout = Progress(say), archive.manifest.layout
    before = _keys(settings.home)

    async def write(here: Filling) -> None:
        for table in here.layout.tables:
            name = f"rows/{table.path}"
            entry = archive.manifest.entries[name]
            found = await here.rows(table, progress.told(table, archive.pieces(name)))
            if found != entry.rows:
                raise CopyBroken(f"{table.path} has {entry.rows} rows and {found} arrived.")
            progress.table(table, found)
        if CONTROL in here.layout.schemas:  # the last to be written; it commits when this returns
            _install_keys(settings.home, keys)

    try:
        await replace(databases, layout, say, write)
    except BaseException:
        for name in _keys(settings.home).keys() - before.keys():
            (settings.home / "keys" / name).unlink()
        _install_keys(settings.home, before)
        raise


def _open_keys(archive: ArchiveReader, passphrase: str | None) -> Mapping[str, bytes]:
    """Read the keys of an archive.

    Raises:
        PassphraseMissing: They are sealed, and no passphrase was given.
        PassphraseWrong: The passphrase is another.
    """
    manifest = archive.manifest
    if not manifest.keys_sealed:
        return {name: archive.read(f"keys/{name}") for name in manifest.keys}
    if passphrase is None:
        raise PassphraseMissing("The keys in this backup are sealed. Name the file with --passphrase-file.")
    opened_keys = passphrases.unseal(archive.read(SEALED), passphrase)
    return msgspec.json.decode(opened_keys, type=dict[str, bytes])


def _require_keys_free(home: Path, keys: Mapping[str, bytes], *, force: bool) -> None:
    """Refuse to replace other keys unless forced."""
    there = _keys(home)
    other = sorted(name for name, data in there.items() if keys.get(name, data) != data)
    if other and not force:
        raise TargetTaken(
            f"{home / 'keys'} holds other keys ({', '.join(other)}). Name an empty LINKFLOW_HOME, "
            "or say --force to replace them."
        )


def _install_keys(home: Path, keys: Mapping[str, bytes]) -> None:
    """Put keys in place, readable to their owner only; what was there is kept beside, once."""
    folder = home / "keys"
    there = _keys(home)
    if any(keys.get(name, data) != data for name, data in there.items()):
        aside = home / "keys.replaced"
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(folder, aside)
        aside.chmod(0o700)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, data in keys.items():
        half = folder / f".{Path(name).name}.half"
        half.touch(mode=0o600)
        half.write_bytes(data)
        half.rename(folder / Path(name).name)
