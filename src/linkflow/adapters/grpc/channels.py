"""Connections to members: opened when they are used, closed when nobody has the address any more."""

from collections.abc import Callable, Coroutine
from typing import Any

import grpc

from linkflow.adapters.grpc._gen.envelope_pb2 import Frame
from linkflow.adapters.grpc.failures import error_of_call
from linkflow.adapters.grpc.records import Call
from linkflow.adapters.grpc.surface import SERVICES
from linkflow.adapters.grpc.trust import TOKEN, Trust
from linkflow.ports.cluster import Member, Peers

GONE_S = 40.0
"""How long calls to a member that left may still take."""


class Channels:
    """What this process has open to its peers, by address.

    Args:
        peers: Who is there.
        trust: What callers show.
        spawn: Runs something beside.
    """

    def __init__(
        self, peers: Peers, trust: Trust, spawn: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        self._peers, self._trust, self._spawn = peers, trust, spawn
        self._open: dict[str, grpc.aio.Channel] = {}
        self._made: dict[tuple[str, str], Any] = {}

    def __len__(self) -> int:
        """Count open channels."""
        return len(self._open)

    async def ask(self, member: Member, role: str, call: Call, request: Any, deadline_s: float) -> Any:
        """Make a unary call to one member.

        Raises:
            LineCut: It cannot be reached.
            LinkFlowError: What it raised.
        """
        address = member.addresses[role]
        made = self._made.get((address, call.path))
        if made is None:
            made = self._made[address, call.path] = self._of(address).unary_unary(
                call.path,
                request_serializer=call.takes.SerializeToString,
                response_deserializer=call.gives.FromString,
            )
        try:
            reply = await made(request, timeout=deadline_s, metadata=((TOKEN, self._trust.token()),))
        except grpc.aio.AioRpcError as error:
            raise error_of_call(error, f"{role} at {address}") from error
        return call.result(reply)

    def stream(self, address: str, path: str) -> Any:
        """Open a stream of frames."""
        return self._of(address).stream_stream(
            path, request_serializer=Frame.SerializeToString, response_deserializer=Frame.FromString
        )(metadata=((TOKEN, self._trust.token()),))

    def _of(self, address: str) -> grpc.aio.Channel:
        found = self._open.get(address)
        if found is None:
            self._forget_gone()
            found = self._open[address] = self._trust.channel(address)
        return found

    def _forget_gone(self) -> None:
        """Close the channels to addresses that no member has any more; calls under way may end."""
        members = [member for role in SERVICES for member in self._peers.of(role)]
        there = {address for member in members for address in member.addresses.values()}
        for address in [address for address in self._open if address not in there]:
            self._spawn(self._open.pop(address).close(GONE_S))
            for key in [key for key in self._made if key[0] == address]:
                del self._made[key]

    async def close(self) -> None:
        """Close everything."""
        for channel in self._open.values():
            await channel.close()
