"""From the wish to start to the first event."""

from collections.abc import Mapping

from linkflow.domain.attributes import kept
from linkflow.domain.errors import Invalid, PayloadTooLarge
from linkflow.domain.execution.events import WorkflowExecutionStarted
from linkflow.domain.parameters import schema_problems
from linkflow.domain.values import INLINE_BYTES, OUTPUT_BYTES, Json, blob_reference, canonical, encode_json
from linkflow.domain.webhook import TriggerScope
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import Concurrency
from linkflow.domain.workflow.template import compile_expression, compile_template
from linkflow.ports.outbound import BlobStore
from linkflow.ports.services import StartExecution

YEAR_S = 365 * 24 * 3600.0
"""Deadline of executions that set none: nothing stays open for ever."""


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
    ticket, limit, on_conflict = _ticket(command, graph, scope)
    limit_ms = command.timeout_ms or settings.max_execution_time_ms
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
        deadline_at=now + (limit_ms / 1000 if limit_ms else YEAR_S),
        request_id=command.request_id,
        priority=command.priority,
        callback_url=command.callback_url or settings.callback_url,
        parent=command.parent,
        origin=command.origin,
        depth=command.depth,
        overrides=command.overrides,
        variables=command.variables,
        session=command.session,
        ticket=ticket,
        ticket_limit=limit,
        on_conflict=on_conflict,
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


def _ticket(command: StartExecution, graph: ExecutionGraph, scope: TriggerScope) -> tuple[str, int, str]:
    settings = graph.spec.settings
    policy = settings.concurrency
    if policy is None and settings.max_concurrent_executions > 0:
        policy = Concurrency(limit=settings.max_concurrent_executions)
    if policy is None or command.trigger_kind in ("retry", "error"):
        return "", 0, "queue"
    value = ""
    if policy.key:
        rendered = compile_expression(policy.key).render(scope)
        value = canonical(rendered).decode()
    return (
        f"{command.workspace_id}:{command.workflow_id}:{value}",
        max(1, policy.limit),
        policy.on_conflict.value,
    )
