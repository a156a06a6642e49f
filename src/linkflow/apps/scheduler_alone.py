"""A duty run by hand where no LinkFlow runs: on the database, under the scheduler's own lease."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.memory import MemoryEventBus
from linkflow.adapters.sql.coordination import SqlLeases
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.duties import SqlDutyRuns
from linkflow.adapters.sql.statements import Statements
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.adapters.vault import AesSecretBox, key_source
from linkflow.api.scheduler import shown
from linkflow.apps.brokers import open_blobs
from linkflow.apps.cli_client import CommandFailed
from linkflow.apps.settings import Settings, database_urls
from linkflow.apps.wiring_scheduler import SchedulerParts, duty_list, kept_by
from linkflow.domain.errors import Conflict
from linkflow.ports.coordination import Lease, Leases
from linkflow.ports.upkeep import LEASE, DutyRun
from linkflow.scheduler.duties import Duties
from linkflow.scheduler.service import RENEW_S, TTL_S

PATIENCE = 6
"""How often the lease is asked for, RENEW_S apart: longer than one whose holder died may last."""


def run_alone(settings: Settings, name: str, *, dry_run: bool) -> Any:
    """Run a duty in this process and say how it went, as REST would.

    Raises:
        CommandFailed: There is no such duty here, or another process leads.
    """
    return asyncio.run(_run(settings, name, dry_run=dry_run))


async def _run(settings: Settings, name: str, *, dry_run: bool) -> Any:
    clock, ids = SystemClock(), SystemIds()
    holder = ids.uuid()
    async with AsyncExitStack() as stack:
        urls = list(dict.fromkeys(database_urls(settings).values()))
        if not urls:
            postgres = await EmbeddedPostgres.start(settings.home, say=lambda text: None)
            stack.push_async_callback(postgres.stop)
            urls = [postgres.dsn]
        databases: list[Database] = []
        for url in urls:
            databases.append(await Database.open(url, pool_size=4))
            stack.push_async_callback(databases[-1].close)
        control, engine = databases[0], databases[-1]
        read_keys = key_source(settings.home / "keys", settings.sealing_keys, settings.sealing_command)
        parts = SchedulerParts(
            control=control,
            engine=engine,
            blobs=await open_blobs(settings),
            kept=kept_by(settings),
            bus=MemoryEventBus(),
            clock=clock,
            ids=ids,
            box=AesSecretBox(*read_keys(), read_keys),
        )
        found = [duty for duty in duty_list(parts) if duty.name == name]
        if not found:
            raise CommandFailed(
                f"{name} is no duty that can run by itself. Start LinkFlow: linkflow up; "
                "then: linkflow scheduler list"
            )
        runs, leases = SqlDutyRuns(control, engine), SqlLeases(Statements(control.pool))
        lease = await _lead(leases, holder, clock)
        keeping = asyncio.ensure_future(_keep(leases, holder, clock))
        try:
            await runs.raise_fence(lease.token)
            run = DutyRun(
                id=ids.uuid(),
                duty=name,
                asked_by="command line",
                is_dry=dry_run,
                asked_at=clock.now(),
                holder=holder,
                token=lease.token,
            )
            return shown(await Duties(found, runs, parts.bus, clock, ids, holder).do(run))
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await leases.release(lease)


async def _lead(leases: Leases, holder: str, clock: SystemClock) -> Lease:
    """Take the lease.

    Raises:
        Conflict: `scheduler.led`: another process holds it.
    """
    for _ in range(PATIENCE):
        lease = await leases.acquire(LEASE, holder, TTL_S)
        if lease is not None:
            return lease
        await clock.sleep(RENEW_S)
    raise Conflict(
        "Another process leads the scheduler; ask it: set LINKFLOW_HOME to where it keeps its data.",
        code="scheduler.led",
    )


async def _keep(leases: Leases, holder: str, clock: SystemClock) -> None:
    """Renew the lease while the duty works; a lease lost shows at the next write, which is refused."""
    while True:
        await clock.sleep(RENEW_S)
        await leases.acquire(LEASE, holder, TTL_S)
