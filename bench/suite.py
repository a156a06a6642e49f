"""Runs a workload under load and reads every meter around it."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import asyncpg

from bench.meter import QUIET, Meter, Patience, spent
from bench.processes import Subject, client, line
from bench.workloads import INPUT, Workload

Say = Callable[[str], None]
Drive = Callable[[int, float], dict[str, Any]]
"""Keeps callers busy for some seconds; answers like `bench.load`."""

DRAIN_S = 120.0
BEHIND = """
SELECT (SELECT count(*) FROM engine.outbox) + (SELECT count(*) FROM engine.executions WHERE closed_at IS NULL)
     + (SELECT count(*) FROM control.trigger_events WHERE state = 'pending')
"""
STORED = """
SELECT (SELECT execution_id FROM engine.executions ORDER BY execution_id DESC LIMIT 1),
       pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint,
       (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname IN ('engine', 'control'))
"""
EVENTS = """
SELECT coalesce(sum(pg_column_size(data)), 0)::bigint FROM engine.history_events
WHERE $1::uuid IS NULL OR execution_id > $1::uuid
"""


class Stored(NamedTuple):
    """What the database holds: its newest execution, bytes written to its log so far, bytes of its tables."""

    newest: object
    wal: int
    tables: int


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run of a workload.

    Attributes:
        rate: Answers per second.
        drain_s: Time after the last answer until nothing was left to do; CPU and bytes include that work.
        cpu_us: Microseconds of CPU per execution, by `linkflow`, `postgres` and `driver`; a driver inside
            LinkFlow's process counts as LinkFlow.
        parts_us: The same by process, when LinkFlow is split.
        bytes: Per execution: `events` as stored, `wal`, `tables` with their indexes.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    count: int
    errors: Mapping[str, int]
    drain_s: float
    cpu_us: Mapping[str, float]
    parts_us: Mapping[str, float]
    bytes: Mapping[str, float]
    foreign: float
    busy: float


class Suite:
    """Measures one LinkFlow."""

    def __init__(
        self,
        subject: Subject,
        database: "asyncpg.Connection[asyncpg.Record]",
        others: Sequence[int],
        patience: Patience,
        *,
        seconds: float,
        repeat: int,
    ) -> None:
        self._subject, self._database, self._patience = subject, database, patience
        self._meter = Meter(
            {
                "linkflow": [subject.pid],
                "postgres": [subject.postgres],
                "driver": [os.getpid()],
                "others": list(others),
                **{f"part {name}": [pid] for name, pid in subject.parts.items()},
            }
        )
        self._seconds, self._repeat = seconds, repeat

    async def measure(self, workload: Workload, way: str, say: Say) -> dict[str, Any]:
        """Measure a workload at each of its loads; the row of the results."""
        row = {
            "workload": workload.name,
            "title": workload.title,
            "nodes": workload.nodes,
            "way": way,
            "loads": await self._loads(workload, way, workload.loads, say),
        }
        return with_best(row)

    async def measure_again(self, workload: Workload, row: dict[str, Any], say: Say) -> dict[str, Any]:
        """Measure those loads again that strangers disturbed, and keep what was disturbed less."""
        disturbed = [load for load in workload.loads if row["loads"][str(load)]["foreign"] >= QUIET]
        second = await self._loads(workload, row["way"], disturbed, say) if disturbed else {}
        first = row["loads"]
        calmer = {load: each for load, each in second.items() if each["foreign"] < first[load]["foreign"]}
        return with_best(row | {"loads": first | calmer})

    async def _loads(self, workload: Workload, way: str, loads: Sequence[int], say: Say) -> dict[str, Any]:
        """Measure a workload at some loads; samples by load."""
        drive = await self.ready(workload, way)
        by_load = {}
        for callers in loads:
            chosen = middle(await self._samples(drive, callers))
            by_load[str(callers)] = asdict(chosen)
            say(
                f"{workload.name} {way} c={callers}: {chosen.rate:.0f}/s p50 {chosen.p50_ms:.1f} ms "
                f"p99 {chosen.p99_ms:.1f} ms, foreign {chosen.foreign:.0%} {chosen.errors or ''}"
            )
        return by_load

    async def ready(self, workload: Workload, way: str) -> Drive:
        """Make a workload, and run it for a moment so that it is warm; what drives it."""
        drive = self._driver(workload, way)
        drive(2, 0.3)
        await self._drained()
        return drive

    async def _samples(self, drive: Drive, callers: int) -> Sequence[Sample]:
        """Run as often as was asked for, and again for runs that strangers disturbed, at most as often."""
        samples: list[Sample] = []
        most = self._repeat if self._patience.is_over else 2 * self._repeat
        while len(samples) < most and sum(each.foreign < QUIET for each in samples) < self._repeat:
            self._patience.wait(self._meter)
            samples.append(await self.sample(drive, callers))
        return samples

    def _driver(self, workload: Workload, way: str) -> Drive:
        """Say how a workload is driven; the driver's result."""
        if way == "process":
            return lambda callers, seconds: self._subject.inside(workload.spec, callers, seconds)
        workflow = self._subject.create(workload.spec)
        order: dict[str, Any] = {"port": self._subject.port}
        if way == "rest":
            order["path"] = f"/api/v1/workflows/{workflow}/execute"
            order["headers"] = dict(self._subject.headers)
            order["body"] = encoded({"input": INPUT, "mode": "wait", "wait_ms": 60_000})
        else:
            self._subject.rest(f"/api/v1/workflows/{workflow}/activate", {})
            found = self._subject.rest(f"/api/v1/workflows/{workflow}/webhooks")["data"][0]
            order |= {"path": f"/webhooks/{found['id']}", "headers": {}, "body": encoded(INPUT)}
        return lambda callers, seconds: self._over_http(order | {"callers": callers, "seconds": seconds})

    def _over_http(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Run the load client."""
        with client(order) as process:
            found: dict[str, Any] = line(process)
            return found

    async def sample(self, drive: Drive, callers: int) -> Sample:
        """Run once, wait until nothing is left to do, and read the meters around it all."""
        stored = await self._stored()
        before = self._meter.read()
        result = drive(callers, self._seconds)
        drain_s = await self._drained()
        used = spent(before, self._meter.read())
        count = max(1, result["count"])
        parts_us = {name: used.cpu_s[f"part {name}"] / count * 1e6 for name in self._subject.parts}
        return Sample(
            rate=result["count"] / result["seconds"],
            p50_ms=result["p50_ms"],
            p99_ms=result["p99_ms"],
            count=result["count"],
            errors=result["errors"],
            drain_s=drain_s,
            cpu_us={
                "linkflow": used.cpu_s["linkflow"] / count * 1e6 + sum(parts_us.values()),
                "postgres": used.cpu_s["postgres"] / count * 1e6,
                "driver": result.get("cpu_s", 0.0) / count * 1e6,
            },
            parts_us=parts_us,
            bytes={name: value / count for name, value in (await self._growth(stored)).items()},
            foreign=used.foreign,
            busy=used.busy,
        )

    async def _drained(self) -> float:
        """Wait until every execution is over, and projected; how long that took."""
        began = time.monotonic()
        while await self._database.fetchval(BEHIND):
            if time.monotonic() > began + DRAIN_S:
                raise SystemExit(f"Work was left undone for {DRAIN_S:.0f} s; look at {self._subject.log}.")
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def _stored(self) -> Stored:
        """Remember how much is stored."""
        row = await self._database.fetchrow(STORED)
        assert row is not None
        return Stored(*row)

    async def _growth(self, before: Stored) -> Mapping[str, float]:
        """Say how many bytes were added."""
        now = await self._stored()
        events = await self._database.fetchval(EVENTS, before.newest)
        return {"events": events, "wal": now.wal - before.wal, "tables": now.tables - before.tables}


def middle(samples: Sequence[Sample]) -> Sample:
    """Choose the run with the median rate among those least disturbed by strangers."""
    quiet = [sample for sample in samples if sample.foreign < QUIET]
    chosen = quiet or sorted(samples, key=lambda sample: sample.foreign)[:1]
    return sorted(chosen, key=lambda sample: sample.rate)[len(chosen) // 2]


def with_best(row: dict[str, Any]) -> dict[str, Any]:
    """Say in a row which load went fastest."""
    loads = row["loads"]
    return row | {"best": int(max(loads, key=lambda load: loads[load]["rate"]))}


def encoded(value: Any) -> str:
    """Write compact JSON."""
    return json.dumps(value, separators=(",", ":"))
