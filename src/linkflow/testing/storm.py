"""What a storm of failures needs: workflows with every class of effect, a world that counts, and a judge.

The world outside is never killed. It counts every effect and remembers every start that LinkFlow
acknowledged; when the storm is over, `left`, `verdict` and `Outside.broken` say which promise was not kept.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from linkflow.adapters.sql.database import Database
from linkflow.domain.workflow.spec import WorkflowSpec
from linkflow.testing.builders import node, spec
from linkflow.testing.histories import crooked
from linkflow.testing.instants import INEXACT_S, Instants, instants

NAP_S = 1.0
"""How long `chain` sleeps."""

KEYED = {
    "chain": ("pay", "item#1", "item#2", "item#3"),
    **dict.fromkeys(("limited", "quick", "paced", "debounced"), ("pay",)),
}
"""Keys of the effects that each workflow has once by key."""

EXTRA = 0.5
"""Share of the executions under a debounce that run without need only where it does nothing at all.

It may let one run too many when it is asked late, and on a starved machine a quarter of the questions are.
"""

OPEN = """SELECT (SELECT count(*) FROM engine.executions WHERE closed_at IS NULL)
    + (SELECT count(*) FROM engine.outbox)"""


def workflows(url: str) -> Mapping[str, WorkflowSpec]:
    """Say the workflows: every class of effect, a delay, a loop, parallel branches, each policy of starts.

    Args:
        url: Where the world outside is.
    """
    keyed: dict[str, Any] = {"method": "POST", "url": f"{url}/keyed", "idempotency_header": "Idempotency-Key"}
    once: dict[str, Any] = {"method": "POST", "url": f"{url}/once", "body": {"key": "{{ execution.id }}"}}
    policies: dict[str, Any] = {
        "limited": {"concurrency": {"limit": 2}},
        "paced": {"rate": {"limit": 2, "periodSeconds": 1}},
        "debounced": {"debounce": {"seconds": 3, "maxSeconds": 9}},
    }
    pay = node("http.request", **keyed)
    return {
        "chain": spec(
            "t -> pay -> sms -> nap -> each",
            "t -> look -> end",
            "each.body -> item",
            "each.done -> end",
            pay=pay,
            sms=node("http.request", settings={"onError": "continue"}, **once),
            nap=node("logic.delay", seconds=NAP_S),
            each=node("logic.loop", items=[1, 2, 3], parallelism=2),
            item=node("http.request", **keyed),
            look=node("http.request", url=f"{url}/look"),
            end=node("logic.merge"),
        ),
        "quick": spec("t -> pay", pay=pay),
        **{
            name: spec("t -> pay", pay=pay, workflow={"settings": settings})
            for name, settings in policies.items()
        },
    }


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a database holds after a storm.

    Attributes:
        ends: Status by execution id, from the heads.
        crooked: (execution id, what is wrong with its history).
        shown: Executions by status, as lists show them.
        errors: Failed executions by error code.
        tickets: Concurrency tickets that nobody gave back.
        instants: What a rate and a debounce did.
    """

    ends: Mapping[str, str]
    crooked: Sequence[tuple[str, str]]
    shown: Mapping[str, int]
    errors: Mapping[str, int]
    tickets: int
    instants: Instants


async def left(database: Database) -> int:
    """Count the executions that are open and the messages that were not delivered yet."""
    return int(await database.pool.fetchval(OPEN))


async def verdict(database: Database) -> Verdict:
    """Read everything; for when nothing is left to do."""
    pool = database.pool
    heads = await pool.fetch("SELECT execution_id::text, status FROM engine.executions")
    shown = await pool.fetch("SELECT status, count(*) FROM engine.visibility GROUP BY 1")
    failures = await pool.fetch("SELECT error FROM engine.visibility WHERE error IS NOT NULL")
    return Verdict(
        ends={row[0]: row[1] for row in heads},
        crooked=[each async for each in crooked(database)],
        shown={row[0]: row[1] for row in shown},
        errors=Counter(msgspec.json.decode(row[0])["code"] for row in failures),
        tickets=await pool.fetchval("SELECT count(*) FROM engine.tickets"),
        instants=await instants(database, "paced", "debounced"),
    )


class Outside:
    """The world outside: it counts effects and remembers what was promised.

    Attributes:
        url: Where it is.
        applied: How often a keyed effect took place, by effect key; a repeated key is answered only.
        repeats: How often a key came again.
        calls: How often an effect of class once was asked for, by execution.
        acknowledged: Workflow by execution id, of every start that was answered.
    """

    def __init__(self) -> None:
        self.url = ""
        self.applied: Counter[str] = Counter()
        self.repeats = 0
        self.calls: Counter[str] = Counter()
        self.acknowledged: dict[str, str] = {}
        self._asked: dict[str, float] = {}
        self._count = 0
        self._more = asyncio.Event()
        self._random = random.Random(1)  # noqa: S311  chance that can be had again

    @classmethod
    @asynccontextmanager
    async def serving(cls, *routes: web.RouteDef) -> AsyncIterator["Outside"]:
        """Be there on a free port of this machine.

        Args:
            routes: More than the effects' own.
        """
        found = cls()
        app = web.Application()
        effects = [
            web.post("/keyed", found._keyed),
            web.post("/once", found._once),
            web.get("/look", found._look),
        ]
        app.add_routes([*effects, *routes])
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield found
        finally:
            await runner.cleanup()

    def broken(self, found: Verdict) -> Sequence[str]:
        """Say which promises were not kept, one line each.

        A failed execution may have stopped anywhere; a completed one has had every effect, and one whose
        place another one took has had none.
        """
        faults = [
            f"{lost} was acknowledged and is lost" for lost in self.acknowledged if lost not in found.ends
        ]
        faults += [f"{execution_id}: {fault}" for execution_id, fault in found.crooked]
        faults += [
            f"{execution_id}:{key} took place {self.applied[f'{execution_id}:{key}']} times"
            for execution_id, workflow in self.acknowledged.items()
            if found.ends.get(execution_id) == "completed"
            for key in KEYED[workflow]
            if self.applied[f"{execution_id}:{key}"] != 1
        ]
        faults += [
            f"{execution_id}:{key} took place, and the execution was cancelled before it began"
            for execution_id, workflow in self.acknowledged.items()
            if found.ends.get(execution_id) == "cancelled"
            for key in KEYED[workflow]
            if self.applied[f"{execution_id}:{key}"]
        ]
        faults += [
            f"{key}: a `once` effect was asked for {n} times" for key, n in self.calls.items() if n > 1
        ]
        early = [nap_s for nap_s in self.naps_s if nap_s < NAP_S - INEXACT_S]
        if early:
            faults.append(f"{len(early)} delays of {NAP_S:g} s were over early, after {min(early):.3f} s")
        faults += found.instants.faults
        policies = found.instants
        if policies.extra > EXTRA * policies.debounced:
            faults.append(f"of {policies.debounced} debounced, {policies.extra} ran without need: {policies}")
        if found.tickets:
            faults.append(f"{found.tickets} concurrency tickets were never given back")
        if Counter(found.ends.values()) != Counter(found.shown):
            faults.append(f"lists show {found.shown}, the heads are {Counter(found.ends.values())}")
        return faults

    async def goes_on(self, count: int) -> None:
        """Wait until so many more effects took place: work goes on."""
        until = self._count + count
        while self._count < until:
            self._more.clear()
            await self._more.wait()

    @property
    def naps_s(self) -> Sequence[float]:
        """How long each `chain` slept at least, in seconds: from the effect before to the first one after."""
        return [
            woken_at - asked_at
            for execution_id in self.acknowledged
            if (asked_at := self._asked.get(f"{execution_id}:sms"))
            and (woken_at := self._woken(execution_id))
        ]

    def _woken(self, execution_id: str) -> float:
        after = (self._asked.get(f"{execution_id}:item#{number}", 0.0) for number in (1, 2, 3))
        return min((each for each in after if each), default=0.0)

    # ------------------------------------------------------------ effects

    async def _keyed(self, request: web.Request) -> web.Response:
        """Do something once per key."""
        key = request.headers["Idempotency-Key"]
        self._asked.setdefault(key, time.monotonic())
        await self._take_time()
        if key in self.applied:
            self.repeats += 1
        else:
            self.applied[key] += 1
        await self._take_time()
        return web.json_response({"ok": True})

    async def _once(self, request: web.Request) -> web.Response:
        """Do something every time."""
        execution_id = (await request.json())["key"]
        self._asked.setdefault(f"{execution_id}:sms", time.monotonic())
        self.calls[execution_id] += 1
        await self._take_time()
        return web.json_response({"ok": True})

    async def _look(self, request: web.Request) -> web.Response:
        """Do nothing."""
        await self._take_time()
        return web.json_response({"ok": True})

    async def _take_time(self) -> None:
        """Answer after a moment, so that failures come before, in and after effects."""
        self._count += 1
        self._more.set()
        for _ in range(self._random.choice((0, 1, 20))):
            await asyncio.sleep(0)
