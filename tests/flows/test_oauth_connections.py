"""The life of a connected credential, at a real OAuth server in a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio

from linkflow.control.broker import NeedsReauth
from linkflow.domain.errors import Unavailable
from linkflow.testing.control import Client, Reply, Stage
from linkflow.testing.openid import OpenIdProvider, openid_provider

CALLBACK = "/api/v1/oauth/callback/custom"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OpenIdProvider]:
    """Run an OAuth server."""
    async with openid_provider({"sub": "ann"}) as found:
        yield found


@pytest.fixture
def provider(server: OpenIdProvider) -> str:
    """Say the address of the OAuth server."""
    return server.address


@pytest_asyncio.fixture
async def there(provider: str, database_dsn: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Open a stage with a credential that waits to be connected."""
    stage = await Stage.open(database_dsn, tmp_path, outbound_allow=("127.0.0.1",))
    data = {
        "client_id": "linkflow",
        "client_secret": "the client's secret",
        "authorize_url": f"{provider}/oauth2/authorize",
        "token_url": f"{provider}/oauth2/token",
        "scope": "openid",
    }
    made = await stage.client.post("/api/v1/credentials", {"name": "drive", "type": "oauth2", "data": data})
    assert (201, "unconnected") == (made.status, made.json["state"]), made.body
    yield stage
    await stage.close()


async def begun(stage: Stage) -> tuple[str, str]:
    """Begin to connect; the provider's address and the browser's cookie."""
    found = await stage.client.post("/api/v1/oauth/authorize", {"credential": "drive"})
    assert found.status == 200, found.body
    return found.json["authorization_url"], found.headers["set-cookie"].partition(";")[0]


async def consented(address: str) -> str:
    """Agree at the provider as a person would; the query that the browser comes back with."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(address, data={"sub": "ann"}, allow_redirects=False) as reply,
    ):
        return urlsplit(reply.headers["location"]).query


async def connected(stage: Stage) -> Reply:
    """Connect the credential from the beginning to the end."""
    address, cookie = await begun(stage)
    return await stage.stranger.get(f"{CALLBACK}?{await consented(address)}", cookie=cookie)


async def opened(stage: Stage) -> str:
    """Open the credential as a worker does; its access token."""
    workspace_id = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]
    return str((await stage.side.broker.open(workspace_id, "drive"))["access_token"])


async def test_a_credential_is_connected(there: Stage, provider: str) -> None:
    """Consent gives an access token that the provider takes; PKCE and a state are sent along."""
    asked = parse_qs(urlsplit((await begun(there))[0]).query)
    found = await connected(there)
    token = await opened(there)
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{provider}/userinfo", headers={"authorization": f"Bearer {token}"}) as who,
    ):
        subject = (await who.json())["sub"]

    assert (["S256"], 36) == (asked["code_challenge_method"], len(asked["state"][0]))
    assert (200, "ready", "ann") == (found.status, found.json["state"], subject)
    assert token not in found.body.decode()


async def test_tokens_lie_in_envelopes_of_their_own(there: Stage) -> None:
    """J3, J4: access and refresh token are sealed apart; none is readable or opens as the other."""
    await connected(there)
    token = await opened(there)
    row = await there.database.pool.fetchrow("SELECT access, refresh FROM control.credentials")
    assert row is not None
    assert len({bytes(row["access"]), bytes(row["refresh"]), b""}) == 3
    assert token.encode() not in row["access"] + row["refresh"]
    await there.database.pool.execute("UPDATE control.credentials SET access = refresh")

    with pytest.raises(Exception, match="cannot be opened"):
        await opened(there)


@pytest.mark.parametrize("how", ["no cookie", "twice", "other provider", "other user"])
async def test_a_state_is_of_one_browser_and_works_once(there: Stage, how: str) -> None:
    """J2: what comes back without the cookie, twice, for another provider or from another user is 400."""
    address, cookie = await begun(there)
    query = await consented(address)
    match how:
        case "no cookie":
            found = await there.stranger.get(f"{CALLBACK}?{query}")
        case "twice":
            await there.stranger.get(f"{CALLBACK}?{query}", cookie=cookie)
            found = await there.stranger.get(f"{CALLBACK}?{query}", cookie=cookie)
        case "other provider":
            found = await there.stranger.get(f"/api/v1/oauth/callback/google?{query}", cookie=cookie)
        case _:
            body = {key: values[0] for key, values in parse_qs(query).items() if key in ("code", "state")}
            made = await there.stranger.post(
                "/api/v1/auth/register",
                {"email": "eve@example.com", "password": "correct horse", "name": "Eve"},
            )
            assert made.status in (200, 201), made.body
            signed = await there.stranger.post(
                "/api/v1/auth/login", {"email": "eve@example.com", "password": "correct horse"}
            )
            found = await Client(there.app, signed.json["access_token"]).post(CALLBACK, body)

    assert (400, "oauth.stale") == (found.status, found.json["code"]), found.body


async def test_the_user_who_began_finishes_from_anywhere(there: Stage) -> None:
    """A person without the browser's cookie, as on the command line, finishes by being signed in."""
    query = parse_qs(await consented((await begun(there))[0]))
    found = await there.client.post(CALLBACK, {"code": query["code"][0], "state": query["state"][0]})

    assert (200, "ready") == (found.status, found.json["state"])


async def test_of_many_at_once_one_refreshes(there: Stage) -> None:
    """A token that ends soon is replaced once, however many workers open the credential at that moment."""
    await connected(there)
    before = await opened(there)
    await there.database.pool.execute("UPDATE control.credentials SET expires_at = $1", there.clock.now())
    tokens = await asyncio.gather(*(opened(there) for _ in range(8)))
    lines = await there.database.pool.fetchval(
        "SELECT count(*) FROM control.audit_logs WHERE action = 'credential.refresh'"
    )

    assert (1, 1) == (len(set(tokens)), lines)
    assert before not in tokens


async def test_a_withdrawn_consent_is_noticed(there: Stage, provider: str) -> None:
    """When the provider says no, consent is needed again, and the owner gets one letter about it."""
    await connected(there)
    async with aiohttp.ClientSession() as http, http.post(f"{provider}/users/ann/revoke-tokens"):
        pass
    await there.database.pool.execute("UPDATE control.credentials SET expires_at = $1", there.clock.now())
    for _ in range(2):
        with pytest.raises(NeedsReauth):
            await opened(there)
    shown = (await there.client.get("/api/v1/credentials/drive")).json
    letters = await there.database.pool.fetchval("SELECT count(*) FROM control.mails")

    assert ("needs_reauth", 1) == (shown["state"], letters)
    assert (200, "ready") == ((found := await connected(there)).status, found.json["state"])


async def test_a_provider_that_is_away_costs_no_consent(there: Stage, server: OpenIdProvider) -> None:
    """While the provider does not answer, a token that still holds is used, then tasks try again later."""
    await connected(there)
    before = await opened(there)
    server.process.kill()
    await server.process.wait()
    expire = "UPDATE control.credentials SET expires_at = $1"
    await there.database.pool.execute(expire, there.clock.now() + 30)
    still = await opened(there)
    await there.database.pool.execute(expire, there.clock.now())
    with pytest.raises(Unavailable):
        await opened(there)

    assert before == still
    assert "ready" == (await there.client.get("/api/v1/credentials/drive")).json["state"]


async def test_tokens_are_for_one_server(there: Stage) -> None:
    """Another address or client takes the tokens away: they are never sent to a server they are not of."""
    await connected(there)
    wider = await there.client.put("/api/v1/credentials/drive", {"data": {"scope": "openid email"}})
    moved = await there.client.put(
        "/api/v1/credentials/drive", {"data": {"token_url": "http://127.0.0.1:9/token"}}
    )

    assert ["ready", "unconnected"] == [each.json["state"] for each in (wider, moved)]
