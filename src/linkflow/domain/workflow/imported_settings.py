"""Metadata, settings and error handling of other products' specs as ours."""

from collections.abc import Mapping
from typing import Any

from linkflow.domain.values import Json
from linkflow.domain.workflow.imported_nodes import Note, imported_retry
from linkflow.domain.workflow.spec import ErrorHandling, Metadata, Settings

_KNOWN = frozenset(
    [
        "timezone",
        "maxExecutionTimeMs",
        "executionTimeout",
        "timeout",
        "retry",
        "retryOnFailure",
        "maxRetries",
        "errorWorkflow",
        "error_workflow",
        "error_workflow_id",
        "maxConcurrentExecutions",
        "callbackUrl",
        "callback_url",
        "inputSchema",
        "variables",
        "on_error",
        "continueOnError",
    ]
)
_HARMLESS = frozenset(
    [
        "saveExecutionData",
        "saveDataErrorExecution",
        "saveDataSuccessExecution",
        "saveManualExecutions",
        "callerPolicy",
        "executionOrder",
        "enableReplay",
    ]
)


def imported_metadata(raw: Mapping[str, Any], outer: Mapping[str, Any]) -> Metadata:
    """Read who and what a spec is; ids, versions and authors of elsewhere are not ours."""
    given = raw["metadata"] if isinstance(raw.get("metadata"), dict) else {}
    named: dict[str, Json] = {**outer, **raw, **given}
    tags = named.get("tags")
    return Metadata(
        name=_text(named.get("name"))[:255],
        description=_text(named.get("description")),
        tags=tuple(filter(None, map(_tag, tags))) if isinstance(tags, list) else (),
        environment=_text(named.get("environment")),
    )


def _tag(tag: Json) -> str:
    return _text(tag.get("name")) if isinstance(tag, dict) else _text(tag)


def imported_settings(raw: Mapping[str, Any], note: Note) -> Settings:
    """Read how executions behave.

    Seconds become milliseconds where the field counts seconds (`timeout`, `executionTimeout`).
    """
    given = raw["settings"] if isinstance(raw.get("settings"), dict) else {}
    for key, value in given.items():
        if key not in _KNOWN and key not in _HARMLESS and value not in (None, "", False):
            note("UNKNOWN_FIELD", f"The setting '{key}' has no place here.", f"$.settings.{key}", None)
    variables = given.get("variables", raw.get("variables"))
    schema = given.get("inputSchema")
    return Settings(
        max_execution_time_ms=_limit_ms(given),
        timezone=_text(given.get("timezone")) or "UTC",
        max_concurrent_executions=max(0, int(_number(given.get("maxConcurrentExecutions")))),
        error_workflow=_error_workflow(raw, given),
        callback_url=_text(given.get("callbackUrl") or given.get("callback_url")),
        input_schema=schema if isinstance(schema, dict) else None,
        variables=variables if isinstance(variables, dict) else {},
    )


def _error_workflow(raw: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    names = ("errorWorkflow", "error_workflow", "error_workflow_id")
    return next((_text(place[name]) for place in (given, raw) for name in names if place.get(name)), "")


def _limit_ms(given: Mapping[str, Any]) -> int:
    timeout = given.get("timeout")
    seconds = timeout.get("workflow") if isinstance(timeout, dict) else timeout
    found = _number(given.get("maxExecutionTimeMs"))
    return int(found or 1000 * (_number(given.get("executionTimeout")) or _number(seconds)))


def imported_error_handling(raw: Mapping[str, Any], note: Note) -> ErrorHandling:
    """Read what happens on errors."""
    given = raw["errorHandling"] if isinstance(raw.get("errorHandling"), dict) else {}
    settings = raw["settings"] if isinstance(raw.get("settings"), dict) else {}
    for key, value in given.items():
        if key not in ("defaultRetry", "continueOnError") and value:
            note("UNKNOWN_FIELD", f"'{key}' has no place here.", f"$.errorHandling.{key}", None)
    retry = (
        imported_retry({"retry": given["defaultRetry"]})
        if given.get("defaultRetry")
        else imported_retry(settings)
    )
    is_lenient = given.get("continueOnError") is True or settings.get("continueOnError") is True
    return ErrorHandling(
        default_retry=retry, continue_on_error=is_lenient or settings.get("on_error") == "continue"
    )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Json) -> float:
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0.0
    )
