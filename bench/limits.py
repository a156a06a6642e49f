"""What this machine could do at most: durable rows per second in batches, and fsyncs."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import asyncpg

ROW = (
    b'{"type":"ActivityTaskCompleted","key":"n1","attempt":1,"output":{"v":1,"msg":"hello","items":[1,2,3]}}'
)
BATCH = 250
CREATE = """
DROP TABLE IF EXISTS bench_rows;
CREATE TABLE bench_rows (
    id uuid, number int, at timestamptz DEFAULT now(), data bytea, PRIMARY KEY (id, number)
)
"""
INSERT = "INSERT INTO bench_rows (id, number, data) SELECT * FROM unnest($1::uuid[], $2::int[], $3::bytea[])"


async def measured(dsn: str, folder: Path, seconds: float) -> Mapping[str, float]:
    """Measure every limit; by name, per second."""
    return {
        "committed_rows": await committed_rows(dsn, seconds),
        "fsyncs": fsyncs(folder, min(1.0, seconds)),
    }


def best(first: Mapping[str, float], second: Mapping[str, float]) -> Mapping[str, float]:
    """Keep the larger of each: a limit is what the machine does when nobody disturbs it."""
    return {name: max(value, second[name]) for name, value in first.items()}


async def committed_rows(dsn: str, seconds: float, batch: int = BATCH) -> float:
    """Insert rows, a batch per commit, on one connection; rows per second, all durable."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(CREATE)
        statement = await connection.prepare(INSERT)
        numbers, data = list(range(batch)), [ROW] * batch
        rows, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            await statement.fetch([uuid4()] * batch, numbers, data)
            rows += batch
        await connection.execute("DROP TABLE bench_rows")
        return rows / took
    finally:
        await connection.close()


def fsyncs(folder: Path, seconds: float) -> float:
    """Overwrite 8 KiB of a file and fsync it, again and again; times per second."""
    path = folder / "fsync.bench"
    page = os.urandom(8192)
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        count, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            os.pwrite(file, page, 0)
            os.fsync(file)
            count += 1
        return count / took
    finally:
        os.close(file)
        path.unlink()
