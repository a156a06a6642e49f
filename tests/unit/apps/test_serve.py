"""Serving HTTP: who is believed to say on whose behalf a request comes."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from linkflow.apps.serve import http_config


@pytest.mark.parametrize(
    ("peer", "proxies", "seen"),
    [
        ("10.1.0.7", ("10.1.0.0/16",), "203.0.113.9"),
        ("10.2.0.7", ("10.1.0.0/16",), "10.2.0.7"),
        ("127.0.0.1", (), "127.0.0.1"),
    ],
    ids=["trusted", "stranger", "nobody is trusted"],
)
async def test_only_trusted_proxies_say_who_calls(peer: str, proxies: tuple[str, ...], seen: str) -> None:
    """C10: what X-Forwarded-For says counts when an address that the setting names says it."""
    found: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope["client"][0])

    config = http_config(app, proxies)
    config.load()
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"x-forwarded-for", b"203.0.113.9")],
        "client": (peer, 5),
        "server": ("127.0.0.1", 8000),
    }

    async def nothing(*_: Any) -> Any:
        raise AssertionError("the app neither reads nor answers")

    await config.loaded_app(scope, nothing, nothing)

    assert [seen] == found
