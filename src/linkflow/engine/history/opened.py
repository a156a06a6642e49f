"""Large values that decisions read, decoded; kept for a while, because a loop reads its items every turn."""

from collections import OrderedDict

from linkflow.domain.values import Json, decode_json
from linkflow.ports.outbound import BlobStore

MOST_BYTES = 64 * 1024 * 1024


class OpenedBlobs:
    """A bounded cache of decoded blobs by content hash; the least recently fetched goes first.

    Attributes:
        values: What is at hand, for `decide`.
    """

    def __init__(self, blobs: BlobStore, most_bytes: int = MOST_BYTES) -> None:
        self.values: dict[str, Json] = {}
        self._blobs = blobs
        self._most_bytes = most_bytes
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._total = 0

    async def fetch(self, workspace_id: str, sha256: str) -> None:
        """Get a blob to hand.

        Raises:
            NotFound: No such blob in this workspace.
        """
        data = await self._blobs.get(workspace_id, sha256)
        if sha256 in self.values:
            return
        self.values[sha256] = decode_json(data)
        self._sizes[sha256] = len(data)
        self._total += len(data)
        while self._total > self._most_bytes and len(self._sizes) > 1:
            oldest, size = self._sizes.popitem(last=False)
            del self.values[oldest]
            self._total -= size
