"""The life of a credential: typed, sealed, opened with a line in the audit log, tried out, in no answer."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from linkflow.domain.errors import NotFound, Unavailable
from linkflow.testing.control import Stage
from linkflow.testing.receiver import Receiver, Scripted

TOKEN = "tok_live_1234567890"


@pytest_asyncio.fixture
async def reaching(database_dsn: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Open a stage that may call this machine."""
    stage = await Stage.open(database_dsn, tmp_path, outbound_allow=("127.0.0.1",))
    yield stage
    await stage.close()


async def kept(stage: Stage, name: str, kind: str, **data: Any) -> Any:
    """Keep a credential."""
    made = await stage.client.post("/api/v1/credentials", {"name": name, "type": kind, "data": data})
    assert made.status == 201, made.body
    return made.json


async def workspace_of(stage: Stage) -> str:
    """Say the owner's workspace."""
    return str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])


async def test_types_are_listed_with_their_fields(stage: Stage) -> None:
    """J5: every type of the seeds is there, and says which of its fields are secret."""
    found = (await stage.client.get("/api/v1/credential-types")).json["data"]
    secret = {kind["name"]: [f["name"] for f in kind["fields"] if f["secret"]] for kind in found}

    assert ["password"] == secret["basic_auth"]
    assert {
        "api_key", "bearer_token", "basic_auth", "smtp", "slack", "stripe", "github", "google", "twilio",
        "database_mysql", "database_postgres", "oauth2", "custom", "africastalking", "zapier_mcp", "openai",
        "anthropic", "jobsprintApi",
    } <= secret.keys()  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "data", "wrong"),
    [
        ("basic_auth", {"username": "ann"}, {"password": "is missing"}),
        ("smtp", {"host": "h", "security": "maybe"}, {"security": "must be one of starttls, tls, none"}),
        ("bearer_token", {"tokn": "x" * 9, "token": TOKEN}, {"tokn": "did you mean 'token'?"}),
    ],
)
async def test_fields_that_do_not_fit_are_named(
    stage: Stage, kind: str, data: Any, wrong: dict[str, str]
) -> None:
    """A credential whose fields are not those of its type is 400, and every such field is named."""
    found = await stage.client.post("/api/v1/credentials", {"name": "x", "type": kind, "data": data})
    ((name, why),) = wrong.items()

    assert (400, "credential.fields") == (found.status, found.json["code"])
    assert why in found.json["fields"][name]


async def test_changing_a_field_keeps_the_others(stage: Stage) -> None:
    """A password can be replaced without saying the user again, which nobody could look up."""
    made = await kept(stage, "db", "basic_auth", username="ann", password="before")
    await stage.client.put(
        f"/api/v1/credentials/{made['id']}", {"name": "db2", "data": {"password": "after"}}
    )
    found = await stage.side.broker.open(await workspace_of(stage), "db2")

    assert {"username": "ann", "password": "after"} == found


async def test_each_opening_leaves_an_audit_line(stage: Stage) -> None:
    """Whoever looks who used a secret finds each time, for what, and nothing of the secret."""
    made = await kept(stage, "gh", "github", token=TOKEN)
    await stage.side.broker.open(await workspace_of(stage), "gh", "execution:e1:call")
    row = await stage.database.pool.fetchrow(
        "SELECT actor_id, resource, details FROM control.audit_logs WHERE action = 'credential.use'"
    )
    shown = (await stage.client.get("/api/v1/credentials/gh")).json

    assert row is not None
    assert ("worker", f"credential:{made['id']}") == (row["actor_id"], row["resource"])
    assert {"name": "gh", "purpose": "execution:e1:call"} == json.loads(row["details"])
    assert shown["last_used_at"] is not None


@pytest.mark.parametrize("harm", ["bit", "row", "workspace"])
async def test_changed_or_moved_ciphertext_is_refused(stage: Stage, harm: str) -> None:
    """J3: a flipped bit, the bytes of another row, and a row of another workspace stay shut."""
    await kept(stage, "one", "custom", value="the first secret")
    await kept(stage, "two", "custom", value="the second secret")
    workspace_id, pool = await workspace_of(stage), stage.database.pool
    if harm == "bit":
        sealed = bytearray(await pool.fetchval("SELECT sealed FROM control.credentials WHERE name = 'one'"))
        sealed[-1] ^= 1
        await pool.execute("UPDATE control.credentials SET sealed = $1 WHERE name = 'one'", bytes(sealed))
    elif harm == "row":
        await pool.execute(
            "UPDATE control.credentials SET sealed = (SELECT sealed FROM control.credentials"
            " WHERE name = 'two') WHERE name = 'one'"
        )
    else:
        workspace_id = (await stage.client.post("/api/v1/workspaces", {"name": "Other"})).json["id"]
        await pool.execute(
            "UPDATE control.credentials SET workspace_id = $1 WHERE name = 'one'", workspace_id
        )

    with pytest.raises(Unavailable) as refused:
        await stage.side.broker.open(workspace_id, "one")
    assert "secret.unreadable" == refused.value.code


@pytest.mark.parametrize(("status", "works"), [(200, True), (401, False)])
async def test_a_credential_is_tried_out(reaching: Stage, status: int, works: bool) -> None:
    """A trial calls the service with the secret and says how it went, without the secret."""
    async with Receiver.open() as receiver:
        receiver.answer("/me", Scripted(status, TOKEN))
        made = await kept(reaching, "api", "bearer_token", token=TOKEN, test_url=f"{receiver.address}/me")
        found = await reaching.client.post(f"/api/v1/credentials/{made['id']}/test")
        (call,) = receiver.calls

    assert (200, works, f"Bearer {TOKEN}") == (
        found.status, found.json["works"], call.headers["authorization"],
    )  # fmt: skip
    assert TOKEN not in found.body.decode()


async def test_a_trial_reaches_the_database_it_is_for(reaching: Stage) -> None:
    """A PostgreSQL credential signs in to its server; a wrong password is an answer, not an error."""
    url = urlsplit(reaching.database.dsn)
    made = await kept(
        reaching, "pg", "database_postgres", host="127.0.0.1", port=str(url.port or 5432),
        database="no_such_database", username=url.username or "nobody", password=url.password or "none",
        ssl="disable",
    )  # fmt: skip
    found = await reaching.client.post(f"/api/v1/credentials/{made['id']}/test")

    assert (200, False) == (found.status, found.json["works"])
    assert "The database says no" in found.json["message"]


async def test_trials_stay_outside_the_network(stage: Stage) -> None:
    """A trial is no way around the guard: an address inside the network is refused."""
    made = await kept(stage, "in", "bearer_token", token=TOKEN, test_url="http://169.254.169.254/latest")
    mail = await kept(stage, "mail", "smtp", host="127.0.0.1", port="25")
    found = [await stage.client.post(f"/api/v1/credentials/{each['id']}/test") for each in (made, mail)]

    assert [False, False] == [each.json["works"] for each in found]


async def test_secret_variables_are_opened_by_workers_only(stage: Stage) -> None:
    """A secret variable is in no list and in no start; a worker opens it as `credential.vars`."""
    await stage.client.post("/api/v1/variables", {"key": "OPEN", "value": 1})
    await stage.client.post("/api/v1/variables", {"key": "KEY", "value": TOKEN, "is_secret": True})
    listed = await stage.client.get("/api/v1/variables")
    workspace_id = await workspace_of(stage)
    row = await stage.database.pool.fetchrow("SELECT value, sealed FROM control.variables WHERE key = 'KEY'")

    assert row is not None
    assert TOKEN not in listed.body.decode()
    assert TOKEN.encode() not in row["value"] + row["sealed"]
    assert {"OPEN": 1} == await stage.plane.variables.of(workspace_id)
    assert {"KEY": TOKEN} == await stage.side.broker.open(workspace_id, "vars")
    with pytest.raises(NotFound):
        await stage.side.broker.open("another", "vars")
