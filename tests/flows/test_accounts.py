"""The life of an account: registered, verified, signed in, renewed, forgotten, shut out."""

import re
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from linkflow.adapters.vault import BcryptHasher
from linkflow.ports.vault import PasswordHasher
from linkflow.testing.control import OWNER, PASSWORD, Client, Reply, Stage

ANN = "ann@example.com"
HORSE = "battery staple"


async def registered(stage: Stage, email: str = ANN) -> Client:
    """Register somebody and give a client that is signed in as them."""
    made = await stage.stranger.post("/api/v1/auth/register", {"email": email, "password": HORSE})
    assert made.status == 201, made.body
    return Client(stage.app, made.json["access_token"])


async def letters(stage: Stage) -> list[Message]:
    """Let letters leave, and read those to Ann."""
    while await stage.plane.post.send_due():
        pass
    found = [message_from_bytes(file.read_bytes()) for file in sorted(home(stage).glob("*.eml"))]
    return [letter for letter in found if letter["To"] == ANN]


def home(stage: Stage) -> Path:
    """Say where letters are."""
    return stage.side.settings.home / "mail"


async def link(stage: Stage, part: str) -> str:
    """Read the path of the newest link of a kind out of Ann's letters."""
    texts = [str(letter.get_payload(decode=True), "utf-8") for letter in await letters(stage)]  # type: ignore[arg-type]
    found = [match[0] for text in texts for match in re.finditer(rf"/api/v1/\S*{part}\S*", text)]
    return found[-1]


def sign_in(stage: Stage, password: str, email: str = ANN) -> Any:
    """Sign in."""
    return stage.stranger.post("/api/v1/auth/login", {"email": email, "password": password})


async def test_registering_makes_user_workspace_and_sign_in_as_a_whole(stage: Stage) -> None:
    """B1, B2, B4: one call makes a user with a trimmed address, an own workspace as owner, and tokens."""
    made = await stage.stranger.post(
        "/api/v1/auth/register",
        {"email": f" {ANN.upper()} ", "password": HORSE, "first_name": "Ann", "last_name": "Lee"},
    )
    me = await Client(stage.app, made.json["access_token"]).get("/api/v1/user")

    assert (201, ANN, "Ann Lee", "owner", 86_400) == (
        made.status,
        me.json["email"],
        me.json["name"],
        me.json["role"],
        made.json["expires_in"],
    )


async def test_a_taken_address_leaves_nothing_behind(stage: Stage) -> None:
    """B1: a registration that fails makes neither workspace nor sign-in nor letter."""
    count = (
        "SELECT (SELECT count(*) FROM control.workspaces) + (SELECT count(*) FROM control.sign_ins)"
        " + (SELECT count(*) FROM control.mails)"
    )
    before = await stage.database.pool.fetchval(count)
    found = await stage.stranger.post("/api/v1/auth/register", {"email": OWNER, "password": HORSE})

    assert (409, "user.email_taken", before) == (
        found.status,
        found.json["code"],
        await stage.database.pool.fetchval(count),
    )


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        (ANN, "short", "password.too_short"),
        (ANN, "é" * 37, "password.too_long"),
        ("nobody", HORSE, "email.invalid"),
        ("a@b.c\r\nBcc: x@y.z", HORSE, "email.invalid"),
    ],
)
async def test_what_cannot_be_kept_is_refused(stage: Stage, email: str, password: str, code: str) -> None:
    """B3: a password over 72 bytes, one that is too short, and what is no address are 400 in words."""
    found = await stage.stranger.post("/api/v1/auth/register", {"email": email, "password": password})

    assert (400, code) == (found.status, found.json["code"])


async def test_passwords_are_hashed_anew_when_the_cost_rises(stage: Stage) -> None:
    """C7: a hash of a lower cost is replaced at the next sign-in, and the password stays the same."""
    weak = await BcryptHasher(cost=4).hash(PASSWORD)
    await stage.database.pool.execute("UPDATE control.users SET password_hash = $1", weak)
    replies = [await sign_in(stage, PASSWORD, OWNER) for _ in range(2)]
    kept = await stage.database.pool.fetchval("SELECT password_hash FROM control.users")

    assert ([200, 200], "$2b$10$") == ([reply.status for reply in replies], kept[:7])


async def test_a_letter_verifies_the_address(stage: Stage) -> None:
    """The link of the letter verifies the address of its user, as often as it is opened."""
    ann = await registered(stage)
    path = await link(stage, "verify-email")
    opened = [await stage.stranger.get(path) for _ in range(2)]
    wrong = await stage.stranger.get(path[:-4] + "AAAA")
    found = await sign_in(stage, HORSE)

    assert ([200, 200], 400, True, 200) == (
        [reply.status for reply in opened],
        wrong.status,
        found.json["user"]["email_verified"],
        (await ann.get("/api/v1/auth/me")).status,
    )


async def test_a_letter_sets_a_new_password_once(stage: Stage) -> None:
    """The link of the letter sets a password once, ends every sign-in, and is stale after an hour."""
    ann = await registered(stage)
    await stage.stranger.post("/api/v1/auth/forgot-password", {"email": ANN})
    token = (await link(stage, "reset-password")).partition("token=")[2]
    bodies = [{"token": token, "password": "new horse"}, {"token": token, "password": "newer horse"}]
    first, second = [await stage.stranger.post("/api/v1/auth/reset-password", body) for body in bodies]
    statuses = [(await sign_in(stage, word)).status for word in (HORSE, "new horse", "newer horse")]

    assert (200, 400, "link.stale", 401, [401, 200, 401]) == (
        first.status,
        second.status,
        second.json["code"],
        (await ann.get("/api/v1/auth/me")).status,
        statuses,
    )


async def test_an_old_letter_sets_nothing(stage: Stage) -> None:
    """A link for a new password that is older than an hour is stale, and the form says so."""
    await registered(stage)
    await stage.stranger.post("/api/v1/auth/forgot-password", {"email": ANN})
    token = (await link(stage, "reset-password")).partition("token=")[2]
    await stage.clock.turn(3601)
    found = await stage.stranger.call(
        "POST",
        "/api/v1/auth/reset-password",
        raw=f"token={token}&password=new+horse".encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert (400, "link.stale") == (found.status, found.json["code"])


async def test_nobody_learns_who_has_an_account(stage: Stage) -> None:
    """Asking for a letter is answered alike for a user and for a stranger, and writes as much."""
    await registered(stage)
    replies: list[tuple[Reply, Reply]] = []
    rows = []
    for path in ("forgot-password", "resend-verification-email"):
        pair = []
        for email in (ANN, "stranger@example.com"):
            before = await stage.database.pool.fetchval("SELECT count(*) FROM control.mails")
            pair.append(await stage.stranger.post(f"/api/v1/auth/{path}", {"email": email}))
            rows.append(await stage.database.pool.fetchval("SELECT count(*) FROM control.mails") - before)
        replies.append((pair[0], pair[1]))
    wrong = [await sign_in(stage, "wrong horse", email) for email in (ANN, "stranger@example.com")]

    assert (True, [1, 1, 1, 1], wrong[0].json["detail"]) == (
        all((a.status, a.body) == (b.status, b.body) for a, b in replies),
        rows,
        wrong[1].json["detail"],
    )


async def test_a_refresh_token_works_once(stage: Stage) -> None:
    """A renewed sign-in goes on; its older refresh token, shown again, ends the whole sign-in."""
    first = (await sign_in(stage, PASSWORD, OWNER)).json
    renewed = await stage.stranger.post("/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    client = Client(stage.app, renewed.json["access_token"])
    before = (await client.get("/api/v1/auth/me")).status
    replayed = await stage.stranger.post("/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    heir = await stage.stranger.post("/api/v1/auth/refresh", {"refresh_token": renewed.json["refresh_token"]})

    assert (200, 200, 401, 401, 401) == (
        renewed.status,
        before,
        replayed.status,
        heir.status,
        (await client.get("/api/v1/auth/me")).status,
    )


@pytest.mark.parametrize("token", ["access_token", "refresh_token"])
async def test_tokens_are_good_for_what_they_were_made_for(stage: Stage, token: str) -> None:
    """An access token renews nothing, and a refresh token opens nothing."""
    found = (await sign_in(stage, PASSWORD, OWNER)).json
    renewed = await stage.stranger.post("/api/v1/auth/refresh", {"refresh_token": found[token]})
    opened = await Client(stage.app, found[token]).get("/api/v1/auth/me")

    assert ((401, 200) if token == "access_token" else (200, 401)) == (renewed.status, opened.status)


async def test_tokens_are_verified_with_the_published_key(stage: Stage) -> None:
    """B5, B6: a token names its key, and whoever has the published set reads who it is for and until when."""
    token = (await sign_in(stage, PASSWORD, OWNER)).json["access_token"]
    keys = KeySet.import_key_set((await stage.stranger.get("/.well-known/jwks.json")).json)
    found = jwt.decode(token, keys, algorithms=["Ed25519"])

    assert (True, "at+jwt", 86_400, {"sub", "sid", "jti", "team", "scope", "iss", "aud"}) == (
        bool(found.header["kid"]),
        found.header["typ"],
        found.claims["exp"] - found.claims["iat"],
        found.claims.keys() - {"exp", "iat"},
    )


async def test_an_access_token_ends_after_a_day(stage: Stage) -> None:
    """B5: a token holds for 24 hours."""
    statuses = []
    for pause_s in (86_399, 2):
        await stage.clock.turn(pause_s)
        statuses.append((await stage.client.get("/api/v1/auth/me")).status)

    assert [200, 401] == statuses


async def test_guessing_is_throttled(stage: Stage) -> None:
    """After ten tries within a minute the eleventh is 429 and says when to come back."""
    replies = [await sign_in(stage, "wrong horse", "guessed@example.com") for _ in range(11)]

    assert ([401] * 10, 429, True) == (
        [reply.status for reply in replies[:10]],
        replies[10].status,
        int(replies[10].headers["retry-after"]) >= 1,
    )


async def test_a_new_password_ends_every_other_sign_in(stage: Stage) -> None:
    """Changing the password keeps the sign-in that does it, ends the others, and needs the old one."""
    other = Client(stage.app, (await sign_in(stage, PASSWORD, OWNER)).json["access_token"])
    wrong = await stage.client.post(
        "/api/v1/auth/change-password", {"current_password": "wrong horse", "password": HORSE}
    )
    right = await stage.client.put("/api/v1/user/password", {"current_password": PASSWORD, "password": HORSE})

    assert (400, 204, 200, 401) == (
        wrong.status,
        right.status,
        (await stage.client.get("/api/v1/auth/me")).status,
        (await other.get("/api/v1/auth/me")).status,
    )


async def test_sign_ins_are_listed_and_ended(stage: Stage) -> None:
    """A person sees where they are signed in, and ends one from another."""
    other = (await sign_in(stage, PASSWORD, OWNER)).json["access_token"]
    listed = (await stage.client.get("/api/v1/auth/sign-ins")).json["data"]
    strange = next(each["id"] for each in listed if not each["is_current"])
    ended = await stage.client.delete(f"/api/v1/auth/sign-ins/{strange}")

    assert (2, 204, 401) == (
        len(listed),
        ended.status,
        (await Client(stage.app, other).get("/api/v1/auth/me")).status,
    )


async def test_a_banned_user_is_out_at_once(stage: Stage) -> None:
    """C7: a ban ends sign-ins and keys at once and refuses new ones; only the operator bans."""
    ann = await registered(stage)
    key = (await ann.post("/api/v1/auth/tokens", {"name": "ci"})).json["token"]
    ann_id = (await ann.get("/api/v1/auth/me")).json["id"]
    mutiny = await ann.post(f"/api/v1/users/{ann_id}/ban")
    await stage.client.post(f"/api/v1/users/{ann_id}/ban")
    out = [
        (await ann.get("/api/v1/auth/me")).status,
        (await Client(stage.app, key).get("/api/v1/auth/me")).status,
        (await sign_in(stage, HORSE)).status,
    ]
    await stage.client.post(f"/api/v1/users/{ann_id}/unban")

    assert (403, [401, 401, 401], 200) == (mutiny.status, out, (await sign_in(stage, HORSE)).status)


async def test_a_key_is_shown_once_and_kept_as_a_hash(stage: Stage) -> None:
    """B7: a key signs in for programs, is shown when it is made, and is nowhere in the database."""
    made = (await stage.client.post("/api/v1/auth/tokens", {"name": "ci", "expires_in": 3600})).json
    listed = await stage.client.get("/api/v1/auth/tokens")
    kept = await stage.database.pool.fetchval("SELECT k::text FROM control.api_keys AS k")
    client = Client(stage.app, made["token"])
    used = (await client.get("/api/v1/auth/me")).status
    await stage.clock.turn(3601)

    assert (200, False, False, made["prefix"], 401) == (
        used,
        made["token"] in kept,
        made["token"].encode() in listed.body,
        made["token"][:12],
        (await client.get("/api/v1/auth/me")).status,
    )


async def test_a_key_does_what_its_scopes_say(stage: Stage) -> None:
    """A key for reading reads and changes nothing; no key changes the account or makes another key."""
    made = (await stage.client.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["read"]})).json
    client = Client(stage.app, made["token"])
    replies = [
        await client.get("/api/v1/workflows"),
        await client.post("/api/v1/workflows", {"name": "x"}),
        await client.post("/api/v1/auth/tokens", {"name": "another"}),
        await client.put("/api/v1/user", {"name": "Mallory"}),
        await stage.client.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["sudo"]}),
    ]

    assert [200, 403, 403, 403, 400] == [reply.status for reply in replies]


async def test_a_removed_key_is_refused_at_once(stage: Stage) -> None:
    """A key stops working in the moment it is removed, and its last use was noted."""
    made = (await stage.client.post("/api/v1/auth/tokens", {"name": "ci"})).json
    client = Client(stage.app, made["token"])
    before = (await client.get("/api/v1/workflows")).status
    listed = (await stage.client.get("/api/v1/auth/tokens")).json["data"][0]
    await stage.client.delete(f"/api/v1/auth/tokens/{made['id']}")

    assert (200, True, 401) == (
        before,
        listed["last_used_at"] is not None,
        (await client.get("/api/v1/workflows")).status,
    )


async def test_a_closed_account_is_gone(stage: Stage) -> None:
    """Closing an account ends its sign-ins and frees the address; the operator stays."""
    ann = await registered(stage)
    gone = await ann.call("DELETE", "/api/v1/user", {"password": HORSE})
    operator = await stage.client.call("DELETE", "/api/v1/user", {"password": PASSWORD})

    assert (204, 401, 409, 401) == (
        gone.status,
        (await ann.get("/api/v1/auth/me")).status,
        operator.status,
        (await sign_in(stage, HORSE)).status,
    )
    await registered(stage)


class Interrupting:
    """A hasher during whose work something else happens."""

    def __init__(self, hasher: PasswordHasher, meanwhile: Callable[[], Awaitable[Any]]) -> None:
        self._hasher, self._meanwhile = hasher, meanwhile

    async def hash(self, password: str) -> str:
        """Hash, and let the other thing happen."""
        await self._meanwhile()
        return await self._hasher.hash(password)

    def __getattr__(self, name: str) -> Any:
        """Do everything else as before."""
        return getattr(self._hasher, name)


def banning(stage: Stage, user_id: str) -> Callable[[], Awaitable[Reply]]:
    """Say how the operator bans somebody."""
    return lambda: stage.client.post(f"/api/v1/users/{user_id}/ban")


async def test_a_ban_during_a_change_of_password_stays(stage: Stage) -> None:
    """Whoever is banned while their new password is hashed stays banned."""
    ann = await registered(stage)
    ann_id = (await ann.get("/api/v1/auth/me")).json["id"]
    accounts = stage.plane.accounts
    accounts._hasher = Interrupting(
        accounts._hasher, lambda: stage.client.post(f"/api/v1/users/{ann_id}/ban")
    )
    changed = await ann.post(
        "/api/v1/auth/change-password", {"current_password": HORSE, "password": "new horse"}
    )

    assert changed.status < 300
    assert [401, 401] == [(await sign_in(stage, word)).status for word in (HORSE, "new horse")]


async def test_a_ban_while_a_password_is_hashed_anew_stays(stage: Stage) -> None:
    """Whoever is banned while their password is hashed at today's cost stays banned."""
    ann = await registered(stage)
    ann_id = (await ann.get("/api/v1/auth/me")).json["id"]
    await stage.database.pool.execute(
        "UPDATE control.users SET password_hash = $1 WHERE id = $2",
        await BcryptHasher(cost=4).hash(HORSE),
        ann_id,
    )
    sign_ins = stage.plane.sign_ins
    sign_ins._hasher = Interrupting(
        sign_ins._hasher, lambda: stage.client.post(f"/api/v1/users/{ann_id}/ban")
    )
    found = [(await sign_in(stage, HORSE)).status for _ in range(2)]

    assert 401 == found[1]


async def test_nobody_waits_in_an_account_whose_owner_shows_up(stage: Stage) -> None:
    """Members, invitations, API clients and subscriptions that a squatter left are of no use any more."""
    squatter = await registered(stage)
    me = (await squatter.get("/api/v1/auth/me")).json
    there = f"/api/v1/workspaces/{me['workspace_id']}"
    eve = await registered(stage, "eve@example.com")
    eve_id = (await eve.get("/api/v1/auth/me")).json["id"]
    app = {"name": "App", "scopes": ["workflow.view"], "redirect_uris": ["https://eve.example/back"]}
    client = (await squatter.post("/api/v1/oauth/clients", app)).json
    asked = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    open_one, accepted = [
        (await squatter.post("/api/v1/invitations", {"email": email, "role": "admin"})).json["link"]
        for email in ("mallory@example.com", "eve@example.com")
    ]
    joined = await eve.post(f"/api/v1/invitations/{accepted.rpartition('/')[2]}/accept")
    await squatter.put(f"{there}/members/{eve_id}", {"role": "owner"})
    eve_key = (await eve.post(f"{there}/auth/tokens", {"name": "later"})).json["token"]
    told = await eve.post(
        f"{there}/webhook-subscriptions", {"url": "https://eve.example/hook", "events": ["*"]}
    )
    before = await by_itself(stage, asked)
    await stage.stranger.post("/api/v1/auth/forgot-password", {"email": ANN})
    demoted = await eve.put(f"{there}/members/{me['id']}", {"role": "viewer"})
    token = (await link(stage, "reset-password")).partition("token=")[2]
    await stage.stranger.post("/api/v1/auth/reset-password", {"token": token, "password": "new horse"})
    ann = Client(stage.app, (await sign_in(stage, "new horse")).json["access_token"])
    found = [
        (await eve.get(f"{there}/workflows")).status,
        (await Client(stage.app, eve_key).get("/api/v1/auth/me")).status,
        (await Client(stage.app, before.json["access_token"]).get("/api/v1/workflows")).status,
        (await by_itself(stage, asked)).status,
        (await stage.stranger.get(f"/api/v1/invitations/{open_one.rpartition('/')[2]}")).status,
    ]
    members = (await ann.get("/api/v1/members")).json["data"]
    (subscription,) = (await ann.get("/api/v1/webhook-subscriptions")).json["data"]

    assert (200, 200, 201, 200) == (joined.status, demoted.status, told.status, before.status)
    assert [404, 401, 401, 401, 404] == found
    assert [(me["id"], "owner")] == [(each["user_id"], each["role"]) for each in members]
    assert not subscription["is_active"]


async def by_itself(stage: Stage, client: dict[str, str]) -> Reply:
    """Ask for the token of an API client that acts by itself."""
    return await stage.stranger.call(
        "POST",
        "/oauth/token",
        raw=urlencode({"grant_type": "client_credentials", **client}).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )


async def test_who_showed_that_an_address_is_theirs_keeps_everything(stage: Stage) -> None:
    """A new password by letter takes no member away where the address was verified before."""
    ann = await registered(stage)
    await stage.stranger.get(await link(stage, "verify-email"))
    home_path = f"/api/v1/workspaces/{(await ann.get('/api/v1/auth/me')).json['workspace_id']}"
    bob = await registered(stage, "bob@example.com")
    made = (await ann.post("/api/v1/invitations", {"email": "bob@example.com", "role": "member"})).json[
        "link"
    ]
    await bob.post(f"/api/v1/invitations/{made.rpartition('/')[2]}/accept")
    await stage.stranger.post("/api/v1/auth/forgot-password", {"email": ANN})
    token = (await link(stage, "reset-password")).partition("token=")[2]
    await stage.stranger.post("/api/v1/auth/reset-password", {"token": token, "password": "new horse"})

    assert 200 == (await bob.get(f"{home_path}/workflows")).status


async def test_keys_end_when_the_owner_of_an_address_shows_up(stage: Stage) -> None:
    """Who registered somebody else's address keeps no key once its owner sets a password by letter."""
    squatter = await registered(stage)
    key = (await squatter.post("/api/v1/auth/tokens", {"name": "later"})).json["token"]
    await stage.stranger.post("/api/v1/auth/forgot-password", {"email": ANN})
    token = (await link(stage, "reset-password")).partition("token=")[2]
    await stage.stranger.post("/api/v1/auth/reset-password", {"token": token, "password": "new horse"})

    assert 401 == (await Client(stage.app, key).get("/api/v1/auth/me")).status
