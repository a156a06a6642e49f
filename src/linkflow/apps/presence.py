"""What a process of some roles says of itself: whether it leads, what it lost, and for what it waits."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from linkflow.adapters.grpc.lines import Lines
from linkflow.adapters.sql.coordination import SqlLeases
from linkflow.domain.errors import Unavailable
from linkflow.engine.cluster import Cluster
from linkflow.engine.recovery.service import Recovery
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Lease
from linkflow.ports.queue import TaskQueue
from linkflow.telemetry import logger

MATCHING_LEASE = "matching"
LEAD_S = 2.0
RENEW_S = 0.4
"""How long the active Matching is it without renewing, and how often it renews."""

LOOK_S = 0.5

log = logger("roles")

Look = Callable[[], Awaitable[str]]
"""Says how something is; raises Unavailable when it cannot do its work."""


def looks(parts: Mapping[str, Any], recovery: Recovery | None, cluster: Cluster) -> Mapping[str, Look]:
    """Say how to look at each role of a process that can be there and not yet able to work.

    Args:
        parts: Its services, by role.
        recovery: Beside History.
        cluster: What it knows of the others, and they of it.
    """

    async def history() -> str:
        if recovery is not None and not recovery.recovered.is_set():
            raise Unavailable("It has not yet seen to the executions that were open.")
        return "It takes executions."

    async def matching() -> str:
        if cluster.member.leads:
            return "It is the active one."
        active = cluster.of("matching")
        if not active:
            raise Unavailable("No Matching is the active one yet; one takes over when the lease ends.")
        return f"It stands by for {active[0].id}."

    async def worker() -> str:
        if not parts["worker"].ready.is_set():
            raise Unavailable("Matching does not know it yet.")
        return f"{parts['worker'].busy()} attempts are in hand."

    known: Mapping[str, Look] = {"history": history, "matching": matching, "worker": worker}
    return {role: look for role, look in known.items() if role in parts}


async def lead(cluster: Cluster, leases: SqlLeases, clock: Clock) -> None:
    """Be the active Matching whenever nobody else is; the others stand by and follow within the lease."""
    held: Lease | None = None
    try:
        while True:
            try:
                lease = await leases.acquire(MATCHING_LEASE, cluster.member.id, LEAD_S)
            except Unavailable as error:
                log.warning("the lease of Matching could not be renewed", error=str(error))
            else:
                if lease is not None and (held is None or held.token != lease.token):
                    log.info("this Matching is the active one", token=lease.token)
                held = lease
                cluster.say(leads={"matching": lease.token} if lease is not None else {})
            await clock.sleep(RENEW_S)
    finally:
        if held is not None:
            with contextlib.suppress(Unavailable):
                await leases.release(held)


async def tell_losses(cluster: Cluster, queue: TaskQueue) -> None:
    """Tell the others whenever the queue may have lost tasks, so that they are published again."""
    while True:
        await queue.lost()
        cluster.say(losses=cluster.member.losses + 1)


async def say_what_is_missing(cluster: Cluster, found: Lines, clock: Clock) -> None:
    """Say for what this process waits, when it waits."""
    while True:
        missing = ", ".join(found.missing())
        if missing != cluster.member.waits_for:
            if missing:
                log.warning("waiting for processes with these roles", roles=missing)
            else:
                log.info("every role that is needed can be reached")
            cluster.say(waits_for=missing)
        await clock.sleep(LOOK_S)
