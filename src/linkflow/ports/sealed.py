"""What is sealed in the database, for those who change the keys."""

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

BY_ID = frozenset({"webhook", "subscription", "notification", "approval", "alert"})
"""Kinds whose seal belongs to an id and no workspace."""


class SealedValue(msgspec.Struct, frozen=True):
    """One sealed value.

    Attributes:
        kind: credential, access, refresh, variable, webhook, subscription, notification, approval, alert,
            reply.
        id: Of its row; the key of a variable or a reply.
    """

    kind: str
    id: str
    workspace_id: str
    sealed: bytes

    @property
    def place(self) -> str:
        """What the value belongs to, as it was sealed."""
        named = f"{self.kind}:{self.id}"
        return named if self.kind in BY_ID else f"{named}:{self.workspace_id}"


class SealedRows(Protocol):
    """Every sealed value of the installation."""

    def every(self) -> AsyncIterator[SealedValue]:
        """Iterate over all of them, in no order."""
        ...

    async def replace(self, value: SealedValue, sealed: bytes) -> bool:
        """Put other bytes in place of a value; False when it has changed since, and nothing was written."""
        ...
