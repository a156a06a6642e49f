"""Fakes of the ports: turnable time, countable identity, recorded HTTP, blobs in memory, node contexts."""

import asyncio
import hashlib
import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from linkflow.domain.errors import ActivityError, Kind, NotFound
from linkflow.domain.execution.retry import draw
from linkflow.domain.node import PureNode, PureResult, joined, parted
from linkflow.domain.parameters import respell
from linkflow.domain.values import ExecutionId, Json, encode_json, execution_id
from linkflow.domain.workflow.template import compile_expression, compile_template
from linkflow.ports.outbound import BlobStore, CodeRunner, HttpClient, HttpRequest, HttpResponse
from linkflow.testing.scopes import FixedScope

NOW = 1_900_000_000.0
"""The instant at which fake time begins: 2030-03-17T17:46:40Z."""


class FixedClock:
    """Time that only moves when it is turned."""

    def __init__(self, now: float = NOW) -> None:
        self._start = self._now = now
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Seconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._now - self._start

    async def sleep(self, delay_s: float) -> None:
        """Wait until the clock is turned far enough."""
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + delay_s, next(self._order), woken))
        await woken

    async def turn(self, by_s: float) -> None:
        """Move time on, waking sleepers in the order of their instants."""
        until = self._now + by_s
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, at)
            if not woken.done():
                woken.set_result(None)
            await asyncio.sleep(0)
        self._now = until
        await asyncio.sleep(0)

    @property
    def sleepers(self) -> int:
        """How many wait for the clock to be turned."""
        return sum(not woken.done() for _, _, woken in self._sleepers)


class SequenceIds:
    """Identities that count up: the same in every run of a test."""

    def __init__(self, clock: FixedClock | None = None) -> None:
        self._clock = clock or FixedClock()
        self._numbers = count(1)

    def execution_id(self) -> ExecutionId:
        """The next execution id; shards follow one another."""
        number = next(self._numbers)
        return execution_id(int(self._clock.now() * 1000), number, number)

    def uuid(self) -> str:
        """The next UUID v4."""
        return f"00000000-0000-4000-8000-{next(self._numbers):012x}"

    def seed(self) -> int:
        """The next number."""
        return next(self._numbers)


def response(
    status: int = 200, body: Json | bytes = b"", headers: Mapping[str, str] | None = None, *, url: str = ""
) -> HttpResponse:
    """Build an answer; anything but bytes is sent as JSON."""
    is_json = not isinstance(body, bytes)
    found = {"content-type": "application/json"} if is_json else {}
    return HttpResponse(
        status=status,
        reason={200: "OK", 404: "Not Found", 429: "Too Many Requests", 503: "Service Unavailable"}.get(
            status, ""
        ),
        headers={**found, **{name.lower(): value for name, value in (headers or {}).items()}},
        body=encode_json(body) if is_json else body,
        url=url,
        duration_ms=1.0,
    )


class RecordedHttp:
    """An HttpClient that gives prepared answers and remembers what was asked.

    Attributes:
        requests: Every request, oldest first.
    """

    def __init__(self, *answers: HttpResponse | Exception | Callable[[HttpRequest], HttpResponse]) -> None:
        self._answers = list(answers)
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Give the next answer; the last one is given again and again."""
        self.requests.append(request)
        if not self._answers:
            raise ActivityError(
                "Nothing listens here.", code="http.connect", kind=Kind.TRANSIENT, not_started=True
            )
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        found = answer if isinstance(answer, HttpResponse) else answer(request)
        if len(found.body) > request.max_bytes:
            raise ActivityError("The body is too long.", code="http.response_too_large")
        return found

    async def close(self) -> None:
        """There is nothing to close."""


class MemoryBlobStore:
    """Blobs in a dictionary."""

    def __init__(self) -> None:
        self._blobs: dict[tuple[str, str], bytes] = {}

    async def put(self, workspace_id: str, data: bytes) -> str:
        """Keep the bytes."""
        sha256 = hashlib.sha256(data).hexdigest()
        self._blobs[workspace_id, sha256] = bytes(data)
        return sha256

    async def get(self, workspace_id: str, sha256: str) -> bytes:
        """Give the bytes back."""
        try:
            return self._blobs[workspace_id, sha256]
        except KeyError:
            raise NotFound(f"There is no blob {sha256[:12]}… in this workspace.") from None


class RefusingCode:
    """A CodeRunner for tests whose nodes run no code."""

    async def run(
        self,
        source: str,
        names: Mapping[str, Json],
        *,
        timeout_s: float,
        memory_bytes: int,
        say: Callable[[str], None] | None = None,
    ) -> Json:
        """Refuse."""
        raise ActivityError("This test runs no code.", code="code.error")

    async def close(self) -> None:
        """There is nothing to close."""


class PureScope(FixedScope):
    """What a pure node may read, in tests: given roots, a fixed time, draws by a seed."""

    def __init__(self, roots: Mapping[str, Json], now: float = NOW, seed: int = 1) -> None:
        super().__init__(roots, now=now, draws=tuple(draw(seed, number) for number in range(64)))
        self._extra: Mapping[str, Json] = {}

    @property
    def input(self) -> Json:
        """The root of this name."""
        return self.root("input")

    def root(self, name: str) -> Json:
        """Give an extra name or a root, or KeyError."""
        return self._extra[name] if name in self._extra else super().root(name)

    def evaluate(self, expression: str, **names: Json) -> Json:
        """Evaluate an expression with extra names in scope."""
        before, self._extra = self._extra, {**self._extra, **names}
        try:
            return compile_expression(expression).render(self)
        finally:
            self._extra = before


def evaluate(
    node: PureNode,
    config: Mapping[str, Json],
    input: Json = None,  # noqa: A002  the word of the port
    *,
    now: float = NOW,
    seed: int = 1,
    **roots: Json,
) -> PureResult:
    """Evaluate a pure node as History does: spellings settled, expressions resolved, raw ones left."""
    scope = PureScope({"input": input, **roots}, now=now, seed=seed)
    settled, raw = parted(respell(node.spec, config), node.spec.raw)
    return node.evaluate(joined(compile_template(settled).render(scope), raw), scope)


@dataclass
class FakeNodeContext:
    """What one attempt of an activity may use, in tests; build it with `node_context`.

    Attributes:
        logs: What the node logged, as `{"message", "level", "data"}`, oldest first.
        heartbeats: Progress that the node reported, oldest first.
    """

    config: Mapping[str, Json]
    input: Json
    http: HttpClient
    code: CodeRunner
    blobs: BlobStore
    secrets: Mapping[str, Mapping[str, Json]]
    roots: Mapping[str, Json] = field(default_factory=dict)
    execution_id: str = "01ba5e00-0000-8001-8000-000000000001"
    workspace_id: str = "workspace"
    key: str = "node"
    attempt: int = 1
    timeout_s: float = 10.0
    now: float = NOW
    logs: list[Mapping[str, Json]] = field(default_factory=list)
    heartbeats: list[Json] = field(default_factory=list)

    @property
    def effect_key(self) -> str:
        """The same over all attempts."""
        return f"{self.execution_id}:{self.key}"

    def evaluate(self, expression: str, **names: Json) -> Json:
        """Evaluate an expression over the input, the given roots and extra names."""
        return PureScope({"input": self.input, **self.roots}, now=self.now).evaluate(expression, **names)

    async def secret(self, name: str) -> Mapping[str, Json]:
        """Open a credential."""
        try:
            return self.secrets[name]
        except KeyError:
            raise NotFound(f"There is no credential {name}.") from None

    def log(self, message: str, *, level: str = "info", data: Json = None) -> None:
        """Remember a line."""
        self.logs.append({"message": message, "level": level, "data": data})

    async def heartbeat(self, progress: Json = None) -> None:
        """Remember the progress."""
        self.heartbeats.append(progress)


def node_context(
    config: Mapping[str, Json] | None = None,
    *,
    input: Json = None,  # noqa: A002  the word of the port
    http: HttpClient | Sequence[HttpResponse | Exception] = (),
    code: CodeRunner | None = None,
    blobs: BlobStore | None = None,
    secrets: Mapping[str, Mapping[str, Json]] | None = None,
    roots: Mapping[str, Json] | None = None,
    attempt: int = 1,
    timeout_s: float = 10.0,
) -> FakeNodeContext:
    """Build what an attempt is handed; answers given as `http` become a `RecordedHttp`."""
    return FakeNodeContext(
        config=config or {},
        input=input,
        http=RecordedHttp(*http) if isinstance(http, Sequence) else http,
        code=code or RefusingCode(),
        blobs=blobs or MemoryBlobStore(),
        secrets=secrets or {},
        roots=roots or {},
        attempt=attempt,
        timeout_s=timeout_s,
    )
