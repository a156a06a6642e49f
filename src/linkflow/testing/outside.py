"""What lies outside of a simulated engine: a store that survives it, faults, the receiver of its effects."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from linkflow.domain.errors import ActivityError, Kind
from linkflow.domain.execution.events import decode
from linkflow.domain.values import Json, decode_json, execution_id
from linkflow.ports.outbound import HttpRequest, HttpResponse
from linkflow.ports.stores import Recorded
from linkflow.testing.fakes import response
from linkflow.testing.memory_history import MemoryHistoryStore
from linkflow.testing.virtual import BEGINNING


class OpenStore(MemoryHistoryStore):
    """A history store that the world may look into."""

    def recorded(self, execution_id: str) -> list[Recorded]:
        """The durable records of an execution."""
        kept = self._executions.get(execution_id)
        return [
            Recorded(first=first, at=at, events=decode(data))
            for first, _, at, data in (kept.records if kept is not None else ())
        ]

    def known(self) -> list[str]:
        """Every execution, in the order of their starts."""
        return list(self._executions)

    @property
    def undelivered(self) -> int:
        """Messages that were not acknowledged."""
        return len(self._outbox)


class Ids:
    """Identities drawn from the run's seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def execution_id(self) -> Any:
        """A new execution id."""
        elapsed = asyncio.get_running_loop().time()
        return execution_id(
            int((BEGINNING + elapsed) * 1000), self._rng.randrange(4096), self._rng.getrandbits(62)
        )

    def uuid(self) -> str:
        """A new identity."""
        return f"{self._rng.getrandbits(128):032x}"

    def seed(self) -> int:
        """Chance of an execution."""
        return self._rng.getrandbits(63)


@dataclass
class Faults:
    """How the world misbehaves.

    Attributes:
        refused: Share of store calls that fail and do nothing.
        unanswered: Share of store calls that take effect and fail all the same.
        transient: Share of first attempts that fail without an effect.
    """

    refused: float = 0.0
    unanswered: float = 0.0
    transient: float = 0.15


class Overseer(Protocol):
    """Who watches what must never happen."""

    rng: random.Random
    faults: Faults

    def violated(self, what: str) -> None:
        """Note what must never happen."""
        ...

    def require_started(self, execution: str, key: str, attempt: int) -> None:
        """An effect begins only after its start is durable."""
        ...


SILENCES = 2
"""Look-ups of one effect that are not answered, at the most."""


class Receiver:
    """What effects reach: it notes every call, and answers as it is told.

    Attributes:
        begun: Attempts that reached it, by execution and key.
        answered: Attempts that it answered well, by execution.
        applied: How often an effect took place, by effect key (a keyed receiver does it once).
        silences: How often a look-up was not answered, by effect key.
        answer: What the receiver says to an execution's key; raises what the node fails with.
    """

    def __init__(self, world: Overseer) -> None:
        self._world = world
        self.begun: dict[tuple[str, str], list[int]] = {}
        self.applied: dict[str, int] = {}
        self.answered: dict[str, set[tuple[str, int]]] = {}
        self.keys: dict[tuple[str, str], set[str]] = {}
        self.silences: dict[str, int] = {}
        self.answer: Callable[[str, str], Json] = lambda execution, key: {"v": 1}

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Take a call in, or a question about one."""
        if request.method == "GET":
            return self._looked_up(request.headers["Idempotency-Key"])
        asked = decode_json(request.body or b"")
        execution, key, attempt = asked["execution_id"], asked["key"], asked["attempt"]
        node_class = request.url.rpartition(".")[2]
        self._world.require_started(execution, key, attempt)
        self.begun.setdefault((execution, key), []).append(attempt)
        self.keys.setdefault((execution, key), set()).add(request.headers["Idempotency-Key"])
        rng = self._world.rng
        if attempt == 1 and rng.random() < self._world.faults.transient:
            raise ActivityError("Refused.", code="http.connect", kind=Kind.TRANSIENT, not_started=True)
        await asyncio.sleep(rng.choice((0.0, 0.01, 0.3)))
        effect_key = request.headers["Idempotency-Key"]
        if node_class != "pay" or effect_key not in self.applied:
            self.applied[effect_key] = self.applied.get(effect_key, 0) + 1
        if node_class in ("post", "ask") and self.applied[effect_key] > 1:
            self._world.violated(f"the effect of class once {effect_key} happened twice")
        await asyncio.sleep(rng.choice((0.0, 0.01, 0.3, 3.0)))
        answer = response(body=self.answer(execution, key))
        self.answered.setdefault(execution, set()).add((key, attempt))
        return answer

    def _looked_up(self, effect_key: str) -> HttpResponse:
        """Say what became of an effect; now and then not, but never so often that a person is asked."""
        silences = self.silences.get(effect_key, 0)
        if silences < SILENCES and self._world.rng.random() < 0.4:
            self.silences[effect_key] = silences + 1
            raise ActivityError("Nobody answers.", code="http.timeout", kind=Kind.TRANSIENT)
        if not self.applied.get(effect_key):
            return response(404)
        execution, _, key = effect_key.partition(":")
        self.answered.setdefault(execution, set()).add((key, self.begun[execution, key][-1]))
        return response(body=self.answer(execution, key))

    async def close(self) -> None:
        """There is nothing to close."""
