"""The life of a secret: sealed at rest, shown to nobody, opened at the moment of use."""

import json

import pytest

from linkflow.domain.callback import signed_headers
from linkflow.domain.errors import NotFound
from linkflow.testing.control import OWNER, PASSWORD, Client, Stage

TOKEN = "tok_live_1234567890"


async def test_a_credential_is_never_shown(stage: Stage) -> None:
    """J5: no answer holds a credential's value, and the database holds it sealed only."""
    made = await stage.client.post("/api/v1/credentials", {"name": "gh", "data": {"token": TOKEN}})
    listed = await stage.client.get("/api/v1/credentials")
    sealed = await stage.database.pool.fetchval("SELECT sealed FROM control.credentials")

    assert (201, False, False) == (
        made.status,
        TOKEN.encode() in made.body + listed.body,
        TOKEN.encode() in sealed,
    )


async def test_a_worker_opens_it_by_name(stage: Stage) -> None:
    """J5: the broker gives the fields to the credential's own workspace and to no other."""
    await stage.client.post("/api/v1/credentials", {"name": "gh", "data": {"token": TOKEN}})
    workspace_id = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]

    with pytest.raises(NotFound):
        await stage.side.broker.open("another", "gh")

    assert {"token": TOKEN} == await stage.side.broker.open(workspace_id, "gh")


async def test_names_are_taken_once(stage: Stage) -> None:
    """Two credentials of one name would make expressions ambiguous: the second is 409."""
    await stage.client.post("/api/v1/credentials", {"name": "gh", "data": {}})
    found = await stage.client.post("/api/v1/credentials", {"name": "gh", "data": {}})

    assert (409, "credential.name_taken") == (found.status, found.json["code"])


async def test_signing_out_ends_the_token_at_once(stage: Stage) -> None:
    """C7: a token is refused as soon as its sign-in has ended, long before it expires."""
    await stage.client.post("/api/v1/auth/logout")
    found = await stage.client.get("/api/v1/auth/me")

    assert 401 == found.status


async def test_addresses_are_trimmed_and_lower_case(stage: Stage) -> None:
    """B2: an e-mail address signs in however it is typed."""
    found = await stage.stranger.post(
        "/api/v1/auth/login", {"email": f"  {OWNER.upper()} ", "password": PASSWORD}
    )

    assert (200, OWNER, 86_400) == (found.status, found.json["user"]["email"], found.json["expires_in"])


async def test_the_owner_is_made_once(stage: Stage) -> None:
    """A second start keeps the owner and the password of the first."""
    again = await stage.plane.accounts.ensure_owner("other@example.com", None, "made up")
    found = await stage.stranger.post("/api/v1/auth/login", {"email": OWNER, "password": PASSWORD})

    assert (OWNER, "", 200) == (again.user.email, again.new_password, found.status)


async def test_only_the_machine_resets_the_owners_password(stage: Stage) -> None:
    """A password is reset by a call signed with LINKFLOW_SECRET, which ends every sign-in; others are 401."""
    body = {"password": "another horse"}
    raw = json.dumps(body).encode()
    headers = dict(signed_headers(stage.side.secret, "owner.reset_password", raw, stage.clock.now()))
    unsigned = await stage.stranger.post("/api/v1/auth/owner-password", body)
    signed = await Client(stage.app).call("POST", "/api/v1/auth/owner-password", raw=raw, headers=headers)
    old = await stage.stranger.post("/api/v1/auth/login", {"email": OWNER, "password": PASSWORD})
    new = await stage.stranger.post("/api/v1/auth/login", {"email": OWNER, "password": "another horse"})

    assert [401, 200, 401, 200] == [each.status for each in (unsigned, signed, old, new)]


@pytest.mark.parametrize("age_s", [0.0, 301.0])
async def test_callbacks_are_believed_when_signed_and_new(stage: Stage, age_s: float) -> None:
    """D36, D37: a callback is taken when LINKFLOW_SECRET signed it within five minutes, else it is 401."""
    raw = b'{"job_id": "1", "status": "completed"}'
    headers = dict(signed_headers(stage.side.secret, "execution.completed", raw, stage.clock.now() - age_s))
    right = await Client(stage.app).call("POST", "/api/v1/jobs/callback", raw=raw, headers=headers)
    changed = await Client(stage.app).call("POST", "/api/jobs/callback", raw=raw + b" ", headers=headers)

    assert (200 if age_s == 0 else 401, 401) == (right.status, changed.status)
