"""The public door: which process takes a request, and what is said when none can."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Protocol

from linkflow.domain.errors import Kind, LinkFlowError, Unavailable


class Outcome(StrEnum):
    """How an upstream did with one request.

    answered: it said something. unreachable: nobody took the connection. broken: it took the request and
    broke off or fell silent. abandoned: the caller left first, which says nothing about it.
    """

    ANSWERED = "answered"
    UNREACHABLE = "unreachable"
    BROKEN = "broken"
    ABANDONED = "abandoned"


class Routing(Protocol):
    """Chooses among the upstreams: processes that serve the API, each by its address `http://host:port`."""

    def addresses(self) -> Sequence[str]:
        """List every upstream that is known, ready or not."""
        ...

    def choose(self, avoid: Collection[str] = ()) -> str | None:
        """Choose one for a request and count it as under way there; None when there is none left.

        Args:
            avoid: Those that were tried already.
        """
        ...

    def done(self, address: str, outcome: Outcome) -> None:
        """Say how the request went that `choose` counted."""
        ...

    def probed(self, address: str, *, is_ready: bool) -> None:
        """Say what an upstream answered when it was asked whether it is ready."""
        ...


class NoUpstream(Unavailable):
    """No process that serves the API is ready."""

    code = "edge.no_upstream"
    retry_after_s = 2.0


class BadGateway(Unavailable):
    """The process that served this request broke off; whether it did its work is not known."""

    code = "edge.bad_gateway"


class GatewayTimeout(Unavailable):
    """The process that serves this request is silent for too long; it may still be at work."""

    code = "edge.timeout"


class RequestSlow(LinkFlowError):
    """The rest of the request did not come in time."""

    code = "edge.request_timeout"
    kind = Kind.TRANSIENT


class SocketRefused(LinkFlowError):
    """The API does not open this WebSocket.

    Attributes:
        status: HTTP status it answered with.
    """

    code = "edge.socket_refused"

    def __init__(self, status: int) -> None:
        super().__init__(f"The API answered the WebSocket with {status}.")
        self.status = status
