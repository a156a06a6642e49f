"""BlobStore and archive on files: one folder per workspace, files named by the SHA-256 of their bytes.

A blob is written to a file of its own name in a temporary form, forced to disk, renamed, and the folder
is forced to disk: after `put` returns it survives a power cut, and no reader ever sees a part of it.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from linkflow.domain.errors import Invalid, NotFound, Unavailable

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_WORKSPACE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class FileBlobStore:
    """Keep blobs below a folder, as `<workspace>/<ab>/<cd>/<sha256>`, and the archive in one beside it.

    The age of a blob is that of its file, which `put` renews.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._archive = folder.parent / "archive"

    async def put(self, workspace_id: str, data: bytes) -> str:
        """Store bytes durably and return their SHA-256; bytes that are there only have their age renewed.

        Raises:
            Unavailable: `blob.unavailable`: the disk does not take them; nothing is kept.
        """
        return await asyncio.to_thread(self._put, workspace_id, data)

    async def get(self, workspace_id: str, sha256: str) -> bytes:
        """Read bytes and check that they are the ones stored.

        Raises:
            NotFound: No such blob in this workspace.
            Unavailable: `blob.damaged`: the file does not hold what was stored.
        """
        return await asyncio.to_thread(self._get, workspace_id, sha256)

    def _put(self, workspace_id: str, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(workspace_id, sha256)
        try:
            if not _renewed(path, len(data)):
                _make_folder(path.parent, self._folder)
                _write(path, data)
        except OSError as error:
            raise Unavailable(
                f"The blob cannot be kept: {error.strerror}.", code="blob.unavailable"
            ) from error
        return sha256

    def _get(self, workspace_id: str, sha256: str) -> bytes:
        if not _SHA256.fullmatch(sha256):
            raise NotFound("A blob is named by 64 lower-case hex digits.", code="blob.not_found")
        path = self._path(workspace_id, sha256)
        try:
            with contextlib.suppress(FileNotFoundError):
                if not path.exists():
                    _aside(path).replace(path)  # a sweep was cut off before it could put it back
            data = path.read_bytes()
        except FileNotFoundError:
            raise NotFound(
                f"There is no blob {sha256[:12]}… in this workspace.", code="blob.not_found"
            ) from None
        except OSError as error:
            raise Unavailable(
                f"The blob cannot be read: {error.strerror}.", code="blob.unavailable"
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Unavailable(f"The blob {sha256[:12]}… is damaged on disk.", code="blob.damaged")
        return data

    async def aged(self, before: float) -> AsyncIterator[tuple[str, str]]:
        """Iterate over blobs last put before an instant; see `BlobShelf`."""
        for workspace in sorted(await asyncio.to_thread(_entries, self._folder)):
            for outer in await asyncio.to_thread(_entries, workspace):
                for sha256 in await asyncio.to_thread(_aged, outer, before):
                    yield workspace.name, sha256

    async def weigh(self) -> Mapping[str, int]:
        """Sum up how large blobs are; see `BlobShelf`."""
        found: dict[str, int] = {}
        for workspace in sorted(await asyncio.to_thread(_entries, self._folder)):
            found[workspace.name] = await asyncio.to_thread(_size, workspace)
        return found

    async def discard(self, workspace_id: str, sha256: str, before: float) -> bool:
        """Delete a blob, unless it was put again; see `BlobShelf`.

        It is put aside first: whoever puts it from then on writes it anew, and whoever did so just before
        shows in its age.
        """
        return await asyncio.to_thread(self._discard, self._path(workspace_id, sha256), before)

    def _discard(self, path: Path, before: float) -> bool:
        aside = _aside(path)
        try:
            path.replace(aside)
            if aside.stat().st_mtime < before:
                aside.unlink()
                return True
            if path.exists():  # written anew meanwhile
                aside.unlink()
            else:
                aside.replace(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unavailable(
                f"The blob cannot be deleted: {error.strerror}.", code="blob.unavailable"
            ) from error
        return False

    async def store(self, key: str, data: bytes) -> None:
        """Keep an object of the archive; see `Archive`."""
        await asyncio.to_thread(self._store, self._place(key), data)

    def _store(self, path: Path, data: bytes) -> None:
        try:
            _make_folder(path.parent, self._archive)
            _write(path, data)
        except OSError as error:
            raise Unavailable(
                f"The archive cannot be written: {error.strerror}.", code="blob.unavailable"
            ) from error

    async def fetch(self, key: str) -> bytes:
        """Read an object of the archive; see `Archive`."""
        try:
            return await asyncio.to_thread(self._place(key).read_bytes)
        except (FileNotFoundError, IsADirectoryError):
            raise NotFound(f"The archive has no {key}.", code="archive.not_found") from None

    async def keys(self, prefix: str) -> Sequence[str]:
        """List keys of the archive; see `Archive`."""
        return await asyncio.to_thread(self._keys, prefix)

    def _keys(self, prefix: str) -> Sequence[str]:
        files = (path for path in self._archive.rglob("*") if path.is_file())
        found = (str(path.relative_to(self._archive)) for path in files if not path.name.startswith("."))
        return sorted(key for key in found if key.startswith(prefix))

    def _place(self, key: str) -> Path:
        if not _KEY.fullmatch(key) or ".." in key:
            raise Invalid("A key of the archive has letters, digits, . _ - and / only.", code="archive.key")
        return self._archive / key

    def _path(self, workspace_id: str, sha256: str) -> Path:
        if not _WORKSPACE.fullmatch(workspace_id):
            raise Invalid("A workspace id has letters, digits, - and _ only.", code="blob.workspace")
        return self._folder / workspace_id / sha256[:2] / sha256[2:4] / sha256


def _renewed(path: Path, size: int) -> bool:
    """Renew the age of a blob; False when it is not there in full and must be written (again)."""
    try:
        if path.stat().st_size != size:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _aside(path: Path) -> Path:
    """Say where a blob lies while it is looked at whether it may go."""
    return path.with_name(f".gone-{path.name}")


def _entries(folder: Path) -> list[Path]:
    """List the folders in a folder."""
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _size(folder: Path) -> int:
    """Sum up the blobs below a folder, bytes."""
    total = 0
    for path in folder.rglob("*"):
        try:
            if _SHA256.fullmatch(path.name):
                total += path.stat().st_size
        except FileNotFoundError:
            continue  # discarded meanwhile
    return total


def _aged(folder: Path, before: float) -> list[str]:
    """List the blobs below a folder whose files are older than an instant."""
    found = []
    for path in folder.rglob("*"):
        try:
            if _SHA256.fullmatch(path.name) and path.stat().st_mtime < before:
                found.append(path.name)
        except FileNotFoundError:
            continue  # discarded meanwhile
    return found


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _make_folder(folder: Path, root: Path) -> None:
    """Make a folder and the ones above it down from the root, each durable."""
    if folder.is_dir():
        return
    if folder != root:
        _make_folder(folder.parent, root)
    folder.mkdir(mode=0o700, parents=folder == root, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
