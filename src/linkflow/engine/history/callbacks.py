"""Signed calls out: node and execution ends, told to whoever asked (seeds 000 and 001)."""

from linkflow.domain.callback import signed_headers
from linkflow.domain.errors import LinkFlowError, Unavailable
from linkflow.domain.values import Json, encode_json
from linkflow.ports.clock import Clock
from linkflow.ports.outbound import HttpClient, HttpRequest

TIMEOUT_S = 10.0


class Callbacks:
    """Sends callbacks over HTTP, signed with the installation's secret."""

    def __init__(self, http: HttpClient, secret: str, clock: Clock) -> None:
        self._http = http
        self._secret = secret
        self._clock = clock

    async def send(self, url: str, event: str, body: Json) -> None:
        """Deliver one callback; see `CallbackSender`. The receiver deduplicates by execution and event."""
        data = encode_json(body)
        headers = {
            "Content-Type": "application/json",
            **signed_headers(self._secret, event, data, self._clock.now()),
        }
        request = HttpRequest(method="POST", url=url, headers=headers, body=data, timeout_s=TIMEOUT_S)
        try:
            response = await self._http.send(request)
        except LinkFlowError as error:
            raise Unavailable(f"The callback to {url} failed: {error}") from error
        if response.status >= 300:
            raise Unavailable(f"The callback to {url} was answered with {response.status}.")
