"""Problems with single nodes: ids, types, configs, limits."""

import difflib
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from linkflow.domain.budget import problems as budget_problems
from linkflow.domain.errors import Invalid
from linkflow.domain.node import LOOK_UP, Catalog, NodeSpec, Unknown, looks_up
from linkflow.domain.parameters import config_problems, respell, schema_problems
from linkflow.domain.schedule import Schedule, check_schedule
from linkflow.domain.values import INLINE_BYTES, encode_json
from linkflow.domain.workflow.check_starts import start_policy_problems
from linkflow.domain.workflow.placed import Layout, PlacedNode, is_trigger
from linkflow.domain.workflow.spec import Problem, Severity, WorkflowSpec

_ID = re.compile(r"[\w.:-]{1,100}")
RESERVED = frozenset(
    {
        "trigger",
        "input",
        "loop",
        "vars",
        "env",
        "session",
        "execution",
        "workflow",
        "credential",
        "item",
        "index",
    }
)
"""Words of expressions: they hide a node that has one of them as its id."""

_MAX_ATTEMPTS = 100
_MAX_TIMEOUT_MS = 7 * 86_400_000


def node_problems(layout: Layout, catalog: Catalog) -> Iterator[Problem]:
    """List what is wrong with each node by itself."""
    yield from _ids(layout.spec)
    if len(layout.nodes) == 1 and not layout.spec.edges:
        yield Problem(
            "EMPTY_WORKFLOW", "Nothing follows the trigger; add a node.", Severity.WARNING, "$.nodes"
        )
    yield from _triggers(layout)
    for placed in layout.nodes:
        if placed.spec is None:
            yield _unknown_type(placed, catalog)
        else:
            yield from _config(placed, placed.spec)
            yield from _unknown(placed, placed.spec, catalog)
        yield from _limits(placed)
        yield from _pinned(placed)
    yield from _settings(layout.spec)
    yield from _budget(layout.spec)


def _ids(spec: WorkflowSpec) -> Iterator[Problem]:
    seen = {spec.trigger.id: "$.trigger"}
    places = [("$.trigger", spec.trigger), *((f"$.nodes[{at}]", node) for at, node in enumerate(spec.nodes))]
    for path, node in places:
        if not node.id:
            yield Problem("MISSING_NODE_ID", "The node has no id; give it one.", path=path)
        elif not _ID.fullmatch(node.id):
            message = f"The id {node.id[:60]!r} cannot be used; take letters, digits, _ and -, at most 100."
            yield Problem("INVALID_NODE_ID", message, path=f"{path}.id", node_id=node.id)
        elif node.id in RESERVED:
            message = f"A node cannot be called '{node.id}': in expressions that name means something else."
            yield Problem("INVALID_NODE_ID", message, Severity.WARNING, f"{path}.id", node.id)
        if path != "$.trigger":
            first = seen.setdefault(node.id, path)
            if first != path and not (first == "$.trigger" and node.type == spec.trigger.type):
                message = f"The id '{node.id}' is taken by {first}; ids must be unique."
                yield Problem("DUPLICATE_NODE_ID", message, path=f"{path}.id", node_id=node.id)


def _triggers(layout: Layout) -> Iterator[Problem]:
    trigger = layout.nodes[0]
    if trigger.spec is not None and not is_trigger(trigger):
        message = f"'{trigger.node.type}' does not start executions; take a type such as trigger.manual."
        yield trigger.problem("NO_TRIGGER_NODE", message, ".type")
    others = [placed for placed in layout.nodes[1:] if is_trigger(placed)]
    if others:
        message = f"There are {len(others) + 1} triggers; each starts executions of its own."
        yield others[0].problem("MULTIPLE_TRIGGER_NODES", message, severity=Severity.WARNING)


def _unknown_type(placed: PlacedNode, catalog: Catalog) -> Problem:
    node_type = placed.node.type
    if not node_type:
        return placed.problem("MISSING_NODE_TYPE", "The node has no type; choose one.", ".type")
    known = [name for spec in catalog.specs() for name in (spec.type, *spec.aliases)]
    # That both are of n8n, or of one package, says nothing: what follows the last dot has to be near, too.
    near = [
        name
        for name in difflib.get_close_matches(node_type, known, 3, 0.6)
        if difflib.get_close_matches(_last(node_type), [_last(name)], 1, 0.6)
    ]
    found = catalog.find(near[0]) if near else None
    hint = f"did you mean {found.type}?" if found else "install the package that has it, or choose another."
    return placed.problem("UNKNOWN_NODE_TYPE", f"There is no node type '{node_type[:100]}'; {hint}", ".type")


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _config(placed: PlacedNode, spec: NodeSpec) -> Iterator[Problem]:
    config = respell(spec, placed.node.config)
    for path, message in config_problems(spec, config):
        yield placed.problem("NODE_CONFIG_VALIDATION_ERROR", f"{spec.type}: {message}.", f".config{path[1:]}")
    properties = spec.parameters.get("properties") or {}
    if properties and spec.parameters.get("additionalProperties") is None:
        for name in config:
            if name not in properties:
                near = difflib.get_close_matches(name, list(properties), 1, 0.7)
                hint = f"; did you mean '{near[0]}'?" if near else "; it is ignored."
                message = f"{spec.type} has no parameter '{name[:60]}'{hint}"
                yield placed.problem("UNKNOWN_FIELD", message, f".config.{name}", Severity.WARNING)
    if spec.type == "trigger.schedule":
        yield from _schedule(placed, config.get("cron"), config.get("timezone"))


def _unknown(placed: PlacedNode, spec: NodeSpec, catalog: Catalog) -> Iterator[Problem]:
    said = placed.node.unknown
    if said is None:
        return
    if said not in tuple(Unknown):
        message = f"unknown is one of {', '.join(sorted(Unknown))}, not '{said[:60]}'."
        yield placed.problem("SCHEMA_VALIDATION_ERROR", message, ".unknown")
    elif said == Unknown.LOOK_UP and not looks_up(spec, respell(spec, placed.node.config)):
        if spec.can_look_up:
            message = f"{spec.type} looks up where its parameter `{LOOK_UP}` says; give it one."
        else:
            able = ", ".join(each.type for each in catalog.specs() if each.can_look_up)
            message = (
                f"{spec.type} cannot look up what became of an attempt; take fail, park or retry. "
                f"Types that can: {able or 'none is installed'}."
            )
        yield placed.problem("CANNOT_LOOK_UP", message, ".unknown")


def _schedule(placed: PlacedNode, cron: object, timezone: object) -> Iterator[Problem]:
    if not isinstance(cron, str) or not cron or "{{" in cron:
        return
    try:
        check_schedule(
            Schedule(cron=cron, timezone=timezone if isinstance(timezone, str) and timezone else "UTC")
        )
    except Invalid as error:
        yield placed.problem("NODE_CONFIG_VALIDATION_ERROR", str(error), ".config.cron")


def _pinned(placed: PlacedNode) -> Iterator[Problem]:
    pinned = placed.node.pinned
    if pinned is None:
        return
    if "output" not in pinned:
        message = "A pin holds `output`: what test runs take instead of running the node."
        yield placed.problem("SCHEMA_VALIDATION_ERROR", message, ".pinned")
    elif len(encode_json(pinned["output"])) > INLINE_BYTES:
        message = (
            f"A pinned output has at most {INLINE_BYTES // 1024} KB here; pin the output of an execution, "
            "which is kept apart, or shorten it."
        )
        yield placed.problem("PINNED_TOO_LARGE", message, ".pinned")
    else:
        name = placed.node.label or placed.node.id
        message = f"The output of '{name}' is pinned: test runs take it, published versions run the node."
        yield placed.problem("PINNED_OUTPUT", message, ".pinned", Severity.WARNING)


def _limits(placed: PlacedNode) -> Iterator[Problem]:
    node = placed.node
    limits = {
        "timeout": node.timeout,
        "heartbeatTimeout": node.heartbeat_timeout,
        "scheduleToStart": node.schedule_to_start,
    }
    for name, limit in limits.items():
        if limit is not None and not 1 <= limit <= _MAX_TIMEOUT_MS:
            message = f"{name} is 1 ms to 7 days, in milliseconds."
            yield placed.problem("SCHEMA_VALIDATION_ERROR", message, f".{name}")
    retry = node.retry
    if retry is None:
        return
    if not 1 <= retry.max_attempts <= _MAX_ATTEMPTS:
        message = f"maxAttempts is 1 to {_MAX_ATTEMPTS}."
        yield placed.problem("SCHEMA_VALIDATION_ERROR", message, ".retry.maxAttempts")
    if retry.initial_delay_ms < 0 or retry.max_delay_ms < 0 or retry.backoff_multiplier < 1:
        message = "Delays are 0 or more, and backoffMultiplier is 1 or more."
        yield placed.problem("SCHEMA_VALIDATION_ERROR", message, ".retry")


def _settings(spec: WorkflowSpec) -> Iterator[Problem]:
    settings = spec.settings
    try:
        ZoneInfo(settings.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"There is no time zone {settings.timezone[:60]!r}; write one such as Africa/Nairobi."
        yield Problem("SCHEMA_VALIDATION_ERROR", message, path="$.settings.timezone")
    if settings.max_execution_time_ms < 0:
        message = "maxExecutionTimeMs is 0 or more."
        yield Problem("SCHEMA_VALIDATION_ERROR", message, path="$.settings.maxExecutionTimeMs")
    if not 0 <= settings.priority <= 9:
        yield Problem("SCHEMA_VALIDATION_ERROR", "priority is 0 to 9.", path="$.settings.priority")
    if settings.input_schema is not None:
        try:
            schema_problems(settings.input_schema, {})
        except Invalid as error:
            message = f"{str(error).rstrip('.')}."
            yield Problem("SCHEMA_VALIDATION_ERROR", message, path="$.settings.inputSchema")
    yield from start_policy_problems(settings)


def _budget(spec: WorkflowSpec) -> Iterator[Problem]:
    if spec.settings.budget is not None:
        for where, message in budget_problems(spec.settings.budget):
            yield Problem("SCHEMA_VALIDATION_ERROR", message, path=f"$.settings.budget.{where}")
