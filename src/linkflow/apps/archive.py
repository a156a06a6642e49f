"""The file of a backup: a ZIP archive that says what it holds, and notices when a single bit of it changed.

::

    rows/<schema>.<table>          COPY text
    blobs/<workspace>/<sha256>     large values
    archive/<key>                  closed histories that retention has put aside
    keys/<name>, or keys.sealed    the keys in the clear, or sealed by a passphrase
    manifest.json                  version, layout, and for each entry above its size, rows and SHA-256

The last 64 bytes of the file, the ZIP comment, are the SHA-256 of all bytes before them.
"""

import hashlib
import os
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from linkflow.adapters.sql.copying import Layout
from linkflow.domain.errors import Conflict, Invalid

FORMAT = 1
MANIFEST = "manifest.json"
DIGEST_BYTES = 64
PIECE_BYTES = 1 << 20
LEVEL = 3


class ArchiveRefused(Invalid):
    """The file is no backup that can be restored."""

    code = "backup.archive_refused"


class ArchiveExists(Conflict):
    """A file of this name is there already."""

    code = "backup.archive_exists"


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry: what it holds, unpacked."""

    bytes: int
    sha256: str
    rows: int = 0


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds.

    Attributes:
        format: Of the archive.
        linkflow: Version that wrote it.
        created_at: ISO 8601, UTC.
        layout: Of the database.
        keys: Names of the keys in it.
        keys_sealed: Whether a passphrase is needed for them.
        entries: Everything in it, by name.
    """

    format: int
    linkflow: str
    created_at: str
    layout: Layout
    keys: list[str]
    keys_sealed: bool
    entries: dict[str, Entry]

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        named = ((name.removeprefix("rows/"), entry) for name, entry in self.entries.items())
        return {name: entry.rows for name, entry in named if f"rows/{name}" in self.entries}

    @property
    def blobs(self) -> list[str]:
        """The entries that are blobs."""
        return [name for name in self.entries if name.startswith("blobs/")]

    @property
    def archived(self) -> list[str]:
        """The entries that are archived histories."""
        return [name for name in self.entries if name.startswith("archive/")]


class Writing:
    """An entry being written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self.bytes, self.rows = file, hashlib.sha256(), 0, 0

    def add(self, piece: bytes) -> None:
        """Append a piece."""
        self._digest.update(piece)
        self.bytes += len(piece)
        self._file.write(piece)

    def entry(self) -> Entry:
        """Say what was written."""
        return Entry(bytes=self.bytes, sha256=self._digest.hexdigest(), rows=self.rows)


class ArchiveWriter:
    """Writes an archive beside its final name, and gives it that name once it is whole and on disk."""

    def __init__(self, file: Path) -> None:
        if file.exists():
            raise ArchiveExists(f"{file} is there already. Choose another name, or move it away.")
        self._file = file
        self._half = file.with_name(f".{file.name}.half")
        self._half.unlink(missing_ok=True)
        self.entries: dict[str, Entry] = {}

    def __enter__(self) -> Self:
        handle = os.open(self._half, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._raw = os.fdopen(handle, "w+b")
        self._zip = zipfile.ZipFile(self._raw, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
        return self

    @contextmanager
    def entry(self, name: str) -> Iterator[Writing]:
        """Write one entry."""
        with self._zip.open(name, "w", force_zip64=True) as file:
            writing = Writing(file)
            yield writing
        self.entries[name] = writing.entry()

    def finish(self, manifest: Manifest) -> None:
        """Write what the archive holds, and the digest over everything."""
        self._zip.writestr(MANIFEST, msgspec.json.encode(manifest))
        self._zip.comment = b"0" * DIGEST_BYTES
        self._zip.close()
        end = self._raw.seek(0, os.SEEK_END) - DIGEST_BYTES
        digest = _digest(self._raw, end)
        self._raw.seek(end)
        self._raw.write(digest.encode())
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._half.rename(self._file)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a full disk has said so already
            self._zip.close()
        self._raw.close()
        self._half.unlink(missing_ok=True)


def _digest(file: IO[bytes], end: int) -> str:
    """Hash a file up to a position."""
    digest = hashlib.sha256()
    file.seek(0)
    left = end
    while left > 0 and (piece := file.read(min(left, PIECE_BYTES))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


class ArchiveReader:
    """Reads an archive that is whole; `check` has been through all of it."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._zip = archive
        self.manifest = manifest

    def read(self, name: str) -> bytes:
        """Read an entry at once."""
        return self._zip.read(name)

    async def pieces(self, name: str) -> AsyncIterator[bytes]:
        """Read an entry piece by piece."""
        with self._zip.open(name) as file:
            while piece := file.read(PIECE_BYTES):
                yield piece


@contextmanager
def opened(file: Path, say: Callable[[str], None]) -> Iterator[ArchiveReader]:
    """Open an archive after a look at every byte of it.

    Raises:
        ArchiveRefused: It is damaged, cut short, or none of ours.
    """
    try:
        with file.open("rb") as raw:
            size = raw.seek(0, os.SEEK_END)
            say(f"checking {file} ({size / 1e6:.1f} MB) ...")
            written = _check_whole(file, raw, size)
            with zipfile.ZipFile(raw) as archive:
                manifest = _manifest(file, archive)
                if set(archive.namelist()) != {*manifest.entries, MANIFEST}:
                    raise ArchiveRefused(f"{file} does not hold what its manifest says. Take another backup.")
                for name, entry in manifest.entries.items():
                    _check_entry(file, archive, name, entry)
                say(f"whole: sha256 {written[:16]}…, written by LinkFlow {manifest.linkflow}")
                yield ArchiveReader(archive, manifest)
    except FileNotFoundError:
        raise ArchiveRefused(f"There is no file {file}.") from None
    except zipfile.BadZipFile as error:
        raise ArchiveRefused(f"{file} is damaged ({error}). Take another backup.") from error


def _check_whole(file: Path, raw: IO[bytes], size: int) -> str:
    """Compare the digest over the whole file."""
    raw.seek(0)
    if raw.read(2) != b"PK" or size <= DIGEST_BYTES:
        raise ArchiveRefused(f"{file} is no backup of LinkFlow.")
    found = _digest(raw, size - DIGEST_BYTES)
    raw.seek(size - DIGEST_BYTES)
    if raw.read() != found.encode():
        raise ArchiveRefused(
            f"{file} is damaged: its bytes are not those that were written "
            f"(their SHA-256 is {found}). Nothing was changed. Take another backup."
        )
    return found


def _manifest(file: Path, archive: zipfile.ZipFile) -> Manifest:
    """Read what the archive says it holds."""
    try:
        document = msgspec.json.decode(archive.read(MANIFEST))
        if document.get("format") != FORMAT:
            raise ArchiveRefused(
                f"{file} has format {document.get('format')}, this version reads {FORMAT}. "
                "Use the version that wrote it."
            )
        return msgspec.convert(document, Manifest)
    except (KeyError, msgspec.MsgspecError) as error:
        raise ArchiveRefused(f"{file} is no backup of LinkFlow ({error}).") from error


def _check_entry(file: Path, archive: zipfile.ZipFile, name: str, entry: Entry) -> None:
    """Compare one entry with what the manifest says of it."""
    digest = hashlib.sha256()
    with archive.open(name) as opened_entry:
        while piece := opened_entry.read(PIECE_BYTES):
            digest.update(piece)
    if digest.hexdigest() != entry.sha256:
        raise ArchiveRefused(f"{name} in {file} is damaged. Nothing was changed. Take another backup.")
