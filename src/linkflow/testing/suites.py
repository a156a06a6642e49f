"""Contract suites: what every implementation of a port must do. Subclass one and provide its fixture."""

import hashlib
import time
from typing import Any
from uuid import uuid4

import pytest

from linkflow.domain.errors import NotFound
from linkflow.ports.outbound import BlobStore
from linkflow.ports.upkeep import Archive

HOUR_S = 3600.0


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


class BlobShelfSuite:
    """What every BlobShelf must do; provide the fixture `store`, which is a BlobStore and a BlobShelf."""

    async def test_blobs_by_age(self, store: Any) -> None:
        """L7: blobs put before an instant are listed with their workspaces, and no others."""
        one, two = uuid4().hex, uuid4().hex
        put = {(each, await store.put(each, each.encode())) for each in (one, two)}
        soon = {found async for found in store.aged(time.time() + HOUR_S)}
        before = {found async for found in store.aged(time.time() - HOUR_S)}

        assert (put, set()) == (put & soon, put & before)

    async def test_discarding(self, store: Any) -> None:
        """A blob is deleted once, only where it is old enough, and only in its workspace."""
        one, two = uuid4().hex, uuid4().hex
        sha256 = await store.put(one, b"x")
        await store.put(two, b"x")
        long_ago, soon = time.time() - HOUR_S, time.time() + HOUR_S
        gone = [await store.discard(one, sha256, before) for before in (long_ago, soon, soon)]

        assert (gone, await store.get(two, sha256)) == ([False, True, False], b"x")
        with pytest.raises(NotFound):
            await store.get(one, sha256)

    async def test_what_they_weigh(self, store: Any) -> None:
        """B11: the bytes of each workspace's blobs are summed up; the same bytes put twice weigh once."""
        one, two = uuid4().hex, uuid4().hex
        for workspace, data in ((one, b"x" * 1000), (one, b"x" * 1000), (one, b"y" * 30), (two, b"z")):
            await store.put(workspace, data)
        found = await store.weigh()

        assert (found[one], found[two]) == (1030, 1)

    async def test_putting_again_after_discarding(self, store: Any) -> None:
        """A blob that was deleted can be put again."""
        workspace = uuid4().hex
        sha256 = await store.put(workspace, b"x")
        await store.discard(workspace, sha256, time.time() + HOUR_S)
        await store.put(workspace, b"x")

        assert await store.get(workspace, sha256) == b"x"


class ArchiveSuite:
    """What every Archive must do; provide the fixture `store`."""

    async def test_objects_come_back(self, store: Archive) -> None:
        """C17: an object is read as it was kept last, by its key; the archive is no part of the blobs."""
        key = f"executions/{uuid4().hex}/first.jsonl.gz"
        await store.store(key, b"before")
        await store.store(key, bytes(range(256)))

        assert await store.fetch(key) == bytes(range(256))

    async def test_keys_by_prefix(self, store: Archive) -> None:
        """Keys are listed by the beginning of their text, sorted."""
        folder = uuid4().hex
        for name in ("2026_08/b", "2026_08/a", "2026_09/c"):
            await store.store(f"{folder}/{name}", b"x")
        found = [
            await store.keys(f"{folder}{end}") for end in ("/2026_08/", "/2026", "", "/2027", "/2026_08/b")
        ]

        assert [[key.removeprefix(f"{folder}/") for key in keys] for keys in found] == [
            ["2026_08/a", "2026_08/b"],
            ["2026_08/a", "2026_08/b", "2026_09/c"],
            ["2026_08/a", "2026_08/b", "2026_09/c"],
            [],
            ["2026_08/b"],
        ]

    async def test_what_was_never_kept(self, store: Archive) -> None:
        """A key that nothing was kept under is not found."""
        with pytest.raises(NotFound):
            await store.fetch(f"executions/{uuid4().hex}")
