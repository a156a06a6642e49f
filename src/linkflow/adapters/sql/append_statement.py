"""The one statement of group commit, put together from what a batch needs."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from linkflow.domain.execution.events import encode
from linkflow.domain.values import encode_json
from linkflow.ports.stores import Record

_INPUT = """
WITH i AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::float8[], $6::float8[],
        $7::float8[], $8::int[], $9::uuid[], $10::text[], $11::float8[], $12::bytea[], $13::text[],
        $14::float8[], $15::text[])
    WITH ORDINALITY AS t(id, expected, count, status, wakeup_at, closed_at,
        started_at, workflow_version, workspace_id, workflow_id, at, data, request_key, until, awaits, n)
)"""

_KEYED = """, keyed AS (
    INSERT INTO engine.idempotency AS k (request_key, execution_id, until)
    SELECT request_key, id, to_timestamp(until) FROM i WHERE request_key <> ''
    ON CONFLICT (request_key) DO UPDATE SET execution_id = excluded.execution_id, until = excluded.until
        WHERE k.until < now() OR k.execution_id = excluded.execution_id
    RETURNING k.request_key
)"""

_BORN = """, born AS (
    INSERT INTO engine.executions
        (execution_id, version, status, wakeup_at, closed_at, started_at,
         workflow_version, workspace_id, workflow_id, awaits)
    SELECT id, count, status, to_timestamp(wakeup_at), to_timestamp(closed_at), to_timestamp(started_at),
        workflow_version, workspace_id, workflow_id, string_to_array(awaits, chr(31))
    FROM i WHERE expected = 0 {may_start}
    ON CONFLICT DO NOTHING RETURNING execution_id AS id
)"""

_MAY_START = "AND (request_key = '' OR request_key IN (SELECT request_key FROM keyed))"

_MOVED = """, moved AS (
    UPDATE engine.executions e SET version = i.expected + i.count, status = i.status,
        wakeup_at = to_timestamp(i.wakeup_at), closed_at = to_timestamp(i.closed_at),
        awaits = string_to_array(i.awaits, chr(31))
    FROM i WHERE i.expected > 0 AND e.execution_id = i.id AND e.version = i.expected
    RETURNING i.id
)"""

_EVENTS = """, won AS ({winners}), events AS (
    INSERT INTO engine.history_events (execution_id, first_event, count, at, data)
    SELECT i.id, i.expected + 1, i.count, to_timestamp(i.at), i.data FROM i JOIN won USING (id)
)"""

_OUTBOX = """, sent AS (
    INSERT INTO engine.outbox (execution_id, number, kind, target, at, data)
    SELECT o.id, o.number, o.kind, o.target, to_timestamp(o.at), o.data
    FROM unnest($16::uuid[], $17::int[], $18::text[], $19::text[], $20::float8[], $21::bytea[])
        AS o(id, number, kind, target, at, data) JOIN won USING (id)
)"""

_LOSERS = """
SELECT (i.n - 1)::int, {holder} FROM i WHERE i.id NOT IN (SELECT id FROM won)"""

_HOLDER = """(SELECT k.execution_id::text FROM engine.idempotency k WHERE k.request_key = i.request_key)"""


@lru_cache(maxsize=16)
def _text(*, starts: bool, moves: bool, keys: bool, outbox: bool) -> str:
    winners = " UNION ALL ".join(
        f"SELECT id FROM {name}" for name, has in (("born", starts), ("moved", moves)) if has
    )
    parts = [_INPUT]
    if keys:
        parts.append(_KEYED)
    if starts:
        parts.append(_BORN.format(may_start=_MAY_START if keys else ""))
    if moves:
        parts.append(_MOVED)
    parts.append(_EVENTS.format(winners=winners))
    if outbox:
        parts.append(_OUTBOX)
    parts.append(_LOSERS.format(holder=_HOLDER if keys else "NULL::text"))
    return "".join(parts)


def statement(records: Sequence[Record]) -> str:
    """Choose the statement that a batch needs: a part that would see no row is left out."""
    return _text(
        starts=any(not record.expected for record in records),
        moves=any(record.expected for record in records),
        keys=any(record.request_key for record in records),
        outbox=any(record.outbox for record in records),
    )


def arguments(records: Sequence[Record]) -> list[Any]:
    """Lay a batch out in columns, the records' order kept."""
    heads = [record.head for record in records]
    columns: list[Any] = [
        [record.execution_id for record in records],
        [record.expected for record in records],
        [len(record.events) for record in records],
        [head.status for head in heads],
        [head.wakeup_at for head in heads],
        [head.closed_at for head in heads],
        [head.started_at for head in heads],
        [head.workflow_version for head in heads],
        [head.workspace_id for head in heads],
        [head.workflow_id for head in heads],
        [record.at for record in records],
        [record.data or encode(record.events) for record in records],
        [record.request_key for record in records],
        [record.request_until for record in records],
        ["\x1f".join(head.awaits) if head.awaits else None for head in heads],
    ]
    if any(record.outbox for record in records):
        sent = [(record.at, message) for record in records for message in record.outbox]
        columns += [
            [message.execution_id for _, message in sent],
            [message.number for _, message in sent],
            [message.kind for _, message in sent],
            [message.to for _, message in sent],
            [at for at, _ in sent],
            [encode_json(message.body) for _, message in sent],
        ]
    return columns
