"""The life of a sign-in elsewhere: at a real OpenID Connect provider, and with Puter."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio

from linkflow.testing.control import Client, Reply, Stage
from linkflow.testing.openid import openid_provider
from linkflow.testing.receiver import Receiver, Scripted

ANN = {"sub": "ann-1", "email": "ann@example.com", "email_verified": True, "name": "Ann"}
EVE = {"sub": "eve-1", "email": "ann@example.com", "email_verified": False}
START = "/api/v1/auth/oauth/oidc"


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[str]:
    """Run a provider in a process of its own."""
    async with openid_provider(ANN, EVE) as provider:
        yield provider.address


@pytest_asyncio.fixture
async def sso(issuer: str, database_dsn: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Open a stage whose people may sign in at the provider."""
    stage = await Stage.open(
        database_dsn, tmp_path, oidc_issuer=issuer, oidc_client_id="linkflow", oidc_client_secret="s3cret"
    )
    await stage.clock.turn(time.time() - stage.clock.now())  # what the provider signs holds by its own clock
    yield stage
    await stage.plane.elsewhere.close()
    await stage.close()


async def begun(stage: Stage) -> tuple[str, str]:
    """Begin a sign-in; the provider's address and the browser's cookie."""
    found = await stage.stranger.get(START)
    assert found.status == 302, found.body
    return found.headers["location"], found.headers["set-cookie"].partition(";")[0]


async def consented(address: str, subject: str) -> str:
    """Sign in at the provider as a person would; the path and query that the browser comes back to."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(address, data={"sub": subject}, allow_redirects=False) as reply,
    ):
        back = urlsplit(reply.headers["location"])
    return f"{back.path}?{back.query}"


async def signed_in(stage: Stage, subject: str = "ann-1") -> Reply:
    """Sign in elsewhere from the beginning to the end."""
    address, cookie = await begun(stage)
    return await stage.stranger.get(await consented(address, subject), cookie=cookie)


async def test_somebody_new_gets_an_account(sso: Stage) -> None:
    """B7: whom the provider vouches for gets a verified account, and the same one next time."""
    first, second = await signed_in(sso), await signed_in(sso)
    me = await Client(sso.app, second.json["access_token"]).get("/api/v1/auth/me")

    assert (200, ("ann@example.com", "Ann", "owner"), True) == (
        first.status,
        (me.json["email"], me.json["name"], me.json["role"]),
        first.json["user"] == second.json["user"],
    )


async def test_a_verified_account_is_the_same_person(sso: Stage) -> None:
    """Somebody with a password and a verified address keeps account and password."""
    await sso.stranger.post(
        "/api/v1/auth/register", {"email": "ann@example.com", "password": "battery staple"}
    )
    await sso.database.pool.execute("UPDATE control.users SET verified_at = 1")
    found = await signed_in(sso)
    password = await sso.stranger.post(
        "/api/v1/auth/login", {"email": "ann@example.com", "password": "battery staple"}
    )

    assert (200, password.json["user"]["id"]) == (found.status, found.json["user"]["id"])


async def test_nobody_waits_in_somebody_elses_account(sso: Stage) -> None:
    """Who registered another's address before them loses password, sign-ins and keys when the owner comes."""
    squatter = await sso.stranger.post(
        "/api/v1/auth/register", {"email": "ann@example.com", "password": "battery staple"}
    )
    inside = Client(sso.app, squatter.json["access_token"])
    key = (await inside.post("/api/v1/auth/tokens", {"name": "later"})).json["token"]
    await inside.post("/api/v1/invitations", {"email": "eve@example.com", "role": "admin"})
    found = await signed_in(sso)
    left = await Client(sso.app, found.json["access_token"]).get("/api/v1/invitations")
    by_key = await Client(sso.app, key).get("/api/v1/auth/me")
    old = await Client(sso.app, squatter.json["access_token"]).get("/api/v1/auth/me")
    password = await sso.stranger.post(
        "/api/v1/auth/login", {"email": "ann@example.com", "password": "battery staple"}
    )

    assert (200, 401, 401, 401) == (found.status, old.status, password.status, by_key.status)
    assert [] == left.json["data"]


async def test_an_unverified_address_takes_over_nothing(sso: Stage) -> None:
    """A provider that does not know whether the address is theirs lets nobody in by it."""
    await signed_in(sso)
    found = await signed_in(sso, "eve-1")

    assert (403, "sign_in.no_email") == (found.status, found.json["code"])


@pytest.mark.parametrize("wrong", ["no cookie", "another's cookie", "no state", "old state", "used code"])
async def test_a_return_that_does_not_fit_signs_nobody_in(sso: Stage, wrong: str) -> None:
    """A return without the browser's own cookie, with a strange or old state or a used code is refused."""
    address, cookie = await begun(sso)
    path = await consented(address, "ann-1")
    match wrong:
        case "no cookie":
            cookie = "x=y"
        case "another's cookie":
            _, cookie = await begun(sso)
        case "no state":
            path = path.partition("&state=")[0] if "&state=" in path else path.partition("?")[0] + "?code=x"
        case "old state":
            await sso.clock.turn(601)
        case "used code":
            await sso.stranger.get(path, cookie=cookie)
    found = await sso.stranger.get(path, cookie=cookie)

    assert (401 if wrong == "used code" else 400) == found.status, found.body


async def test_the_browser_gets_a_ticket_and_no_token(sso: Stage) -> None:
    """A browser goes to the editor with a ticket that is exchanged once: no token is in an address."""
    address, cookie = await begun(sso)
    path = await consented(address, "ann-1")
    sent = await sso.stranger.get(path, cookie=cookie, accept="text/html")
    ticket = sent.headers["location"].partition("#sign-in=")[2]
    bodies = [await sso.stranger.post("/api/v1/auth/oauth/exchange", {"ticket": ticket}) for _ in range(2)]

    assert (303, [200, 400], "ann@example.com") == (
        sent.status,
        [body.status for body in bodies],
        bodies[0].json["user"]["email"],
    )


async def test_what_is_asked_of_the_provider_is_bound(sso: Stage) -> None:
    """The request to the provider carries state, nonce and a PKCE challenge."""
    address, _ = await begun(sso)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}

    assert ({"state", "nonce", "code_challenge"}, "S256", "openid email profile", True) == (
        {"state", "nonce", "code_challenge"} & asked.keys(),
        asked["code_challenge_method"],
        asked["scope"],
        asked["redirect_uri"].endswith(f"{START}/callback"),
    )


async def test_services_that_are_not_set_up_are_not_there(stage: Stage) -> None:
    """Without settings there is no service to sign in with, and asking for one is 404."""
    listed = await stage.stranger.get("/api/v1/auth/oauth")
    found = await stage.stranger.get(START)
    puter = await stage.stranger.post("/api/v1/auth/oauth/puter", {"token": "t"})

    assert ([], 404, 404) == (listed.json["data"], found.status, puter.status)


WHOAMI: dict[str, Any] = {
    "uuid": "p-1",
    "username": "ann",
    "email": "ann@example.com",
    "email_confirmed": 1,
    "is_temp": False,
}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, WHOAMI, 200),
        (200, WHOAMI | {"email": None}, 403),
        (200, WHOAMI | {"email_confirmed": 0}, 403),
        (200, WHOAMI | {"is_temp": True}, 401),
        (401, {"code": "token_auth_failed"}, 401),
        (502, None, 503),
    ],
)
async def test_puter_vouches(
    receiver: Receiver, database_dsn: str, tmp_path: Path, status: int, body: Any, expected: int
) -> None:
    """S4:34: a token of Puter signs in whom Puter names with a confirmed address, and nobody else."""
    receiver.answer("/whoami", Scripted(status, body))
    stage = await Stage.open(database_dsn, tmp_path, puter_url=receiver.address)
    found = await stage.stranger.post("/api/v1/auth/oauth/puter", {"token": "t0k3n"})
    await stage.plane.elsewhere.close()
    await stage.close()

    assert (expected, "Bearer t0k3n") == (found.status, receiver.calls[0].headers["authorization"])
