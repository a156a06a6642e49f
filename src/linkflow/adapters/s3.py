"""BlobStore and archive in a bucket of an S3 server.

    blobs/<workspace>/<sha256>      large values
    archive/<key>                   closed histories before they are deleted

A put overwrites, also with the same bytes: that costs one request and renews the blob's age, by which a sweep
goes. S3 has no "delete unless it was put again": `discard` looks and deletes in two requests, milliseconds
apart, long after the grace period of a blob that nobody names.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from linkflow.domain.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

TIMEOUT_S = 30.0
TRIES = 3
PROBE = "linkflow-probe"
PAGE = 1000
MISSING = (NotFoundError, FileNotFoundError)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WORKSPACE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class S3BlobStore:
    """Keep blobs and the archive in a bucket; make it with `open`.

    Args:
        store: The bucket.
        place: What to call it in messages.
    """

    def __init__(self, store: "S3Store", place: str) -> None:
        self._store, self._place = store, place

    @classmethod
    async def open(
        cls,
        bucket: str,
        *,
        endpoint: str | None = None,
        key: str | None = None,
        secret: str | None = None,
        region: str = "us-east-1",
        is_path_style: bool = True,
    ) -> Self:
        """Open a bucket, and see by a small object that it can be written and read.

        Args:
            bucket: Its name; it is not made.
            endpoint: Where the server is, such as https://s3.example.com; None for Amazon's.
            key: Access key id; None for what the machine's role or the AWS_ variables say.
            secret: Its secret.
            region: As the server calls it.
            is_path_style: The bucket is in the path and not in the host name.

        Raises:
            Unavailable: `blob.unavailable`: it cannot be used; the message says why and what to set.
        """
        config: S3Config = {"region": region, "virtual_hosted_style_request": not is_path_style}
        if endpoint is not None:
            config["endpoint"] = endpoint
        if key is not None and secret is not None:
            config["access_key_id"], config["secret_access_key"] = key, secret
        client: ClientConfig = {"timeout": timedelta(seconds=TIMEOUT_S), "allow_http": True}
        retry: RetryConfig = {"max_retries": TRIES - 1, "retry_timeout": timedelta(seconds=TIMEOUT_S)}
        opened = cls(
            S3Store(bucket, config=config, client_options=client, retry_config=retry),
            f"the bucket {bucket} at {endpoint or 'Amazon S3'}",
        )
        await opened._probe()
        return opened

    async def _probe(self) -> None:
        """Write, read and delete a small object.

        Raises:
            Unavailable: It cannot be done.
        """
        with self._errors("used"):
            try:
                await obstore.put_async(self._store, PROBE, b"LinkFlow can write here.\n")
                await (await obstore.get_async(self._store, PROBE)).bytes_async()
                await obstore.delete_async(self._store, PROBE)
            except MISSING as error:
                raise Unavailable(
                    f"There is no such bucket: {self._place}. Make it, or look at LINKFLOW_S3_BUCKET.",
                    code="blob.unavailable",
                ) from error

    async def put(self, workspace_id: str, data: bytes) -> str:
        """Store bytes durably and return their SHA-256.

        Raises:
            Unavailable: `blob.unavailable`: the server does not take them.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = _path(workspace_id, sha256)
        with self._errors("written"):
            await obstore.put_async(self._store, path, data)
        return sha256

    async def get(self, workspace_id: str, sha256: str) -> bytes:
        """Read bytes and check that they are the ones stored.

        Raises:
            NotFound: No such blob in this workspace.
            Unavailable: `blob.unavailable`, or `blob.damaged`: the object does not hold what was stored.
        """
        if not _SHA256.fullmatch(sha256):
            raise NotFound("A blob is named by 64 lower-case hex digits.", code="blob.not_found")
        data = await self._read(_path(workspace_id, sha256))
        if data is None:
            raise NotFound(f"There is no blob {sha256[:12]}… in this workspace.", code="blob.not_found")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Unavailable(f"The blob {sha256[:12]}… is damaged in {self._place}.", code="blob.damaged")
        return data

    async def aged(self, before: float) -> AsyncIterator[tuple[str, str]]:
        """Iterate over blobs last put before an instant, as (workspace id, sha256)."""
        with self._errors("listed"):
            async for page in obstore.list(self._store, "blobs/", chunk_size=PAGE):
                for found in page:
                    _, _, name = found["path"].partition("blobs/")
                    workspace_id, _, sha256 = name.partition("/")
                    if found["last_modified"].timestamp() < before and _SHA256.fullmatch(sha256):
                        yield workspace_id, sha256

    async def weigh(self) -> Mapping[str, int]:
        """Sum up how large blobs are, bytes, by workspace id."""
        total: dict[str, int] = {}
        with self._errors("listed"):
            async for page in obstore.list(self._store, "blobs/", chunk_size=PAGE):
                for found in page:
                    workspace_id = found["path"].partition("blobs/")[2].partition("/")[0]
                    total[workspace_id] = total.get(workspace_id, 0) + found["size"]
        return total

    async def discard(self, workspace_id: str, sha256: str, before: float) -> bool:
        """Delete a blob, unless it was put again at or after an instant; whether it was deleted."""
        path = _path(workspace_id, sha256)
        with self._errors("deleted from"):
            try:
                found = await obstore.head_async(self._store, path)
            except MISSING:
                return False
            if found["last_modified"].timestamp() >= before:
                return False
            await obstore.delete_async(self._store, path)
        return True

    async def store(self, key: str, data: bytes) -> None:
        """Keep an object of the archive, in place of one with the same key."""
        with self._errors("written"):
            await obstore.put_async(self._store, f"archive/{key}", data)

    async def fetch(self, key: str) -> bytes:
        """Read an object of the archive."""
        data = await self._read(f"archive/{key}")
        if data is None:
            raise NotFound(f"The archive has no {key}.", code="archive.not_found")
        return data

    async def keys(self, prefix: str) -> Sequence[str]:
        """List the keys of the archive that begin with a prefix, sorted."""
        folder = f"archive/{prefix}".rpartition("/")[0]
        found: list[str] = []
        with self._errors("listed"):
            async for page in obstore.list(self._store, folder, chunk_size=PAGE):
                found += [each["path"].removeprefix("archive/") for each in page]
        return sorted(key for key in found if key.startswith(prefix))

    async def _read(self, path: str) -> bytes | None:
        """Read an object; None where there is none."""
        with self._errors("read"):
            try:
                return bytes(await (await obstore.get_async(self._store, path)).bytes_async())
            except MISSING:
                return None

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        """Turn the client's errors into ours, saying what to look at."""
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise Unavailable(
                f"The S3 server refuses us: {self._place} cannot be {done}. Look at LINKFLOW_S3_KEY, "
                f"LINKFLOW_S3_SECRET and LINKFLOW_S3_REGION. It said: {_first_line(error)}",
                code="blob.unavailable",
            ) from error
        except (BaseError, OSError) as error:
            raise Unavailable(
                f"The S3 server does not answer as it should: {self._place} cannot be {done}. Look at "
                f"LINKFLOW_S3_ENDPOINT and at the server. It said: {_first_line(error)}",
                code="blob.unavailable",
            ) from error


def _path(workspace_id: str, sha256: str) -> str:
    """Say where a blob is."""
    if not _WORKSPACE.fullmatch(workspace_id):
        raise Invalid("A workspace id has letters, digits, - and _ only.", code="blob.workspace")
    return f"blobs/{workspace_id}/{sha256}"


def _first_line(error: Exception) -> str:
    """Say an error in one line."""
    said = str(error).partition("<?xml")[0].strip().partition("\n")[0]
    return said.rstrip(": ")[:300] or type(error).__name__
