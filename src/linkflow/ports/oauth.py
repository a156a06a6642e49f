"""Programs of others that act for our users: API clients, and the codes on their way to becoming tokens."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class ApiClient(msgspec.Struct, frozen=True, kw_only=True):
    """A program that may ask people to let it act for them.

    Attributes:
        id: Its `client_id`.
        workspace_id: Where it belongs, and the only workspace its own tokens reach.
        secret_hash: SHA-256 of its secret, hex; empty for a public client, which proves itself by PKCE only.
        redirect_uris: Where people may be sent back to; compared letter by letter.
        scopes: The most it may ask for, see `domain.access`.
        created_by: Whose permissions bound what it does on its own (client credentials).
    """

    id: str
    workspace_id: str
    name: str
    secret_hash: str
    redirect_uris: Sequence[str]
    scopes: Sequence[str]
    created_by: str
    created_at: float


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a person let a client do, on its way to the client as a code.

    Attributes:
        code_hash: SHA-256 of the code, hex.
        challenge: PKCE, S256.
        sign_in_id: The sign-in that the code became; empty until it was used. A second use ends that one.
    """

    code_hash: str
    client_id: str
    user_id: str
    workspace_id: str
    redirect_uri: str
    scopes: Sequence[str]
    challenge: str
    expires_at: float
    sign_in_id: str = ""


class ApiClients(Protocol):
    """API clients and grants."""

    async def add(self, client: ApiClient) -> None:
        """Keep a new client."""
        ...

    async def find(self, client_id: str) -> ApiClient | None:
        """Find a client by its id, in whatever workspace."""
        ...

    async def list(self, workspace_id: str) -> Sequence[ApiClient]:
        """List the clients of a workspace, newest first."""
        ...

    async def delete(self, workspace_id: str, client_id: str) -> None:
        """Remove a client and end every sign-in it was given.

        Raises:
            NotFound: No such client in this workspace.
        """
        ...

    async def forget_grants(self, user_id: str) -> None:
        """Forget what a user let clients do, as far as it became no sign-in yet. Safe to repeat."""
        ...

    async def add_grant(self, grant: Grant) -> None:
        """Keep a grant, and forget those that expired an hour ago."""
        ...

    async def use_grant(self, code_hash: str, sign_in_id: str) -> Grant | None:
        """Turn a code into a sign-in: the grant as it was before, so that an earlier use shows."""
        ...
