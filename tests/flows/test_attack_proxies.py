"""Who says on whose behalf they call: proxies that a person trusts, and nobody else."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest

from linkflow.api.app import create_app
from linkflow.apps.serve import Server, http_config
from linkflow.testing.control import OWNER, Stage

HERE = "127.0.0.1"
LOGIN = {"email": OWNER, "password": "wrong horse"}
REAL = "198.51.100.7"


@asynccontextmanager
async def served(stage: Stage, proxies: Sequence[str], public_url: str) -> AsyncIterator[str]:
    """Serve a stage as `linkflow serve` does; gives its address."""
    app = create_app(stage.plane, public_url=public_url)
    with socket.create_server((HERE, 0)) as listener:
        server = Server(http_config(app, proxies))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await server.accepts.wait()
        yield f"http://{HERE}:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def login(address: str, headers: Mapping[str, str]) -> int:
    """Fail to sign in; says the status."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{address}/api/v1/auth/login", json=LOGIN, headers=headers) as answer,
    ):
        return answer.status


async def seen(stage: Stage) -> str:
    """Say from where the last failed sign-in came, as the audit log has it."""
    found = await stage.client.get("/api/v1/audit-logs?action=user.sign_in_failed&limit=1")
    return str(found.json["data"][0]["address"])


@pytest.mark.parametrize(
    ("proxies", "headers", "expected"),
    [
        ((), {"x-forwarded-for": REAL}, HERE),
        (("10.0.0.0/8",), {"x-forwarded-for": REAL}, HERE),
        ((HERE,), {"x-forwarded-for": REAL}, REAL),
        ((HERE,), {"x-forwarded-for": f"6.6.6.6, {REAL}"}, REAL),
        ((HERE,), {"x-forwarded-for": f"{REAL}, {HERE}"}, REAL),
        ((HERE,), {"x-real-ip": REAL, "forwarded": f"for={REAL}", "client-ip": REAL}, HERE),
        ((HERE,), {"x-forwarded-for": "<script>alert(1)</script>"}, HERE),
        ((HERE,), {"x-forwarded-for": "' OR 1=1 --"}, HERE),
        ((HERE,), {"x-forwarded-for": "a" * 4000}, HERE),
        ((HERE,), {"x-forwarded-for": ""}, HERE),
    ],
)
async def test_only_a_trusted_proxy_says_who_calls(
    stage: Stage, proxies: Sequence[str], headers: Mapping[str, str], expected: str
) -> None:
    """The audit log has the address of the caller, whatever headers say; what is none is dropped."""
    async with served(stage, proxies, "https://linkflow.test") as address:
        status = await login(address, headers)

    assert (401, expected) == (status, await seen(stage))


async def test_a_guesser_does_not_escape_by_headers(stage: Stage) -> None:
    """Throttles count the caller: another forged address with each try leads to 429 all the same."""
    async with served(stage, (), "https://linkflow.test") as address:
        statuses = [
            await login(address, {"x-forwarded-for": f"198.51.100.{n}", "x-real-ip": f"198.51.100.{n}"})
            for n in range(11)
        ]

    assert [401] * 10 + [429] == statuses


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:443", "linkflow.test@evil.example", "[::1", ""]
)
async def test_a_forged_host_opens_and_changes_nothing(stage: Stage, host: str) -> None:
    """The Host header neither authorises nor goes into an answer."""
    async with (
        served(stage, (HERE,), "https://linkflow.test") as address,
        aiohttp.ClientSession() as http,
    ):
        headers = {"host": host, "x-forwarded-host": host, "authorization": f"Bearer {stage.client.token}"}
        async with http.get(f"{address}/api/v1/webhooks", headers=headers) as answer:
            status, said = answer.status, str(answer.headers) + await answer.text()

    assert status in (200, 400)
    assert "evil.example" not in said


@pytest.mark.parametrize(
    ("url", "expected"), [("https://linkflow.test", True), ("http://linkflow.test", False)]
)
async def test_cookies_are_secure_where_others_come_by_https(stage: Stage, url: str, expected: bool) -> None:
    """A cookie is marked Secure by the public address, whatever scheme a request says it came by."""
    data = {
        "client_id": "me",
        "client_secret": "s",
        "authorize_url": "https://a.test/a",
        "token_url": "https://a.test/t",
    }
    await stage.client.post("/api/v1/credentials", {"name": "drive", "type": "oauth2", "data": data})
    async with served(stage, (HERE,), url) as address, aiohttp.ClientSession() as http:
        headers = {
            "authorization": f"Bearer {stage.client.token}",
            "x-forwarded-proto": "http" if expected else "https",
        }
        where = f"{address}/api/v1/oauth/authorize"
        async with http.post(where, json={"credential": "drive"}, headers=headers) as answer:
            cookie = answer.headers["set-cookie"]

    assert (expected, True, True) == ("Secure" in cookie, "HttpOnly" in cookie, "SameSite=lax" in cookie)
