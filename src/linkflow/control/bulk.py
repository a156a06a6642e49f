"""Executions, many at once: each by itself, with an answer for each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from linkflow.control.actor import Actor
from linkflow.control.executions import Executions
from linkflow.domain.errors import Invalid, LinkFlowError

MOST_AT_ONCE = 200
"""Executions that one request acts on."""

TOGETHER = 8
"""Of them at the same time: a request that takes long takes no more than its share."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one execution.

    Attributes:
        new_execution_id: The one that was started instead; empty when none was.
        error: Why nothing was done; None when it was.
    """

    execution_id: str
    new_execution_id: str = ""
    error: LinkFlowError | None = None


async def cancel(
    executions: Executions, actor: Actor, execution_ids: Sequence[str], reason: str
) -> Sequence[Outcome]:
    """Ask executions to end, as `Executions.cancel` does. Safe to repeat.

    Args:
        executions: What people do with one of them.
        actor: Who asks.
        execution_ids: 1 to MOST_AT_ONCE; what is named twice counts once.
        reason: Why.

    Returns:
        In the order asked for.

    Raises:
        Denied: The actor may not cancel; nothing was done.
        Invalid: `executions.count`: none is named, or too many; nothing was done.
    """
    actor.require("execution.cancel")

    async def act(execution_id: str) -> str:
        await executions.cancel(actor, execution_id, reason)
        return ""

    return await _each(execution_ids, act)


async def retry(
    executions: Executions,
    actor: Actor,
    execution_ids: Sequence[str],
    *,
    request_key: str = "",
    is_current: bool = False,
) -> Sequence[Outcome]:
    """Start each execution again from what did not end well, as `Executions.retry` does.

    Args:
        executions: What people do with one of them.
        actor: Who asks.
        execution_ids: 1 to MOST_AT_ONCE; what is named twice counts once.
        request_key: Idempotency key; with one it is safe to repeat.
        is_current: They run the workflow as it is today, not as it was.

    Returns:
        In the order asked for.

    Raises:
        Denied: The actor may not retry; nothing was done.
        Invalid: `executions.count`: none is named, or too many; nothing was done.
    """
    actor.require("execution.retry")

    async def act(execution_id: str) -> str:
        started = await executions.retry(actor, execution_id, request_key=request_key, is_current=is_current)
        return started.execution_id

    return await _each(execution_ids, act)


async def _each(execution_ids: Sequence[str], act: Callable[[str], Awaitable[str]]) -> Sequence[Outcome]:
    """Act on every execution, a few at the same time; one that fails keeps no other from its turn."""
    asked = list(dict.fromkeys(execution_ids))
    if not 0 < len(asked) <= MOST_AT_ONCE:
        raise Invalid(f"Name 1 to {MOST_AT_ONCE} executions.", code="executions.count")
    turns = asyncio.Semaphore(TOGETHER)

    async def one(execution_id: str) -> Outcome:
        async with turns:
            try:
                return Outcome(execution_id=execution_id, new_execution_id=await act(execution_id))
            except LinkFlowError as error:
                return Outcome(execution_id=execution_id, error=error)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each)) for each in asked]
    return [task.result() for task in tasks]
