"""Nodes and edges of other products' specs as ours. Ids are kept: expressions name them."""

from collections.abc import Callable, Mapping
from typing import Any

from linkflow.domain.node import Catalog, NodeSpec
from linkflow.domain.values import Json
from linkflow.domain.workflow.spec import Edge, Node, OnError, Retry

Note = Callable[[str, str, str, str | None], None]
"""Take a note: code, message, path, node id."""

_CONFIG_KEYS = ("config", "parameters", "params")
_LABEL_KEYS = ("label", "name", "title")
_NODE_KEYS = frozenset(
    [
        "id",
        "type",
        "position",
        "data",
        "label",
        "name",
        "title",
        "config",
        "parameters",
        "params",
        "disabled",
        "onError",
        "continueOnFail",
        "retryOnFail",
        "maxRetries",
        "retry",
        "timeout",
        "credentials",
        "credentialId",
        "credential_id",
        "notes",
        "description",
    ]
)
_VIEW_KEYS = frozenset(
    [
        "width",
        "height",
        "selected",
        "dragging",
        "positionAbsolute",
        "measured",
        "zIndex",
        "style",
        "className",
        "typeVersion",
        "sourcePosition",
        "targetPosition",
        "handles",
        "icon",
        "color",
        "category",
        "nodeType",
        "animated",
        "markerEnd",
        "interactionWidth",
        "data",
    ]
)
_ON_ERROR = {
    "continue": OnError.CONTINUE,
    "stop": OnError.FAIL,
    "fail": OnError.FAIL,
    "branch": OnError.BRANCH,
    "continueRegularOutput": OnError.CONTINUE,
    "continueErrorOutput": OnError.BRANCH,
    "stopWorkflow": OnError.FAIL,
}


def imported_node(raw: Mapping[str, Any], path: str, shape: str, catalog: Catalog, note: Note) -> Node:
    """Turn a node into ours.

    Args:
        raw: The node as it stands.
        path: Where it stands, for notes.
        shape: `S1` to `S4`.
        catalog: For aliases of types.
        note: Takes what could not be kept.
    """
    data = raw["data"] if isinstance(raw.get("data"), dict) else {}
    node_id = _text(raw.get("id")) or _text(raw.get("name")).replace(" ", "_")
    written = _text(raw.get("type")) or _text(data.get("type"))
    config = _config(raw, data)
    written = _outbound(written, config, note, path, node_id)
    found = catalog.find(written)
    if found is None:
        note(
            "UNKNOWN_NODE_TYPE",
            f"The type '{written}' is not known here; the node is kept as it is.",
            path,
            node_id,
        )
    _adapt(config, found, written, shape, {**raw, **data}, note, path, node_id)
    for key in raw:
        if key not in _NODE_KEYS and key not in _VIEW_KEYS:
            note(
                "UNKNOWN_FIELD",
                f"'{key}' of the node has no place here and is left out.",
                f"{path}.{key}",
                node_id,
            )
    return Node(
        id=node_id,
        type=found.type if found else written,
        label=_label(raw, data),
        config=config,
        position=imported_position(raw.get("position")),
        retry=imported_retry({**raw, **data}),
        timeout=_timeout_ms(raw, data, shape),
        disabled=raw.get("disabled") is True or data.get("disabled") is True,
        on_error=imported_on_error(raw, data),
        notes=_text(raw.get("notes")),
    )


def _config(raw: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Json]:
    """Find the parameters: under a name of their own, or directly in `data`."""
    for place in (data, raw):
        for key in _CONFIG_KEYS:
            if isinstance(place.get(key), dict):
                return dict(place[key])
    left_out = _NODE_KEYS | _VIEW_KEYS
    return {key: value for key, value in data.items() if key not in left_out}


def _outbound(written: str, config: Mapping[str, Json], note: Note, path: str, node_id: str) -> str:
    """Tell a webhook that is called from one that calls: in lnkflow one type means both."""
    if written == "trigger_webhook" and config.get("url"):
        note("TYPE_CHANGED", "This webhook calls an address, so it becomes http.request.", path, node_id)
        return "http.request"
    return written


def _adapt(
    config: dict[str, Json],
    found: NodeSpec | None,
    written: str,
    shape: str,
    fields: Mapping[str, Any],
    note: Note,
    path: str,
    node_id: str,
) -> None:
    """Bring what a type means elsewhere in line with what it means here."""
    credential = _credential(fields)
    if found is None:
        return
    if found.type == "http.request":
        if shape == "S1" and "on_status" not in config:
            config["on_status"] = "data"  # its conditions read the status themselves
        if credential and "credential" not in config:
            config["credential"] = credential
    elif credential:
        note("CREDENTIAL", f"Connect the credential '{credential}' again.", path, node_id)
    if written == "DELAY" and "duration" in config and "unit" not in config:
        config["unit"] = "ms"


def _credential(fields: Mapping[str, Any]) -> str:
    for key in ("credentialId", "credential_id"):
        if fields.get(key):
            return _text(fields[key])
    kept = fields.get("credentials")
    if isinstance(kept, dict) and kept:
        first = next(iter(kept.values()))
        return _text(first.get("name") or first.get("id")) if isinstance(first, dict) else _text(first)
    return _text(kept)


def _label(raw: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    for place in (data, raw):
        for key in _LABEL_KEYS:
            if _text(place.get(key)):
                return _text(place[key])
    return ""


def imported_position(raw: Json) -> dict[str, float]:
    """Read where a node stands: `{"x", "y"}` or a pair."""
    if isinstance(raw, list) and len(raw) == 2:
        raw = {"x": raw[0], "y": raw[1]}
    if not isinstance(raw, dict):
        return {}
    return {axis: float(raw[axis]) for axis in ("x", "y") if isinstance(raw.get(axis), int | float)}


def imported_retry(raw: Mapping[str, Any]) -> Retry | None:
    """Read how often something is tried again, in any of the spellings; None when nothing says it."""
    given = raw.get("retry")
    if isinstance(given, dict):
        if given.get("enabled") is False:
            return Retry(max_attempts=1)
        delay_ms = given.get("initialDelayMs", given.get("backoffMs"))
        if delay_ms is None and isinstance(given.get("delay_seconds"), int | float):
            delay_ms = given["delay_seconds"] * 1000
        errors = given.get("retryableErrors")
        return Retry(
            max_attempts=_whole(
                given.get("maxAttempts", given.get("max_attempts", given.get("attempts"))), 3
            ),
            initial_delay_ms=_whole(delay_ms, 1_000),
            backoff_multiplier=float(_number(given.get("backoffMultiplier"), 2.0)),
            max_delay_ms=_whole(given.get("maxDelayMs"), 60_000),
            retryable_errors=tuple(map(str, errors)) if isinstance(errors, list) else (),
        )
    if raw.get("retryOnFail") is True or raw.get("retryOnFailure") is True:
        return Retry(max_attempts=_whole(raw.get("maxRetries"), 2) + 1)
    return None


def _timeout_ms(raw: Mapping[str, Any], data: Mapping[str, Any], shape: str) -> int | None:
    given = raw.get("timeout", data.get("timeout"))
    if isinstance(given, bool) or not isinstance(given, int | float) or given <= 0:
        return None
    return int(given * 1000) if shape in ("S1", "S4") else int(given)  # seconds there, milliseconds elsewhere


def imported_on_error(raw: Mapping[str, Any], data: Mapping[str, Any]) -> OnError | None:
    """Read what follows a failure, in any of the spellings; None when nothing says it."""
    for place in (data, raw):
        given = place.get("onError")
        if isinstance(given, str) and given in _ON_ERROR:
            return _ON_ERROR[given]
        if place.get("continueOnFail") is True:
            return OnError.CONTINUE
    return None


_ENDS = {
    "source": ("source", "source_node_id", "sourceNodeId", "from", "source_id"),
    "target": ("target", "target_node_id", "targetNodeId", "to", "target_id"),
    "source_handle": ("sourceHandle", "source_handle", "handle", "fromHandle", "sourceOutput"),
    "target_handle": ("targetHandle", "target_handle", "toHandle", "targetInput"),
}
_EDGE_KEYS = frozenset(
    {"id", "condition", "label", "type", "back", *(key for keys in _ENDS.values() for key in keys)}
)


def imported_edge(raw: Mapping[str, Any], path: str, note: Note) -> Edge:
    """Turn an edge, a connection or a pair of from and to into ours."""
    found = {
        end: next((_text(raw[key]) for key in keys if raw.get(key) not in (None, "")), "")
        for end, keys in _ENDS.items()
    }
    data = raw.get("data")
    condition = raw.get("condition") or (data.get("condition") if isinstance(data, dict) else None)
    for key in raw:
        if key not in _EDGE_KEYS and key not in _VIEW_KEYS:
            note(
                "UNKNOWN_FIELD",
                f"'{key}' of the edge has no place here and is left out.",
                f"{path}.{key}",
                None,
            )
    return Edge(
        id=_text(raw.get("id")),
        condition=_text(condition),
        label=_text(raw.get("label")),
        back=raw.get("back") is True,
        source=found["source"],
        target=found["target"],
        source_handle=found["source_handle"],
        target_handle=found["target_handle"],
    )


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def _number(value: Json, default: float) -> int | float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def _whole(value: Json, default: int) -> int:
    return max(0, min(int(_number(value, default)), 2**31))
