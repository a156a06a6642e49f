"""Behind proxies: on whose behalf a trusted neighbour calls. What is no address is not taken for one."""

from starlette.types import ASGIApp, Receive, Scope, Send

from linkflow.domain.forwarding import Trust

SECURE = {"http": "https", "ws": "wss"}


class Behind:
    """Says to an application who really calls.

    Args:
        app: What answers.
        trust: Whose word is taken.
    """

    def __init__(self, app: ASGIApp, trust: Trust) -> None:
        self._app, self._trust = app, trust

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        peer = scope.get("client")
        if scope["type"] in ("http", "websocket") and peer and self._trust.trusts(peer[0]):
            caller = self._trust.caller(peer[0], scope["scheme"], dict(scope["headers"]))
            scope["client"] = (caller.address, peer[1] if caller.address == peer[0] else 0)
            if caller.scheme == "https":
                scope["scheme"] = SECURE.get(scope["scheme"], scope["scheme"])
        await self._app(scope, receive, send)
