"""Every BlobStore."""

import asyncio
from pathlib import Path

import pytest

from linkflow.adapters.blobs import FileBlobStore
from linkflow.domain.errors import Invalid, Unavailable
from linkflow.testing.fakes import MemoryBlobStore
from linkflow.testing.suites import BlobStoreSuite


class TestMemory(BlobStoreSuite):
    """The fake of the tests."""

    @pytest.fixture
    def store(self) -> MemoryBlobStore:
        """An empty store."""
        return MemoryBlobStore()


class TestFiles(BlobStoreSuite):
    """Blobs on disk."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> FileBlobStore:
        """A store on an empty folder."""
        return FileBlobStore(tmp_path / "blobs")

    async def test_damage_is_noticed(self, tmp_path: Path, store: FileBlobStore) -> None:
        """Bytes that changed on disk are never handed out."""
        sha256 = await store.put("w1", b"good")
        (file,) = tmp_path.rglob(sha256)
        file.write_bytes(b"evil")

        with pytest.raises(Unavailable, match="damaged"):
            await store.get("w1", sha256)

    async def test_a_blob_cut_short_is_written_again(self, tmp_path: Path, store: FileBlobStore) -> None:
        """Storing bytes whose file was cut short mends the file."""
        sha256 = await store.put("w1", b"good")
        (file,) = tmp_path.rglob(sha256)
        file.write_bytes(b"go")

        await store.put("w1", b"good")

        assert b"good" == await store.get("w1", sha256)

    async def test_writers_at_once(self, tmp_path: Path, store: FileBlobStore) -> None:
        """Many writers of the same bytes leave one whole file and nothing else."""
        names = set(await asyncio.gather(*(store.put("w1", b"x" * 100_000) for _ in range(20))))

        assert names == {path.name for path in tmp_path.rglob("*") if path.is_file()}

    async def test_workspace_is_no_path(self, store: FileBlobStore) -> None:
        """A workspace id cannot lead out of the folder."""
        with pytest.raises(Invalid):
            await store.put("../up", b"x")

    async def test_files_are_private(self, tmp_path: Path, store: FileBlobStore) -> None:
        """Only the owner may read the files."""
        sha256 = await store.put("w1", b"x")
        (file,) = tmp_path.rglob(sha256)

        assert 0 == file.stat().st_mode & 0o077
