"""The command line signs in to a LinkFlow elsewhere, and works there with keys, members and the audit log."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from linkflow.apps.local_access import LOGIN
from linkflow.testing.control import OWNER, PASSWORD
from linkflow.testing.live import Live


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    exit_code: int
    output: str


async def say(home: Path, *words: str, typed: str = "") -> Said:
    """Run a command in a process of its own, without a terminal."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "linkflow", *words,
        env=os.environ | {"LINKFLOW_HOME": str(home)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    output, _ = await process.communicate(typed.encode())
    assert process.returncode is not None
    return Said(process.returncode, output.decode())


@pytest.mark.timeout(60)
async def test_a_machine_signs_in_elsewhere(live: Live, tmp_path: Path) -> None:
    """Login keeps a key for this machine only; the commands go there until logout."""
    home = tmp_path / "elsewhere"
    before = await say(home, "members", "list")
    signed_in = await say(home, "login", live.address, "--email", OWNER, typed=f"{PASSWORD}\n")
    members = await say(home, "members", "list", "--json")
    audit = await say(home, "audit", "list", "--json", "--action", "apikey.create")
    verified = await say(home, "audit", "verify")
    kept = home / LOGIN
    mode = kept.stat().st_mode & 0o777
    token = json.loads(kept.read_text())["token"]
    out = await say(home, "logout")
    after = await say(home, "members", "list")

    assert [1, 0, 0, 0, 0, 0, 1] == [
        each.exit_code for each in (before, signed_in, members, audit, verified, out, after)
    ], (signed_in.output, members.output, verified.output)
    assert [OWNER] == [each["email"] for each in json.loads(members.output)["data"]]
    assert 1 == len(json.loads(audit.output)["data"])
    assert (0o600, True, False) == (mode, token.startswith("lfk_"), kept.exists())
    assert PASSWORD not in signed_in.output


@pytest.mark.timeout(60)
async def test_keys_and_members_are_managed(live: Live) -> None:
    """Keys are made, listed and removed, members invited, in the LinkFlow of this machine."""
    home = live.home
    (home / "access.json").write_text(
        json.dumps({"url": live.address, "token": live.token, "pid": 0}), encoding="utf-8"
    )
    made = await say(home, "keys", "create", "ci", "--scope", "read", "--days", "1")
    listed = await say(home, "keys", "list", "--json")
    (key,) = json.loads(listed.output)["data"]
    removed = await say(home, "keys", "remove", key["id"], "--json")
    empty = await say(home, "keys", "list", "--json")
    invited = await say(home, "members", "invite", "new@example.com", "--role", "viewer")

    assert [0] * 5 == [each.exit_code for each in (made, listed, removed, empty, invited)], made.output
    assert {"id": key["id"]} == json.loads(removed.output)
    assert (made.output.startswith(key["prefix"]), ["read"]) == (True, key["scopes"])
    assert [] == json.loads(empty.output)["data"]
    assert invited.output.startswith("http")
