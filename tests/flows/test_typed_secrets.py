"""The command line keeps, tries out, replaces, connects and removes credentials; no secret is an argument."""

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from linkflow.apps.cli import app as command_line
from linkflow.apps.local_access import LocalAccess, keep_access
from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

TOKEN, NEXT = "ghp_0123456789abcdef", "ghp_fedcba9876543210"

pytestmark = pytest.mark.timeout(60)


async def say(live: Live, *words: str, typed: str = "") -> Any:
    """Run a command of `linkflow credentials`."""
    keep_access(live.home, LocalAccess(url=live.address, token=live.token, pid=0))
    environment = {"LINKFLOW_HOME": str(live.home)}
    run = partial(CliRunner().invoke, command_line, ["credentials", *words], input=typed, env=environment)
    return await asyncio.to_thread(run)


async def opened(live: Live, name: str) -> Mapping[str, Any]:
    """Open a credential."""
    plane = live.running.plane
    return plane.credentials.opened(
        await plane.records.ledger.credential(live.running.owner.user.workspace_id, name)
    )


async def test_a_secret_is_typed_read_or_piped(live: Live, tmp_path: Path) -> None:
    """What a type needs is asked for unseen, read from a file or from standard input, and never printed."""
    file = tmp_path / "token.txt"
    file.write_text(f"{TOKEN}\n")
    ways: dict[str, list[str]] = {
        "asked": [], "named": ["token"], "file": [f"token=@{file}"], "piped": ["token=-"]
    }  # fmt: skip
    for way, words in ways.items():
        found = await say(live, "add", way, "--type", "github", *words, typed=f"{TOKEN}\n")
        assert (0, False) == (found.exit_code, TOKEN in found.output), found.output
        assert {"token": TOKEN} == await opened(live, way), way


async def test_a_secret_is_no_argument(live: Live) -> None:
    """A secret among the arguments is refused with what to type instead; the rest may stand there."""
    refused = await say(live, "add", "gh", f"token={TOKEN}", "--type", "github")
    listed = await say(live, "list", "--json")
    mixed = await say(live, "add", "me", "username=ann", "--type", "basic_auth", typed=f"{TOKEN}\n")

    assert (1, []) == (refused.exit_code, json.loads(listed.output)["data"])
    assert "token=@FILE" in str(refused.exception)
    assert 0 == mixed.exit_code, mixed.output
    assert {"username": "ann", "password": TOKEN} == await opened(live, "me")


async def test_a_credential_is_tried_replaced_and_removed(live: Live, receiver: Receiver) -> None:
    """`test` ends with 1 until it works, `rotate` replaces the secrets, `remove` takes it away."""
    receiver.answer("/me", Scripted(401, {}), Scripted(200, {}))
    url = f"test_url={receiver.address}/me"
    made = await say(live, "add", "api", url, "--type", "bearer_token", "--json", typed=f"{TOKEN}\n")
    tried = await say(live, "test", "api")
    replaced = await say(live, "rotate", "api", typed=f"{NEXT}\n")
    again = await say(live, "test", "api", "--json")
    sent = [call.headers["authorization"] for call in receiver.to("/me")]
    removed = await say(live, "remove", "api", "--json")
    gone = await say(live, "test", "api")

    assert [0, 1, 0, 0, 0, 1] == [each.exit_code for each in (made, tried, replaced, again, removed, gone)], (
        made.output,
        tried.output,
        replaced.output,
        again.output,
        removed.output,
    )
    assert [f"Bearer {TOKEN}", f"Bearer {NEXT}"] == sent
    assert json.loads(again.output)["works"]
    assert not any(secret in each.output for each in (made, tried, replaced) for secret in (TOKEN, NEXT))


async def test_a_credential_is_connected_from_a_terminal(live: Live, receiver: Receiver) -> None:
    """`connect` shows where to agree and finishes with the address that the browser came back to."""
    answer = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
    receiver.answer("/token", Scripted(200, answer))
    where = [f"authorize_url={receiver.address}/agree", f"token_url={receiver.address}/token"]
    added = await say(
        live, "add", "drive", "--type", "oauth2", "client_id=me", *where, "client_secret", typed="s3cret\n"
    )
    begun = await live.post("/oauth/authorize", {"credential": "drive"})
    state = parse_qs(urlsplit(begun.json["authorization_url"]).query)["state"][0]
    back = f"{live.address}/api/v1/oauth/callback/custom?code=c&state={state}"
    stranger = await live.call("GET", back.removeprefix(live.address), signed_in=False)
    found = await say(live, "connect", "drive", "--json", typed=f"{back}\n")

    assert (0, 400, 0) == (added.exit_code, stranger.status, found.exit_code), (added.output, found.output)
    assert "connect drive" in added.output
    assert "ready" == (await live.get("/credentials/drive")).json["state"]
