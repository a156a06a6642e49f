"""Trying out whether a server takes a sign-in."""

from collections.abc import Mapping
from typing import Protocol

from linkflow.domain.values import Json


class Probe(Protocol):
    """Connects and signs in to servers that do not speak HTTP; same guard as `HttpClient`."""

    async def reach(self, kind: str, fields: Mapping[str, Json]) -> str:
        """Connect, sign in, leave; what the server said, in one line without secrets.

        Args:
            kind: `smtp` or `postgres`.
            fields: Of the credential.

        Raises:
            ActivityError: `credential.refused`: it cannot be reached, or does not take the sign-in.
        """
        ...
