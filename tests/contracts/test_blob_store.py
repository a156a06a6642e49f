"""Every BlobStore."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio

from linkflow.adapters.blobs import FileBlobStore
from linkflow.adapters.s3 import S3BlobStore
from linkflow.domain.errors import Invalid, Unavailable
from linkflow.testing.fakes import MemoryBlobStore
from linkflow.testing.servers import S3_BUCKET, S3_KEY, S3_SECRET, free_port, start_s3
from linkflow.testing.suites import ArchiveSuite, BlobShelfSuite, BlobStoreSuite


class TestMemory(BlobStoreSuite):
    """The fake of the tests."""

    @pytest.fixture
    def store(self) -> MemoryBlobStore:
        """An empty store."""
        return MemoryBlobStore()


class TestFiles(BlobStoreSuite, BlobShelfSuite, ArchiveSuite):
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


@pytest.mark.external
class TestS3(BlobStoreSuite, BlobShelfSuite, ArchiveSuite):
    """C18r: blobs in a bucket of an S3 server that checks signatures."""

    @pytest_asyncio.fixture
    async def store(self, s3_url: str) -> S3BlobStore:
        """Open the bucket of this run."""
        return await S3BlobStore.open(S3_BUCKET, endpoint=s3_url, key=S3_KEY, secret=S3_SECRET)

    async def test_large_blobs(self, store: S3BlobStore) -> None:
        """C18: a blob beyond the largest node output goes in parts and comes back whole."""
        data = bytes(range(256)) * 50_000

        assert data == await store.get("w1", await store.put("w1", data))

    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            ({"secret": "guessed"}, "LINKFLOW_S3_SECRET"),
            ({"key": "somebody"}, "LINKFLOW_S3_KEY"),
            ({"bucket": "not-made"}, "LINKFLOW_S3_BUCKET"),
            ({"endpoint": f"http://127.0.0.1:{free_port()}"}, "LINKFLOW_S3_ENDPOINT"),
        ],
    )
    async def test_what_is_wrong_is_said(self, s3_url: str, wrong: dict[str, str], named: str) -> None:
        """A bucket that cannot be used is refused at once, and the message names the setting."""
        right = {"bucket": S3_BUCKET, "endpoint": s3_url, "key": S3_KEY, "secret": S3_SECRET}

        with pytest.raises(Unavailable, match=named):
            chosen = right | wrong
            await S3BlobStore.open(
                chosen["bucket"],
                endpoint=chosen["endpoint"],
                key=chosen["key"],
                secret=chosen["secret"],
            )

    async def test_a_server_that_went_away(self) -> None:
        """While the server is away reads and writes say so; a blob is not taken for missing."""
        server = start_s3()
        store = await S3BlobStore.open(S3_BUCKET, endpoint=server.url, key=S3_KEY, secret=S3_SECRET)
        sha256 = await store.put("w1", b"x")
        server.stop()

        for asked in (store.get("w1", sha256), store.put("w1", b"y"), store.keys(""), store.fetch("a")):
            with pytest.raises(Unavailable, match="S3"):
                await asked
