"""From the wish to start to the first event."""

from collections.abc import Mapping
from typing import Any

from linkflow.domain.attributes import kept
from linkflow.domain.errors import Invalid, PayloadTooLarge
from linkflow.domain.execution.events import WorkflowExecutionStarted
from linkflow.domain.pacing import DebouncePolicy, RatePolicy
from linkflow.domain.parameters import schema_problems
from linkflow.domain.values import (
    INLINE_BYTES,
    OUTPUT_BYTES,
    Json,
    blob_reference,
    canonical,
    digest,
    encode_json,
)
from linkflow.domain.webhook import TriggerScope
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import Concurrency, Settings
from linkflow.domain.workflow.template import compile_expression, compile_template
from linkflow.ports.outbound import BlobStore
from linkflow.ports.services import StartExecution

YEAR_S = 365 * 24 * 3600.0
"""Deadline of executions that set none, and of the time in a queue: nothing stays open for ever."""

LONGEST_KEY = 1_000
"""Characters of a policy's key; a longer one is named by its digest."""


async def started_event(
    command: StartExecution, graph: ExecutionGraph, blobs: BlobStore, now: float, seed: int
) -> WorkflowExecutionStarted:
    """Build the first event; large inputs go to the blob store.

    Raises:
        PayloadTooLarge: The input is beyond 10 MB.
        Invalid: The input does not match the workflow's input schema, or its manual trigger's.
    """
    settings = graph.spec.settings
    for schema in (settings.input_schema, _trigger_schema(command, graph)):
        wrong = schema_problems(schema, command.input) if schema is not None else ()
        if wrong:
            shown = "; ".join(f"{path}: {message}" for path, message in wrong[:5])
            raise Invalid(f"The input does not match the workflow's schema: {shown}.", code="input.invalid")
    scope = TriggerScope(command.input, now)
    limit_s = (command.timeout_ms or settings.max_execution_time_ms) / 1000
    policies = _start_policies(command, settings, scope)
    return WorkflowExecutionStarted(
        workspace_id=command.workspace_id,
        workflow_id=command.workflow_id,
        spec_hash=command.spec_hash,
        workflow_version=command.workflow_version,
        trigger=command.trigger,
        trigger_kind=command.trigger_kind,
        input=await _stored(command.input, command.workspace_id, blobs),
        mode=command.mode,
        seed=seed,
        deadline_at=now + (YEAR_S if policies or not limit_s else limit_s),
        limit_s=limit_s if policies else 0.0,
        request_id=command.request_id,
        priority=command.priority,
        callback_url=command.callback_url or settings.callback_url,
        parent=command.parent,
        origin=command.origin,
        depth=command.depth,
        overrides=command.overrides,
        variables=command.variables,
        session=command.session,
        **policies,
        attributes=_attributes(command, settings.attributes, scope),
        budget=settings.budget or command.budget,
        metered=command.metered,
    )


def _attributes(
    command: StartExecution, settings: Mapping[str, Json], scope: TriggerScope
) -> Mapping[str, Json]:
    """Say what the execution will be found by; an expression that cannot be resolved is left out."""
    if not settings and not command.attributes:
        return {}
    found: dict[str, Json] = {}
    for name, value in settings.items():
        try:
            found[name] = compile_template(value).render(scope) if isinstance(value, str) else value
        except (Invalid, KeyError):
            continue
    return kept(found | dict(command.attributes))


def _trigger_schema(command: StartExecution, graph: ExecutionGraph) -> Json:
    """Find the schema that a manual trigger asks of its input; None for none."""
    trigger = graph.nodes[graph.by_id.get(command.trigger, 0)]
    if trigger.spec.type != "trigger.manual":
        return None
    return trigger.node.config.get("input_schema") or trigger.node.config.get("inputSchema")


async def _stored(value: Json, workspace_id: str, blobs: BlobStore) -> Json:
    if value is None or isinstance(value, bool | int | float):
        return value
    data = encode_json(value)
    if len(data) > OUTPUT_BYTES:
        raise PayloadTooLarge(f"The input has {len(data)} bytes; the limit is {OUTPUT_BYTES}.")
    if len(data) <= INLINE_BYTES:
        return value
    return blob_reference(await blobs.put(workspace_id, data), len(data))


def _start_policies(command: StartExecution, settings: Settings, scope: TriggerScope) -> dict[str, Any]:
    """Say what the execution waits for before it begins; a retry and what handles an error wait for nothing.

    A test run neither takes the place of an execution nor waits for one where only time would let it begin.
    """
    if command.trigger_kind in ("retry", "error"):
        return {}
    found: dict[str, Any] = {}
    concurrency, rate, debounce = settings.concurrency, settings.rate, settings.debounce
    if concurrency is None and settings.max_concurrent_executions > 0:
        concurrency = Concurrency(limit=settings.max_concurrent_executions)
    if concurrency is not None:
        found["ticket"] = _key(command, concurrency.key, scope)
        found["ticket_limit"] = max(1, concurrency.limit)
        found["on_conflict"] = concurrency.on_conflict.value
    if command.mode == "test":
        return found
    if rate is not None:
        key = f"rate:{_key(command, rate.key, scope)}"
        found["rate"] = RatePolicy(key, max(1, rate.limit), rate.period_seconds, rate.on_exceed.value)
    if debounce is not None:
        key = f"debounce:{_key(command, debounce.key, scope)}"
        found["debounce"] = DebouncePolicy(key, debounce.seconds, debounce.max_seconds)
    return found


def _key(command: StartExecution, expression: str, scope: TriggerScope) -> str:
    """Name what a policy counts: the workflow, or one value of the key in it."""
    value = ""
    if expression:
        rendered = compile_expression(expression).render(scope)
        value = canonical(rendered).decode()
        if len(value) > LONGEST_KEY:
            value = digest(rendered)
    return f"{command.workspace_id}:{command.workflow_id}:{value}"
