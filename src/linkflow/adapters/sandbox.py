"""CodeRunner over pydantic-monty: an interpreter without the host's files, network and modules.

User code runs in worker processes of the pool, each session in a fresh state with limits of time, memory
and recursion; a worker that dies or does not answer is replaced. The pool starts with the first run.
"""

import asyncio
import math
import os
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import pydantic_monty as monty

from linkflow.domain.errors import ActivityError, Kind
from linkflow.domain.values import Json

PRINTED_BYTES = 64 * 1024
"""Printed text beyond this is cut off."""

RECURSION = 400
GRACE_S = 1.0
"""A worker that does not keep its own limit is killed after this."""


class SandboxedCode:
    """Run Python in worker processes.

    Args:
        processes: Workers at most; each takes about 10 MB. None means one per processor, up to 4.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or min(4, os.cpu_count() or 1)
        self._pool: monty.AsyncMonty | None = None
        self._starting = asyncio.Lock()

    async def run(
        self,
        source: str,
        names: Mapping[str, Json],
        *,
        timeout_s: float,
        memory_bytes: int,
        say: Callable[[str], None] | None = None,
    ) -> Json:
        """Run source with names bound (see the port); a name `result` wins over the last expression."""
        printed = _Lines(say)
        pool = await self._started()
        try:
            async with pool.checkout(
                limits={
                    "max_feed_duration_secs": timeout_s,
                    "max_turn_duration_secs": timeout_s,
                    "max_memory": memory_bytes,
                    "max_recursion_depth": RECURSION,
                    "max_total_sleep_secs": timeout_s,
                },
                os_policy={"process_time": "zero"},
                script_name="code.py",
            ) as session:
                async with asyncio.timeout(timeout_s + 2 * GRACE_S):
                    value = await session.feed_run(source, inputs=dict(names), print_callback=printed)
                    if value is None:
                        value = await _result(session)
        except TimeoutError:
            raise _timeout(timeout_s) from None
        except monty.MontyError as error:
            raise _translated(error, timeout_s, memory_bytes) from error
        finally:
            printed.close()
        return _json(value)

    async def close(self) -> None:
        """End the worker processes."""
        async with self._starting:
            pool, self._pool = self._pool, None
            if pool is not None:
                await pool.__aexit__(None, None, None)

    async def _started(self) -> monty.AsyncMonty:
        async with self._starting:
            if self._pool is None:
                pool = monty.AsyncMonty(
                    min_processes=1,
                    max_processes=self._processes,
                    max_checkouts_per_worker=200,
                    feed_duration_limit_grace=GRACE_S,
                    turn_duration_limit_grace=GRACE_S,
                )
                self._pool = await pool.__aenter__()
            return self._pool


async def _result(session: monty.AsyncMontySession) -> Json:
    """Read the name `result`, for code that ends in a statement."""
    try:
        return await session.feed_run("result")
    except monty.MontyRuntimeError:
        return None


class _Lines:
    """Hand printed text on, line by line, up to a bound; it comes on a thread and goes on in our loop."""

    def __init__(self, say: Callable[[str], None] | None) -> None:
        self._say = say
        self._rest = ""
        self._left = PRINTED_BYTES
        self._loop = asyncio.get_running_loop()

    def __call__(self, stream: str, text: str) -> None:
        if self._say is None or self._left <= 0:
            return
        text = text[: self._left]
        self._left -= len(text)
        self._loop.call_soon_threadsafe(self._take, self._say, text)

    def _take(self, say: Callable[[str], None], text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            say(line)

    def close(self) -> None:
        if self._say is not None:
            if self._rest:
                self._say(self._rest)
            if self._left <= 0:
                self._say(f"(printed more than {PRINTED_BYTES} characters; the rest is left out)")


def _timeout(timeout_s: float) -> ActivityError:
    return ActivityError(
        f"The code ran longer than {timeout_s:g} s.",
        code="code.timeout",
        kind=Kind.PERMANENT,
        limit_s=timeout_s,
    )


def _translated(error: monty.MontyError, timeout_s: float, memory_bytes: int) -> ActivityError:
    if isinstance(error, monty.MontyCrashedError):
        if getattr(error, "timed_out", False):
            return _timeout(timeout_s)
        return ActivityError(
            "The sandbox ended while it ran the code.", code="code.crashed", kind=Kind.TRANSIENT
        )
    inner = error.exception()
    if isinstance(inner, TimeoutError):
        return _timeout(timeout_s)
    if isinstance(inner, MemoryError):
        return ActivityError(
            f"The code needs more memory than {memory_bytes // (1 << 20)} MB.",
            code="code.memory",
            limit_bytes=memory_bytes,
        )
    code = "code.syntax" if isinstance(error, monty.MontySyntaxError) else "code.error"
    display = getattr(error, "display", None)
    message = display("type-msg") if display is not None else str(error)
    return ActivityError(message[:500], code=code, **_place(error))


def _place(error: Any) -> dict[str, Json]:
    """Say in which line it happened; frames are of the user's own code only."""
    frames = error.traceback() if hasattr(error, "traceback") else []
    return {"line": frames[-1].line} if frames else {}


def _json(value: Any, depth: int = 0) -> Json:
    """Turn a value into JSON: tuples and sets become lists, dates ISO text.

    Raises:
        ActivityError: `code.result`: it has no such form.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if depth > 100:
        raise ActivityError("The result nests deeper than 100.", code="code.result")
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else str(key): _json(item, depth + 1) for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_json(item, depth + 1) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise ActivityError(
        f"The result holds {str(value)[:40]!r} of type {type(value).__name__}, which JSON has not.",
        code="code.result",
    )
