"""Probe by SMTP and PostgreSQL; addresses inside are refused unless allowed, as for requests."""

import asyncio
import socket
from collections.abc import Iterable, Mapping
from typing import Literal

from linkflow.domain.address import Guard
from linkflow.domain.errors import ActivityError, Kind
from linkflow.domain.values import Json

TIMEOUT_S = 15.0
SSL: Mapping[str, Literal["disable", "prefer", "require"]] = {
    "disable": "disable",
    "prefer": "prefer",
    "require": "require",
}
"""How a database's connection is protected, by the choice in the credential."""


class GuardedProbe:
    """Connects to what the guard lets through.

    Args:
        allow: As `Guard`.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._guard = Guard(allow)

    async def reach(self, kind: str, fields: Mapping[str, Json]) -> str:
        """Connect, sign in, leave."""
        host, port = str(fields["host"]), _port(fields)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                address = await self._address(host, port)
                if kind == "smtp":
                    return await _smtp(host, address, port, fields)
                return await _postgres(address, port, fields)
        except TimeoutError:
            raise _refused(f"{host}:{port} did not answer within {TIMEOUT_S:g} s.") from None

    async def _address(self, host: str, port: int) -> str:
        """Resolve a host to an address that may be reached."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise _refused(f"{host} is not known: {error.strerror or error}.") from error
        for *_, where in found:
            address = str(where[0])
            if self._guard.allows_name(host, port) or self._guard.allows_address(address, port):
                return address
        raise _refused(f"{host} is inside the network; LINKFLOW_OUTBOUND_ALLOW does not name it.")


async def _smtp(host: str, address: str, port: int, fields: Mapping[str, Json]) -> str:
    """Sign in to a mail server."""
    import aiosmtplib  # noqa: PLC0415  costs 60 ms that most starts save

    security = str(fields.get("security") or "starttls")
    connection = socket.create_connection
    try:
        sock = await asyncio.to_thread(connection, (address, port), TIMEOUT_S)
        sock.setblocking(False)
        client = aiosmtplib.SMTP(
            hostname=host,
            sock=sock,
            use_tls=security == "tls",
            start_tls={"starttls": True, "none": False}.get(security),
            timeout=TIMEOUT_S,
        )
        await client.connect()
        try:
            if fields.get("username"):
                await client.login(str(fields["username"]), str(fields.get("password") or ""))
        finally:
            client.close()
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _refused(f"The mail server says no: {error}") from error
    return "The mail server takes it."


async def _postgres(address: str, port: int, fields: Mapping[str, Json]) -> str:
    """Sign in to a database."""
    import asyncpg  # noqa: PLC0415  as above

    try:
        connection = await asyncpg.connect(
            host=address,
            port=port,
            user=str(fields["username"]),
            password=str(fields["password"]),
            database=str(fields["database"]),
            ssl=SSL[str(fields.get("ssl") or "prefer")],
            timeout=TIMEOUT_S,
        )
        await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise _refused(f"The database says no: {error}") from error
    return "The database takes it."


def _port(fields: Mapping[str, Json]) -> int:
    """Read the port."""
    port = str(fields.get("port") or "")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise _refused(f"{port[:20]!r} is no port; it is a number from 1 to 65535.")
    return int(port)


def _refused(message: str) -> ActivityError:
    """Say that a server cannot be reached, or says no."""
    return ActivityError(message, code="credential.refused", kind=Kind.VALIDATION)
