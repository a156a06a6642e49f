"""The statements that share out and forget messages of the outbox."""

from collections.abc import Mapping

from linkflow.ports.stores import Lane

NAMED = (
    "unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) AS m(execution_id, number, kind, target) "
    "WHERE o.execution_id = m.execution_id AND o.number = m.number AND o.kind = m.kind "
    "AND o.target = m.target"
)


SHARD = "('x' || substr(execution_id::text, 16, 3))::bit(12)::int"

_LANES: Mapping[Lane, str] = {
    "executions": "kind NOT IN ('callback', 'project', 'usage')",
    "callbacks": "kind = 'callback'",
    "projections": "kind IN ('project', 'usage')",
}

_IN_ORDER = """WHERE NOT EXISTS (
        SELECT 1 FROM engine.outbox e
        WHERE e.execution_id = p.execution_id AND e.number < p.number
        AND e.kind NOT IN ('callback', 'project', 'usage')
        AND (e.execution_id, e.number, e.kind, e.target) NOT IN (SELECT * FROM picked)
    )"""

CLAIM: Mapping[Lane, str] = {
    lane: f"""
WITH picked AS MATERIALIZED (
    SELECT execution_id, number, kind, target FROM engine.outbox
    WHERE coalesce(due, at) < $1 AND {where}
    ORDER BY coalesce(due, at), execution_id, number LIMIT $2 FOR UPDATE SKIP LOCKED
), free AS (
    SELECT * FROM picked p {_IN_ORDER if lane == "executions" else ""}
), claimed AS (
    UPDATE engine.outbox o SET due = $3 FROM free f
    WHERE (o.execution_id, o.number, o.kind, o.target) = (f.execution_id, f.number, f.kind, f.target)
    RETURNING o.execution_id, o.number, o.kind, o.target, o.data, o.at
)
SELECT execution_id::text, number, kind, target, data, extract(epoch FROM at)::float8 FROM claimed
ORDER BY execution_id, number"""
    for lane, where in _LANES.items()
}
