"""Run one attempt of one activity: resolve its config, run the node in time, say how it ended as data."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from linkflow import telemetry
from linkflow.domain.credential import Redaction, secrets_in
from linkflow.domain.errors import ActivityError, Kind, LinkFlowError, NodeError, NotFound, node_error
from linkflow.domain.execution.failing import TIMEOUTS
from linkflow.domain.execution.retry import draw
from linkflow.domain.node import Completion, NodeClass, joined, parted
from linkflow.domain.parameters import require_config
from linkflow.domain.values import (
    INLINE_BYTES,
    OUTPUT_BYTES,
    Json,
    blob_of,
    blob_reference,
    decode_json,
    encode_json,
)
from linkflow.domain.workflow.template import (
    Template,
    compile_expression,
    compile_template,
    credentials_of,
    node_of,
    unseal,
)
from linkflow.ports.clock import Clock
from linkflow.ports.commands import LOOK_UP
from linkflow.ports.nodes import LooksUp, WorkerNodes
from linkflow.ports.outbound import BlobStore, CodeRunner, HttpClient
from linkflow.ports.services import CredentialBroker, Task
from linkflow.telemetry import metrics, tracing

TEMPLATES = 2_000
"""Compiled configs kept."""

UNCERTAIN = TIMEOUTS | {"http.timeout", "http.connection_lost"}
"""Errors after which nobody knows whether the effect happened."""

log = telemetry.logger("worker")
_ended = metrics.counters("linkflow_node_executions_total")
_took = metrics.histograms("linkflow_node_execution_duration_seconds")
_waited = metrics.histogram("linkflow_task_wait_seconds")


class Activities:
    """Runs attempts with what this worker has."""

    def __init__(
        self,
        *,
        nodes: WorkerNodes,
        http: HttpClient,
        code: CodeRunner,
        blobs: BlobStore,
        broker: CredentialBroker,
        clock: Clock,
    ) -> None:
        self._nodes = nodes
        self.http = http
        self.code = code
        self.blobs = blobs
        self.broker = broker
        self.clock = clock
        self._templates: OrderedDict[tuple[str, str], Template] = OrderedDict()

    async def run(self, task: Task) -> Completion:
        """Run one attempt; never raises but for cancellation."""
        started = self.clock.monotonic()
        telemetry.about(execution_id=task.execution_id, workspace_id=task.workspace_id, key=task.key)
        if task.attempt == 1:
            waited_s = max(0.0, self.clock.now() - task.scheduled_at)
            _waited.observe(waited_s)
            tracing.record(task.execution_id, f"queue {task.queue}", took_s=waited_s, kind="consumer")
        if not tracing.is_on():
            return await self._attempt(task, started)
        named = f"node {task.node_type}"
        with tracing.span(named, task.execution_id, key=task.key, attempt=task.attempt) as span:
            completion = await self._attempt(task, started)
            span.error = completion.error.code if completion.error is not None else ""
            return completion

    async def _attempt(self, task: Task, started: float) -> Completion:
        context = Context(task, self)
        try:
            completion = context.redacted(await self._run(task, context))
            if completion.error is None:
                completion = await self._stored(completion, task.workspace_id)
        except LinkFlowError as error:
            completion = self._failed(task, node_error(error))
        except TimeoutError:
            message = f"The node did not finish within {task.timeout_s:g} s."
            completion = self._failed(task, NodeError("node.timeout", Kind.TRANSIENT, message))
        except Exception as error:  # a node's bug must not stop the worker
            log.exception("node crashed", node_type=task.node_type, execution_id=task.execution_id)
            message = f"The node stopped with {type(error).__name__}: {error}"[:500]
            completion = self._failed(task, NodeError("node.crashed", Kind.PERMANENT, message))
        completion = context.redacted(completion)
        took_s = self.clock.monotonic() - started
        _took[task.node_type].observe(took_s)
        _ended[task.node_type, _outcome(completion)].inc()
        ms = round(took_s * 1000, 1)
        return msgspec.structs.replace(
            completion,
            logs=[*context.said(), *completion.logs] if context.lines or completion.logs else (),
            meta={**completion.meta, **context.progressed(), "ms": ms},
        )

    async def _run(self, task: Task, context: "Context") -> Completion:
        node_type = task.node_type.removesuffix(LOOK_UP)
        node = self._nodes.runner(node_type, task.node_version)
        if node is None:
            raise ActivityError(
                f"This worker does not know the node type {node_type}@{task.node_version}.",
                code="node.unknown_type",
            )
        scope = TaskScope(task, await self._opened(task.roots, task.workspace_id))
        context.input = await self._open_value(task.input, task.workspace_id)
        template = self._template(task, node.spec.raw)
        config = template.render(scope)
        names = credentials_of(template.roots)
        if names:
            config = unseal(config, {name: await context.secret(name) for name in names})
        raw = parted(task.config, node.spec.raw)[1] if node.spec.raw else {}
        context.config = joined(config, raw) if raw else config
        context.scope = scope
        require_config(node.spec, context.config)
        run = node.run
        if node_type != task.node_type:
            if not isinstance(node, LooksUp):
                raise ActivityError(f"{node_type} cannot look up.", code="node.cannot_look_up")
            run = node.look_up
        async with asyncio.timeout(task.timeout_s):
            silence = context.silence = asyncio.timeout(task.heartbeat_s or None)
            try:
                async with silence:
                    return await run(context)
            except TimeoutError:
                if not silence.expired():
                    raise
                raise ActivityError(
                    f"The node said nothing for {task.heartbeat_s:g} s and was ended; it must say more often "
                    "that it is alive, or its heartbeatTimeout must be longer.",
                    code="node.heartbeat_timeout",
                    kind=Kind.TRANSIENT,
                ) from None
            finally:
                context.silence = None

    def _template(self, task: Task, raw: Sequence[str]) -> Template:
        key = (task.spec_hash, task.node_id)
        template = self._templates.get(key)
        if template is None:
            settled, _ = parted(task.config, raw)
            template = self._templates[key] = compile_template(settled)
            if len(self._templates) > TEMPLATES:
                self._templates.popitem(last=False)
        return template

    async def _opened(self, roots: Mapping[str, Json], workspace_id: str) -> Mapping[str, Json]:
        for value in roots.values():
            if type(value) is dict:
                return {name: await self._open_value(value, workspace_id) for name, value in roots.items()}
        return roots

    async def _open_value(self, value: Json, workspace_id: str) -> Json:
        """Open a blob reference, or those one level down (several predecessors, a loop's item)."""
        if type(value) is not dict:
            return value
        sha256 = blob_of(value)
        if sha256 is not None:
            return decode_json(await self.blobs.get(workspace_id, sha256))
        if any(type(part) is dict and blob_of(part) is not None for part in value.values()):
            return {name: await self._open_value(part, workspace_id) for name, part in value.items()}
        return value

    async def _stored(self, completion: Completion, workspace_id: str) -> Completion:
        """Keep a large output in the blob store, before anybody can name it."""
        output = completion.output
        if output is None or isinstance(output, bool | int | float):
            return completion
        data = encode_json(output)
        if len(data) <= INLINE_BYTES:
            return completion
        if len(data) > OUTPUT_BYTES:
            raise ActivityError(
                f"The output has {len(data)} bytes; the limit is {OUTPUT_BYTES}. Return less.",
                code="node.output_too_large",
                bytes=len(data),
            )
        reference = blob_reference(await self.blobs.put(workspace_id, data), len(data))
        return msgspec.structs.replace(completion, output=reference)

    def _failed(self, task: Task, error: NodeError) -> Completion:
        is_unknown = task.node_class == NodeClass.ONCE and error.code in UNCERTAIN and not error.not_started
        return Completion(error=error, unknown=is_unknown)


def _outcome(completion: Completion) -> str:
    """Say in a word how an attempt ended."""
    if completion.unknown:
        return "unknown"
    return "completed" if completion.error is None else "failed"


class TaskScope:
    """What a config's expressions see on a worker: the roots that came with the task."""

    def __init__(self, task: Task, roots: Mapping[str, Json]) -> None:
        self.now = task.scheduled_at
        self._task = task
        self._roots = roots
        self._draws = 0

    def root(self, name: str) -> Json:
        """The value of a root or of an extra name; here `execution` knows the effect key, too."""
        roots = self._roots
        if name == "execution" and name in roots:
            return {**roots[name], "effect_key": self._task.effect_key}
        return roots[name] if name in roots else roots[f"extra:{name}"]

    def node(self, ref: str) -> Json:
        """The output of a node by id."""
        known = {name.removeprefix("node:") for name in self._roots if name.startswith("node:")}
        found = f"node:{ref}"
        if found in self._roots:
            return self._roots[found]
        for name in known:
            if node_of(name, {ref}) or node_of(ref, {name}):
                return self._roots[f"node:{name}"]
        return self._roots[f"label:{ref}"]

    def labelled(self, label: str) -> Json:
        """The output of a node by label."""
        return self._roots[f"label:{label}"]

    def evaluate(self, expression: str, names: Mapping[str, Json]) -> Json:
        """Evaluate an expression with extra names in scope."""
        before, self._roots = self._roots, {**self._roots, **names}
        try:
            return compile_expression(expression).render(self)
        finally:
            self._roots = before

    def names(self) -> Iterable[str]:
        """What came with the task."""
        return [name.partition(":")[2] or name for name in self._roots]

    def draw(self) -> float:
        """Draw from [0, 1), the same for every attempt."""
        self._draws += 1
        return draw(self._task.seed, self._task.key, self._draws)


class Context:
    """What one attempt may use; see `ports.nodes.NodeContext`."""

    def __init__(self, task: Task, activities: Activities) -> None:
        self._task = task
        self._activities = activities
        self._loop = asyncio.get_running_loop()
        self.config: Mapping[str, Json] = {}
        self.input: Json = None
        self.scope: TaskScope | None = None
        self.silence: asyncio.Timeout | None = None
        self.lines: list[Json] = []
        self._opened: dict[str, Mapping[str, Json]] = {}
        self.progress: dict[str, Json] = {}
        self.execution_id = task.execution_id
        self.workspace_id = task.workspace_id
        self.key = task.key
        self.attempt = task.attempt
        self.timeout_s = task.timeout_s
        self.now = task.scheduled_at

    @property
    def effect_key(self) -> str:
        """The same over all attempts."""
        return self._task.effect_key

    @property
    def http(self) -> HttpClient:
        """Guarded HTTP."""
        return self._activities.http

    @property
    def code(self) -> CodeRunner:
        """Sandboxed code."""
        return self._activities.code

    @property
    def blobs(self) -> BlobStore:
        """Large values."""
        return self._activities.blobs

    def evaluate(self, expression: str, **names: Json) -> Json:
        """Evaluate an expression with extra names in scope."""
        assert self.scope is not None
        return self.scope.evaluate(expression, {"input": self.input, **names})

    async def secret(self, name: str) -> Mapping[str, Json]:
        """Open a credential."""
        if name in self._opened:
            return self._opened[name]
        try:
            purpose = f"execution:{self.execution_id}:{self.key}"
            fields = await self._activities.broker.open(self.workspace_id, name, purpose)
        except NotFound as error:
            raise ActivityError(
                f"There is no credential '{name}' in this workspace; add it, or mend its name in the node.",
                code="credential.not_found",
                kind=Kind.VALIDATION,
            ) from error
        telemetry.conceal(fields)
        telemetry.conceal(sorted(secrets_in(fields)))
        self._opened[name] = fields
        return fields

    def _redaction(self) -> Redaction:
        """Make what takes the secrets of this attempt out of whatever leaves it."""
        return Redaction(secret for fields in self._opened.values() for secret in secrets_in(fields))

    def redacted(self, completion: Completion) -> Completion:
        """Take the secrets that this attempt opened out of how it ended."""
        if not self._opened:
            return completion
        clean, error = self._redaction(), completion.error
        if error is not None:
            error = msgspec.structs.replace(
                error, message=clean.text(error.message), details=clean.value(error.details)
            )
        return msgspec.structs.replace(
            completion,
            output=clean.value(completion.output),
            error=error,
            logs=[clean.value(line) for line in completion.logs],
            meta=clean.value(completion.meta),
        )

    def said(self) -> list[Json]:
        """List the lines it logged, without secrets."""
        return [self._redaction().value(line) for line in self.lines] if self._opened else self.lines

    def progressed(self) -> dict[str, Json]:
        """Say its last progress, without secrets."""
        return dict(self._redaction().value(self.progress)) if self._opened else self.progress

    def log(self, message: str, *, level: str = "info", data: Json = None) -> None:
        """Add a line to the execution's log; a sign of life, too."""
        self._beat()
        line = {"at": self._activities.clock.now(), "level": level, "message": message}
        if data is not None:
            line["data"] = data
        self.lines.append(line)

    def _beat(self) -> None:
        """Let the silence that an attempt may keep begin anew; a node may say something on any thread."""
        if self._task.heartbeat_s:
            self._loop.call_soon_threadsafe(self._begin_silence)

    def _begin_silence(self) -> None:
        if self.silence is not None and not self.silence.expired():
            self.silence.reschedule(self._loop.time() + self._task.heartbeat_s)

    async def heartbeat(self, progress: Json = None) -> None:
        """Say that it is alive; a cancelled attempt ends here. The last progress stays with the result."""
        self._beat()
        if progress is not None:
            self.progress["progress"] = progress
        await self._activities.clock.sleep(0)
