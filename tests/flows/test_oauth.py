"""The life of an API client: made, agreed to, given tokens, renewed, refused, revoked."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from linkflow.control.sign_ins import TOKEN_S
from linkflow.testing.control import OWNER, PASSWORD, Client, Reply, Stage

BACK = "https://app.example.com/back?x=1"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


async def client_of(stage: Stage, **more: Any) -> dict[str, Any]:
    """Make an API client."""
    body = {"name": "App", "redirect_uris": [BACK], "scopes": ["workflow.view", "workflow.execute"]} | more
    made = await stage.client.post("/api/v1/oauth/clients", body)
    assert made.status == 201, made.body
    found: dict[str, Any] = made.json
    return found


def asked(client: dict[str, Any], **more: str) -> dict[str, str]:
    """Say what a client asks of a person."""
    return {
        "client_id": client["client_id"],
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "workflow.view",
        "state": "s1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | more


async def form(stage: Stage, path: str, **fields: str) -> Reply:
    """Send a form."""
    return await stage.stranger.call(
        "POST",
        path,
        raw=urlencode(fields).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )


async def agreed(stage: Stage, client: dict[str, Any], **more: str) -> str:
    """Agree on the page; the code."""
    fields = asked(client) | {"email": OWNER, "password": PASSWORD} | more
    found = await form(stage, "/oauth/authorize", **fields)
    assert found.status == 303, found.body
    back = parse_qs(urlsplit(found.headers["location"]).query)
    assert (["1"], ["s1"]) == (back["x"], back["state"])
    return back["code"][0]


async def exchanged(stage: Stage, client: dict[str, Any], code: str, **more: str) -> Reply:
    """Exchange a code for tokens."""
    fields = {
        "grant_type": "authorization_code",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"] or "",
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    } | more
    return await form(stage, "/oauth/token", **fields)


async def test_a_client_acts_for_whoever_agreed(stage: Stage) -> None:
    """B7: after consent the client's token does what was agreed to in its workspace, and nothing else."""
    client = await client_of(stage)
    tokens = (await exchanged(stage, client, await agreed(stage, client))).json
    app = Client(stage.app, tokens["access_token"])
    statuses = [
        (await app.get("/api/v1/workflows")).status,
        (await app.get("/api/v1/credentials")).status,
        (await app.post("/api/v1/workflows", {"name": "x"})).status,
        (await app.put("/api/v1/user", {"name": "Mallory"})).status,
        (await app.post("/api/v1/auth/tokens", {"name": "more"})).status,
    ]

    assert ("workflow.view", "Bearer", [200, 403, 403, 403, 403]) == (
        tokens["scope"],
        tokens["token_type"],
        statuses,
    )


async def test_the_page_says_who_asks_for_what(stage: Stage) -> None:
    """The consent page names the client, where it lives and what it asks for, escaped and not framed."""
    client = await client_of(stage, name="<b>App</b>")
    found = await stage.stranger.get(f"/oauth/authorize?{urlencode(asked(client))}")
    text = found.body.decode()
    policy = found.headers["content-security-policy"]

    assert (200, True, False, True, True) == (
        found.status,
        "workflow.view" in text and "app.example.com" in text,
        "<b>App" in text,
        "frame-ancestors 'none'" in policy,
        "form-action 'self' https://app.example.com" in policy,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://app.example.com/back?x=1&y=2"},
        {"redirect_uri": "https://evil.example.com/back"},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"scope": "credential.view"},
        {"scope": "*"},
    ],
    ids=str,
)
async def test_what_does_not_fit_is_never_sent_on(stage: Stage, wrong: dict[str, str]) -> None:
    """A request with another address, without PKCE or for too much is told to the person, not redirected."""
    client = await client_of(stage)
    fields = asked(client) | wrong
    looked = await stage.stranger.get(f"/oauth/authorize?{urlencode(fields)}")
    sent = await form(stage, "/oauth/authorize", **(fields | {"email": OWNER, "password": PASSWORD}))

    assert [(400, "oauth.request")] * 2 == [(each.status, each.json["code"]) for each in (looked, sent)]


async def test_only_members_let_a_client_into_a_workspace(stage: Stage) -> None:
    """A foreigner who agrees gives nothing away, and a wrong password gives no code."""
    await stage.stranger.post(
        "/api/v1/auth/register", {"email": "ann@example.com", "password": "battery staple"}
    )
    client = await client_of(stage)
    fields = asked(client)
    foreign = await form(
        stage, "/oauth/authorize", **(fields | {"email": "ann@example.com", "password": "battery staple"})
    )
    wrong = await form(stage, "/oauth/authorize", **(fields | {"email": OWNER, "password": "wrong horse"}))

    assert ((403, "oauth.not_a_member"), 401) == ((foreign.status, foreign.json["code"]), wrong.status)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"redirect_uri": "https://app.example.com/back"}, "invalid_grant"),
        ({"code": "nothing"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
    ids=str,
)
async def test_a_code_alone_is_worth_nothing(stage: Stage, wrong: dict[str, str], error: str) -> None:
    """A code needs the client's secret, the same address and the PKCE verifier; errors are OAuth's own."""
    client = await client_of(stage)
    code = await agreed(stage, client)
    more = {name: value for name, value in wrong.items() if name != "code"}
    found = await exchanged(stage, client, wrong.get("code", code), **more)

    assert (401 if error == "invalid_client" else 400, error) == (found.status, found.json["error"])


async def test_a_code_works_once_and_soon(stage: Stage) -> None:
    """A code that comes twice ends what it gave; one that is older than a minute gives nothing."""
    client = await client_of(stage)
    code = await agreed(stage, client)
    first, second = [await exchanged(stage, client, code) for _ in range(2)]
    app = Client(stage.app, first.json["access_token"])
    late_code = await agreed(stage, client)
    await stage.clock.turn(61)
    late = await exchanged(stage, client, late_code)

    assert (200, 400, 401, 400) == (
        first.status,
        second.status,
        (await app.get("/api/v1/workflows")).status,
        late.status,
    )


async def test_a_refresh_token_of_a_client_works_once_and_for_it(stage: Stage) -> None:
    """A client renews its tokens; a replayed refresh token ends them; another client's renews nothing."""
    client, other = await client_of(stage), await client_of(stage)
    tokens = (await exchanged(stage, client, await agreed(stage, client))).json

    async def renewed(by: dict[str, Any], refresh_token: str) -> Reply:
        return await form(
            stage,
            "/oauth/token",
            grant_type="refresh_token",
            refresh_token=refresh_token,
            client_id=by["client_id"],
            client_secret=by["client_secret"],
        )

    foreign = await renewed(other, tokens["refresh_token"])
    person = await stage.stranger.post("/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    first = await renewed(client, tokens["refresh_token"])
    replayed = await renewed(client, tokens["refresh_token"])
    app = Client(stage.app, first.json["access_token"])

    assert (400, 401, 200, "workflow.view", 400, 401) == (
        foreign.status,
        person.status,
        first.status,
        first.json["scope"],
        replayed.status,
        (await app.get("/api/v1/workflows")).status,
    )


async def test_a_client_acts_by_itself_within_its_scopes(stage: Stage) -> None:
    """Client credentials give a token for the client's workspace without a refresh token; Basic works too."""
    client = await client_of(stage)
    pair = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
    found = await stage.stranger.call(
        "POST",
        "/oauth/token",
        raw=b"grant_type=client_credentials",
        headers={"content-type": "application/x-www-form-urlencoded", "authorization": f"Basic {pair}"},
    )
    app = Client(stage.app, found.json["access_token"])
    public = await client_of(stage, public=True)
    refused = await form(
        stage, "/oauth/token", grant_type="client_credentials", client_id=public["client_id"]
    )

    assert (200, False, "workflow.view workflow.execute", 200, 403, "unauthorized_client") == (
        found.status,
        "refresh_token" in found.json,
        found.json["scope"],
        (await app.get("/api/v1/workflows")).status,
        (await app.get("/api/v1/credentials")).status,
        refused.json["error"],
    )


async def by_itself(stage: Stage, client: dict[str, Any], **more: str) -> Reply:
    """Ask for a token of a client's own."""
    pair = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    return await form(stage, "/oauth/token", grant_type="client_credentials", **pair, **more)


async def test_a_client_that_asks_every_minute_has_one_sign_in(stage: Stage) -> None:
    """However many tokens a client asks for, one sign-in with one audit line is kept, and each holds."""
    client = await client_of(stage)
    rows = "SELECT count(*) FROM control.sign_ins WHERE client_id = $1"
    lines = (
        "SELECT count(*) FROM control.audit_logs JOIN control.sign_ins s ON resource = 'sign-in:' || s.id"
        " WHERE s.client_id = $1 AND action = 'user.sign_in'"
    )
    tokens = []
    for _ in range(10):
        tokens.append((await by_itself(stage, client)).json["access_token"])
        await stage.clock.turn(60)
    first = (await Client(stage.app, tokens[0]).get("/api/v1/workflows")).status
    await by_itself(stage, client, scope="workflow.view")
    await stage.clock.turn(TOKEN_S - 300)
    held = [
        (await Client(stage.app, token).get("/api/v1/workflows")).status for token in (tokens[0], tokens[-1])
    ]

    assert (200, [401, 200]) == (first, held)
    assert (10, 2, 2) == (
        len(set(tokens)),
        await stage.database.pool.fetchval(rows, client["client_id"]),
        await stage.database.pool.fetchval(lines, client["client_id"]),
    )


async def test_a_client_that_gave_its_token_back_gets_another(stage: Stage) -> None:
    """A revoked token is refused from then on, with the others of its sign-in; the next one holds."""
    client = await client_of(stage)
    pair = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    agreed_on = (await exchanged(stage, client, await agreed(stage, client))).json["access_token"]
    first = (await by_itself(stage, client)).json["access_token"]
    await form(stage, "/oauth/revoke", token=first, **pair)
    second = (await by_itself(stage, client)).json["access_token"]
    found = [
        (await Client(stage.app, token).get("/api/v1/workflows")).status
        for token in (first, second, agreed_on)
    ]

    assert [401, 200, 200] == found


async def test_a_public_client_proves_itself_by_pkce(stage: Stage) -> None:
    """A client without a secret gets its tokens by the verifier of its own challenge."""
    client = await client_of(stage, public=True)
    found = await exchanged(stage, client, await agreed(stage, client))

    assert (None, 200) == (client["client_secret"], found.status)


@pytest.mark.parametrize("way", ["revoke", "remove the client", "end the sign-in"])
async def test_tokens_of_a_client_end_at_once(stage: Stage, way: str) -> None:
    """What a client was given ends when it is revoked, when the client goes, or when the person ends it."""
    client = await client_of(stage)
    tokens = (await exchanged(stage, client, await agreed(stage, client))).json
    pair = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    before = (await form(stage, "/oauth/introspect", token=tokens["access_token"], **pair)).json
    match way:
        case "revoke":
            await form(stage, "/oauth/revoke", token=tokens["refresh_token"], **pair)
        case "remove the client":
            await stage.client.delete(f"/api/v1/oauth/clients/{client['client_id']}")
        case "end the sign-in":
            listed = (await stage.client.get("/api/v1/auth/sign-ins")).json["data"]
            mine = next(each for each in listed if each["client_id"] == client["client_id"])
            await stage.client.delete(f"/api/v1/auth/sign-ins/{mine['id']}")
    app = Client(stage.app, tokens["access_token"])

    assert (True, "workflow.view", OWNER, 401) == (
        before["active"],
        before["scope"],
        before["username"],
        (await app.get("/api/v1/workflows")).status,
    )


async def test_introspection_says_nothing_of_strangers(stage: Stage) -> None:
    """What is no token, or one of a workspace that is not the client's, is just inactive."""
    client = await client_of(stage)
    ann = await stage.stranger.post(
        "/api/v1/auth/register", {"email": "ann@example.com", "password": "battery staple"}
    )
    pair = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    found = [
        (await form(stage, "/oauth/introspect", token=token, **pair)).json
        for token in ("nonsense", ann.json["access_token"])
    ]

    assert [{"active": False}] * 2 == found


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("https://app.example.com/back", 201),
        ("http://127.0.0.1:8080/back", 201),
        ("com.example.app:/back", 201),
        ("http://app.example.com/back", 400),
        ("https://app.example.com/back#x", 400),
        ("https://user@app.example.com/", 400),
        ("javascript:alert(1)", 400),
        ("//app.example.com", 400),
    ],
)
async def test_clients_send_people_back_to_safe_places_only(stage: Stage, uri: str, status: int) -> None:
    """A client's address is https, this machine, or an app's own scheme."""
    found = await stage.client.post("/api/v1/oauth/clients", {"name": "App", "redirect_uris": [uri]})

    assert status == found.status


async def test_the_server_describes_itself(stage: Stage) -> None:
    """Every address of the metadata is served, and no secret is in the list of clients."""
    client = await client_of(stage)
    found = (await stage.stranger.get("/.well-known/oauth-authorization-server")).json
    paths = [
        re.sub(r"^https?://[^/]+", "", value)
        for name, value in found.items()
        if name.endswith(("_endpoint", "_uri"))
    ]
    document = (await stage.client.get("/api/openapi.json")).json["paths"]
    listed = await stage.client.get("/api/v1/oauth/clients")

    assert (["S256"], [], False) == (
        found["code_challenge_methods_supported"],
        [path for path in paths if path not in document],
        client["client_secret"].encode() in listed.body,
    )
