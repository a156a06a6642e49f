"""Registering where a mail server is set: the address is confirmed first, and nobody learns who has one."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
import pytest_asyncio

from linkflow.control.oauth import Asked
from linkflow.control.sign_ins import Origin
from linkflow.domain.errors import Unauthenticated
from linkflow.ports.outbound import Mail
from linkflow.testing.control import OWNER, PASSWORD, Reply, Stage

ANN = "ann@example.com"
HORSE = "battery staple"


@pytest_asyncio.fixture
async def mailing(database_dsn: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Open a stage with a mail server; letters stay in its outbox."""
    opened = await Stage.open(database_dsn, tmp_path, smtp_url="smtp://127.0.0.1:9")
    yield opened
    await opened.close()


async def register(stage: Stage, email: str, password: str = HORSE) -> Reply:
    """Register."""
    return await stage.stranger.post("/api/v1/auth/register", {"email": email, "password": password})


async def sign_in(stage: Stage, email: str, password: str = HORSE) -> Reply:
    """Sign in."""
    return await stage.stranger.post("/api/v1/auth/login", {"email": email, "password": password})


async def letters(stage: Stage, to: str) -> list[Mail]:
    """Read the letters to somebody, oldest first."""
    rows = await stage.database.pool.fetch("SELECT id, sealed FROM control.mails ORDER BY created_at, id")
    found = [
        msgspec.msgpack.decode(stage.side.box.open(row["sealed"], f"mail:{row['id']}"), type=Mail)
        for row in rows
    ]
    return [letter for letter in found if letter.to == to]


def link(letter: Mail) -> str:
    """Read the path of a letter's link."""
    found = re.search(r"/api/v1/\S+", letter.text)
    assert found
    return found[0]


async def test_new_and_taken_addresses_are_answered_alike(mailing: Stage) -> None:
    """No user enumeration: the answers are equal byte by byte, and each writes one letter to the address."""
    count = "SELECT count(*) FROM control.mails"
    before = await mailing.database.pool.fetchval(count)
    replies = [await register(mailing, email) for email in (ANN, ANN, OWNER)]
    after = await mailing.database.pool.fetchval(count)

    assert [202] * 3 == [reply.status for reply in replies]
    assert 1 == len({reply.body for reply in replies})
    assert 3 == after - before
    assert ["You have an account already"] == [letter.subject for letter in await letters(mailing, OWNER)]


async def test_an_unconfirmed_address_is_answered_as_a_wrong_password(mailing: Stage) -> None:
    """Nobody learns by signing in whether what they just registered was taken."""
    await register(mailing, ANN)
    replies = [
        await sign_in(mailing, ANN),
        await sign_in(mailing, ANN, "wrong horse"),
        await sign_in(mailing, OWNER),
        await sign_in(mailing, "nobody@example.com"),
    ]

    assert {(401, "access.wrong_password")} == {(reply.status, reply.json["code"]) for reply in replies}
    assert 1 == len({reply.json["detail"] for reply in replies})


async def test_the_link_of_the_letter_lets_in(mailing: Stage) -> None:
    """Once the link was opened, the password that was registered with signs in."""
    await register(mailing, ANN)
    (letter,) = await letters(mailing, ANN)
    await mailing.stranger.get(link(letter))
    found = await sign_in(mailing, ANN)

    assert (200, True) == (found.status, found.json["user"]["email_verified"])


async def in_a_browser(stage: Stage, path: str, password: str = "") -> Reply:
    """Open a letter's link as a browser does, or send the form that it shows."""
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    if not password:
        return await stage.stranger.call("GET", path, headers=browser)
    form = {"content-type": "application/x-www-form-urlencoded"}
    raw = urlencode({"password": password}).encode()
    return await stage.stranger.call("POST", path, raw=raw, headers=browser | form)


async def test_who_clicks_on_a_letter_lets_nobody_else_in(mailing: Stage) -> None:
    """The page of the link confirms with the password only: no stranger's registration becomes real."""
    await register(mailing, ANN, "mallory's horse")
    (letter,) = await letters(mailing, ANN)
    shown = await in_a_browser(mailing, link(letter))
    guessed = await in_a_browser(mailing, link(letter), "what ann would take")
    still_out = await sign_in(mailing, ANN, "mallory's horse")

    assert (200, 401, 401) == (shown.status, guessed.status, still_out.status)
    assert b'type="password"' in shown.body
    assert b"That is not the password." in guessed.body


async def test_the_page_of_the_letter_confirms_with_the_password(mailing: Stage) -> None:
    """Who registered enters the password, signs in, and may open the link again; JSON does it, too."""
    await register(mailing, ANN)
    (letter,) = await letters(mailing, ANN)
    wrong = await mailing.stranger.post(link(letter), {"password": "wrong horse"})
    confirmed = await in_a_browser(mailing, link(letter), HORSE)
    again = await in_a_browser(mailing, link(letter))
    as_json = await mailing.stranger.post(link(letter), {"password": HORSE})
    found = await sign_in(mailing, ANN)

    assert (401, "access.wrong_password") == (wrong.status, wrong.json["code"])
    assert [b"is confirmed" in each.body for each in (confirmed, again)] == [True, True]
    assert (200, {"email": ANN}, 200) == (as_json.status, as_json.json, found.status)


async def test_registering_again_takes_nothing_over(mailing: Stage) -> None:
    """Whoever registers an address again changes nothing of its account; its owner may, by letter."""
    await register(mailing, OWNER, "mallory's horse")
    unchanged = await sign_in(mailing, OWNER, PASSWORD)
    (letter,) = await letters(mailing, OWNER)
    token = link(letter).partition("token=")[2]
    body = {"token": token, "password": "an owner's horse"}
    reset = await mailing.stranger.post("/api/v1/auth/reset-password", body)

    assert [401, 200, 200, 200] == [
        (await sign_in(mailing, OWNER, "mallory's horse")).status,
        unchanged.status,
        reset.status,
        (await sign_in(mailing, OWNER, "an owner's horse")).status,
    ]


@pytest.mark.parametrize("email", [ANN, OWNER])
async def test_what_is_refused_is_refused_alike(mailing: Stage, email: str) -> None:
    """A password that is too short is refused before anybody looks whether the address is taken."""
    found = await register(mailing, email, "short")

    assert (400, "password.too_short") == (found.status, found.json["code"])


async def test_an_unconfirmed_address_agrees_to_no_application(mailing: Stage) -> None:
    """On the page of an application, too, nobody signs in before their address is confirmed."""
    await register(mailing, ANN)
    client = (
        await mailing.client.post(
            "/api/v1/oauth/clients",
            {"name": "App", "redirect_uris": ["https://app.example.com/"], "scopes": ["workflow.view"]},
        )
    ).json
    asked = Asked(
        client_id=client["client_id"],
        redirect_uri="https://app.example.com/",
        response_type="code",
        code_challenge="x" * 43,
        code_challenge_method="S256",
    )
    with pytest.raises(Unauthenticated):
        await mailing.plane.oauth.agree(asked, ANN, HORSE, Origin())
