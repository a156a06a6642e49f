"""What is left of twenty secrets after a workflow has used them all: nothing that anybody could read."""

import base64
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from linkflow import telemetry
from linkflow.apps.settings import secrets_of
from linkflow.testing.live import Live, settings_of, started
from linkflow.testing.receiver import Receiver, Scripted

SECRETS = [f"s3cr3t-{number:02d}-{'abcdefghij'[number % 10] * 12}" for number in range(20)]
MARK = "a mark that everybody may see"
EVERY_TABLE = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('control', 'engine')
"""


@pytest.fixture
def logged() -> Iterator[None]:
    """Give the next test the logging it expects."""
    before = structlog.get_config()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    structlog.configure(**before)
    telemetry.set_level("debug")
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


@pytest_asyncio.fixture
async def echoing(logged: None, database_dsn: str, tmp_path: Path) -> AsyncIterator[Live]:
    """Run a LinkFlow that logs all it can."""
    settings = replace(settings_of(database_dsn, tmp_path / "home"), access_log=True)
    telemetry.set_up("debug", as_json=True, secrets=secrets_of(settings))
    async with started(settings) as live:
        yield live


def forms(text: str) -> set[bytes]:
    """Say how a text may stand in a dump: as it is, in hexadecimal (a bytea), in Base64."""
    plain = text.encode()
    return {plain, plain.hex().encode(), base64.b64encode(plain).rstrip(b"=")[:-1]}


async def dump(live: Live) -> bytes:
    """Write every row of every table as text, as pg_dump does."""
    pool, rows = live.running.database.pool, []
    for (table,) in await pool.fetch(EVERY_TABLE):
        rows += [row[0] for row in await pool.fetch(f"SELECT t::text FROM {table} AS t")]
    return "\n".join(rows).encode()


async def test_twenty_secrets_leave_no_trace(
    echoing: Live, receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nodes send 20 secrets to a server that echoes them; no dump, log, file, view or export holds one."""
    live, nodes, edges = echoing, [], []
    for number, secret in enumerate(SECRETS):
        status = 500 if number % 5 == 4 else 200
        receiver.answer(
            f"/{number}", Scripted(status, {"mark": MARK, "you sent": [secret, f"Bearer {secret}"]})
        )
        kept = {"name": f"c{number}", "type": "bearer_token", "data": {"token": secret}}
        if number % 2:
            await live.post("/credentials", kept)
            named = f"{{{{credential.c{number}.token}}}}"
        else:
            await live.post("/variables", {"key": f"V{number}", "value": secret, "is_secret": True})
            named = f"{{{{credential.vars.V{number}}}}}"
        nodes.append(
            {
                "id": f"n{number}",
                "type": "http.request",
                "config": {
                    "url": f"{receiver.address}/{number}",
                    "auth": {"type": "bearer", "token": named},
                },
                "onError": "continue",
            }
        )
        edges.append({"id": f"e{number}", "source": "start", "target": f"n{number}"})
    spec = {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": nodes, "edges": edges}
    workflow_id = await live.made(spec)
    execution_id = await live.start(workflow_id)
    await live.ended(execution_id)
    sent = sorted(call.headers["authorization"] for call in receiver.calls)
    views = [
        await live.get(path)
        for path in (
            f"/executions/{execution_id}",
            f"/executions/{execution_id}/events",
            f"/executions/{execution_id}/logs",
            f"/workflows/{workflow_id}/export",
            "/credentials",
            "/variables",
            "/audit-logs",
        )
    ]
    said = capsys.readouterr()
    files = [file.read_bytes() for file in (tmp_path / "home").rglob("*") if file.is_file()]
    everything = b"\n".join(
        [
            await dump(live),
            *(str(view.json).encode() for view in views),
            said.out.encode(),
            said.err.encode(),
            *files,
        ]
    )

    assert sorted({f"Bearer {secret}" for secret in SECRETS}) == sorted(set(sent)), "each was really used"
    assert any(form in everything for form in forms(MARK)), "what is no secret is found where it was kept"
    assert [] == [secret for secret in SECRETS for form in forms(secret) if form in everything]


async def test_an_answer_that_shows_a_secret_is_kept_sealed(live: Live, receiver: Receiver) -> None:
    """What is kept to answer an Idempotency-Key again holds no secret to be read, and is answered again."""
    kept = {"url": f"{receiver.address}/told", "events": ["execution.*"]}
    first = await live.post("/webhook-subscriptions", kept, idempotency_key="k")
    again = await live.post("/webhook-subscriptions", kept, idempotency_key="k")
    rotated = await live.post(
        f"/webhook-subscriptions/{first.json['id']}/rotate-secret", None, idempotency_key="r"
    )
    found = await dump(live)

    assert (201, first.body, "true") == (first.status, again.body, again.headers["idempotency-replayed"])
    for secret in (first.json["secret"], rotated.json["secret"]):
        assert not [form for form in forms(secret) if form in found]
