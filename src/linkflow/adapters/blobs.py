"""BlobStore on files: one folder per workspace, files named by the SHA-256 of their bytes.

A blob is written to a file of its own name in a temporary form, forced to disk, renamed, and the folder
is forced to disk: after `put` returns it survives a power cut, and no reader ever sees a part of it.
"""

import asyncio
import hashlib
import os
import re
import tempfile
from pathlib import Path

from linkflow.domain.errors import Invalid, NotFound, Unavailable

_SHA256 = re.compile(r"[0-9a-f]{64}")
_WORKSPACE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class FileBlobStore:
    """Keep blobs below a folder, as `<workspace>/<ab>/<cd>/<sha256>`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, workspace_id: str, data: bytes) -> str:
        """Store bytes durably and return their SHA-256; bytes that are there already are not written again.

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
            if not _holds(path, len(data)):
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
        try:
            data = self._path(workspace_id, sha256).read_bytes()
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

    def _path(self, workspace_id: str, sha256: str) -> Path:
        if not _WORKSPACE.fullmatch(workspace_id):
            raise Invalid("A workspace id has letters, digits, - and _ only.", code="blob.workspace")
        return self._folder / workspace_id / sha256[:2] / sha256[2:4] / sha256


def _holds(path: Path, size: int) -> bool:
    """Say whether the blob is there in full; a file cut short by a damaged disk is written again."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


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
