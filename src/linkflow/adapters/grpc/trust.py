"""Who may call: mutual TLS from files, and on every call a token that proves the shared secret."""

import hmac
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc

from linkflow.domain.errors import Invalid

TOKEN = "linkflow-token"  # noqa: S105  the name of the metadata, not a secret
TOKEN_S = 300.0
"""How far the clocks of two members may be apart, and how long a token can be used."""

OPEN_SERVICES = ("/grpc.health.v1.Health/",)
"""What probes may ask without a token."""

OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 4_000),
    ("grpc.http2.ping_timeout_ms", 4_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.so_reuseport", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
"""A peer that does not answer a ping within 4 s is gone; one that comes back is met within a second."""


class InsecureRefused(Invalid):
    """Services talk in the clear only within one machine."""

    code = "tls.required"


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What this process shows, and what it asks of others.

    Attributes:
        secret: LINKFLOW_SECRET; the same everywhere.
        certificate: PEM chain of this process, with `key` and the `authority` that signed every member's.
        name: Which name the certificates of members bear, when it is not the host that is called.
        allow_insecure: Talk in the clear also beyond this machine.
        now: Seconds since 1970.
    """

    secret: str = field(repr=False)
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    authority: bytes = b""
    name: str = ""
    allow_insecure: bool = False
    now: Callable[[], float] = time.time

    @classmethod
    def from_files(
        cls, secret: str, certificate: Path, key: Path, authority: Path, *, name: str = ""
    ) -> Self:
        """Read mutual TLS from PEM files.

        Raises:
            Invalid: A file cannot be read.
        """
        try:
            return cls(
                secret=secret,
                certificate=certificate.read_bytes(),
                key=key.read_bytes(),
                authority=authority.read_bytes(),
                name=name,
            )
        except OSError as error:
            raise Invalid(
                f"A TLS file cannot be read: {error}. Mend the path, or the file's permissions.",
                code="tls.unreadable",
            ) from error

    # ------------------------------------------------------------ tokens

    def token(self) -> str:
        """Make a token: when, and the proof that this process knows the secret."""
        issued = str(int(self.now()))
        return f"v1.{issued}.{self._proof(issued)}"

    def accepts(self, token: str) -> bool:
        """Say whether a token is of somebody who knows the secret, and new enough."""
        version, _, rest = token.partition(".")
        issued, _, proof = rest.partition(".")
        if version != "v1" or not issued.isdecimal() or not issued.isascii():
            return False
        is_fresh = abs(self.now() - int(issued)) <= TOKEN_S
        return hmac.compare_digest(proof.encode(), self._proof(issued).encode()) and is_fresh

    def _proof(self, issued: str) -> str:
        return hmac.digest(self.secret.encode(), f"linkflow service {issued}".encode(), "sha256").hex()

    # ------------------------------------------------------------ connections

    def channel(self, address: str) -> grpc.aio.Channel:
        """Open a channel; it connects when it is used.

        Raises:
            InsecureRefused: The address is beyond this machine, and there is no TLS.
        """
        if not self.certificate:
            self._require_near(address)
            return grpc.aio.insecure_channel(address, options=OPTIONS)
        credentials = grpc.ssl_channel_credentials(self.authority, self.key, self.certificate)
        named = (("grpc.ssl_target_name_override", self.name),) if self.name else ()
        return grpc.aio.secure_channel(address, credentials, options=(*OPTIONS, *named))

    def listen(self, server: grpc.aio.Server, address: str) -> int:
        """Let a server listen; the port, 0 for a Unix socket.

        Raises:
            InsecureRefused: The address is beyond this machine, and there is no TLS.
            Invalid: The address cannot be listened on.
        """
        try:
            if not self.certificate:
                self._require_near(address)
                return server.add_insecure_port(address)
            credentials = grpc.ssl_server_credentials(
                [(self.key, self.certificate)], self.authority, require_client_auth=True
            )
            return server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise Invalid(
                f"Nobody can listen on {address}: {error}. Choose another address.", code="address.refused"
            ) from error

    def _require_near(self, address: str) -> None:
        if not self.allow_insecure and not is_near(address):
            raise InsecureRefused(
                f"{address} is beyond this machine, and there is no TLS: give a certificate, its key and "
                "the authority (LINKFLOW_TLS_CERT, LINKFLOW_TLS_KEY, LINKFLOW_TLS_CA), or say --insecure "
                "when the network itself is trusted."
            )


def is_near(address: str) -> bool:
    """Say whether an address is on this machine: a Unix socket or a loopback address."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Tokens(grpc.aio.ServerInterceptor):
    """Refuses calls that bring no good token."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._refusal: Any = grpc.stream_stream_rpc_method_handler(_refuse)

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Look at the token before anything is done."""
        if not handler_call_details.method.startswith(OPEN_SERVICES):
            given = dict(handler_call_details.invocation_metadata or ())
            token = given.get(TOKEN, "")
            if not isinstance(token, str) or not self._trust.accepts(token):
                return self._refusal
        return await continuation(handler_call_details)


async def _refuse(requests: Any, context: Any) -> None:
    await context.abort(
        grpc.StatusCode.UNAUTHENTICATED,
        "the service token is missing, wrong or older than 5 minutes: "
        "LINKFLOW_SECRET must be the same everywhere, and the clocks must agree",
    )
