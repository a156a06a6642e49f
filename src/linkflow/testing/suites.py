"""Contract suites: what every implementation of a port must do. Subclass one and provide its fixture."""

import hashlib

import pytest

from linkflow.domain.errors import NotFound
from linkflow.ports.outbound import BlobStore


class BlobStoreSuite:
    """What every BlobStore must do; provide the fixture `store`."""

    async def test_bytes_come_back(self, store: BlobStore) -> None:
        """Bytes are read back as they were stored, under their SHA-256."""
        data = bytes(range(256)) * 1000

        sha256 = await store.put("w1", data)

        assert (hashlib.sha256(data).hexdigest(), data) == (sha256, await store.get("w1", sha256))

    async def test_the_same_bytes_again(self, store: BlobStore) -> None:
        """Storing the same bytes again is harmless and gives the same name."""
        names = {await store.put("w1", b"x") for _ in range(3)}

        assert len(names) == 1

    async def test_nothing_is_a_value(self, store: BlobStore) -> None:
        """The empty blob can be stored and read."""
        sha256 = await store.put("w1", b"")

        assert await store.get("w1", sha256) == b""

    async def test_workspaces_are_apart(self, store: BlobStore) -> None:
        """A blob of one workspace does not exist in another."""
        sha256 = await store.put("w1", b"secret")

        with pytest.raises(NotFound):
            await store.get("w2", sha256)

    async def test_unknown(self, store: BlobStore) -> None:
        """An unknown name, or one that is no name at all, is not found."""
        for name in ("0" * 64, "../../etc/passwd", ""):
            with pytest.raises(NotFound):
                await store.get("w1", name)
