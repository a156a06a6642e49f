"""Statements of the control plane: each through the pool, or all on one connection of a transaction."""

from collections.abc import Callable
from typing import Any, TypeVar

import asyncpg
import msgspec

from linkflow.adapters.sql.database import PooledConnection, driver_errors
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.values import decode_json, encode_json

R = TypeVar("R", bound=msgspec.Struct)
Executor = "asyncpg.Pool[asyncpg.Record] | PooledConnection"


class Statements:
    """Runs hand-written SQL; a lost connection becomes `Unavailable`."""

    def __init__(self, executor: "asyncpg.Pool[asyncpg.Record] | PooledConnection") -> None:
        self._executor = executor

    async def rows(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Read every row."""
        with driver_errors():
            return await self._executor.fetch(sql, *arguments)

    async def row(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """Read the first row."""
        with driver_errors():
            return await self._executor.fetchrow(sql, *arguments)

    async def run(self, sql: str, *arguments: Any) -> int:
        """Change rows and say how many."""
        with driver_errors():
            done = await self._executor.execute(sql, *arguments)
        return int(done.rpartition(" ")[2])

    async def insert(self, taken: LinkFlowError, sql: str, *arguments: Any) -> None:
        """Insert a row; raise `taken` when a unique key is taken."""
        try:
            await self.run(sql, *arguments)
        except asyncpg.UniqueViolationError as error:
            raise taken from error


class Table:
    """How records of one type become rows and back: columns by the names of the record's fields."""

    def __init__(self, name: str, record: type[msgspec.Struct], json: tuple[str, ...] = ()) -> None:
        self.name = name
        self.record = record
        self.json = frozenset(json)
        self.columns = record.__struct_fields__
        listed = ", ".join(self.columns)
        places = ", ".join(f"${n}" for n in range(1, len(self.columns) + 1))
        self.select = f"SELECT {listed} FROM {name}"
        self.insert = f"INSERT INTO {name} ({listed}) VALUES ({places})"
        changed = ", ".join(f"{column} = excluded.{column}" for column in self.columns if column != "id")
        self.put = f"{self.insert} ON CONFLICT (id) DO UPDATE SET {changed}"

    def values(self, record: msgspec.Struct) -> list[Any]:
        """Say a record as the arguments of `insert`."""
        return [
            encode_json(getattr(record, column)) if column in self.json else getattr(record, column)
            for column in self.columns
        ]

    def reader(self, record: type[R]) -> Callable[[asyncpg.Record], R]:
        """Make the function that reads a row as a record."""

        def read(row: asyncpg.Record) -> R:
            return record(
                **{
                    column: decode_json(row[column]) if column in self.json else row[column]
                    for column in self.columns
                }
            )

        return read
