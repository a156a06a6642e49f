"""The read model made again from the histories: the command, and what it needs of LinkFlow."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from linkflow.apps.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("rebuild-visibility")(rebuild_visibility)


def rebuild_visibility(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Make the lists of executions again from their histories; nothing else is changed.

    With a PostgreSQL of its own LinkFlow must be stopped; with yours it may run meanwhile. Safe to repeat.
    """
    from linkflow.apps.cli_local import say, settings

    found = settings()
    done = asyncio.run(rebuilt(found, say))
    if as_json:
        typer.echo(f'{{"executions": {done}}}')
    else:
        say(f"{done} executions are in the lists again")


async def rebuilt(settings: Settings, say: Callable[[str], None]) -> int:
    """Make the read model again, and say how many executions there are.

    Raises:
        Unavailable: The database does not answer.
    """
    from linkflow.adapters.embedded import EmbeddedPostgres
    from linkflow.adapters.sql.database import Database
    from linkflow.adapters.sql.engine import SqlLateResults, SqlSpecStore
    from linkflow.adapters.sql.history import SqlHistoryStore
    from linkflow.adapters.sql.schema import migrate
    from linkflow.adapters.sql.visibility import SqlVisibilityStore
    from linkflow.adapters.system import SystemClock
    from linkflow.engine.history.entries import Entries
    from linkflow.engine.history.graphs import Graphs
    from linkflow.engine.history.reading import Reader
    from linkflow.engine.visibility.rebuild import rebuild
    from linkflow.nodes.registry import NodeRegistry
    from linkflow.ports.services import Projected

    async with AsyncExitStack() as stack:
        dsn = settings.engine_database_url or settings.database_url
        if dsn is None:
            postgres = await EmbeddedPostgres.start(settings.home, say=say)
            stack.push_async_callback(postgres.stop)
            dsn = postgres.dsn
            await migrate(dsn, say)
        database = await Database.open(dsn)
        stack.push_async_callback(database.close)
        reader = Reader(
            Entries(),
            SqlHistoryStore(database),
            Graphs(SqlSpecStore(database), NodeRegistry.discover()),
            SqlLateResults(database),
            SystemClock(),
            is_shared=True,
        )

        class Stored:
            """Histories as they are in the store."""

            async def projected(self, execution_ids: Sequence[str]) -> Sequence[Projected]:
                """Fold them."""
                return await reader.projected(execution_ids)

        def tell(done: int) -> None:
            say(f"{done} executions")

        return await rebuild(SqlVisibilityStore(database), Stored(), tell)
