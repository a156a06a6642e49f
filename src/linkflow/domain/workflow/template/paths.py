"""Walking into JSON by keys, with the wrappers that other products put around a value.

`output`, `json`, `body`, `data` and `response` are transparent where the shape lacks them, so that
`node_a.output.x`, `$node["A"].json.x` and `$node.a.data.x` read one and the same field.
"""

from collections.abc import Sequence

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import Missing

WRAPPERS = ("body", "json", "data", "output", "response")

_CONTENT = {"body": "data", "data": "body"}  # what a response calls its content
_ABSENT = object()

Key = str | int


def walk(value: Json, keys: Sequence[Key], text: str) -> Json:
    """Follow keys into a value, letting wrappers fall through.

    Args:
        value: Where to begin.
        keys: Names and indexes.
        text: The path as written, for the error.

    Raises:
        Missing: A key is not there.
    """
    found = _walk(value, keys, 0)
    if found is _ABSENT:
        raise Missing(text, *_missing(value, keys))
    return found


def show(name: str, keys: Sequence[Key]) -> str:
    """Write a path down: `trigger.items[0].id`."""
    return name + "".join(f"[{key}]" if isinstance(key, int) else f".{key[:100]}" for key in keys)


def step(value: Json, key: Key) -> Json:
    """Follow one key without wrappers; `_ABSENT` is never returned to callers of `walk`."""
    if isinstance(value, dict):
        return value.get(key if isinstance(key, str) else str(key), _ABSENT)
    if isinstance(value, list | str):
        if key == "length":
            return len(value)
        index = int(key) if isinstance(key, str) and key.isdigit() and len(key) < 10 else key
        if isinstance(index, int) and -len(value) <= index < len(value):
            return value[index]
    return _ABSENT


def _walk(value: Json, keys: Sequence[Key], at: int) -> Json:
    """Try the keys from `at` on; a wrapper that is absent is first nothing, then its counterparts."""
    tries = 0
    pending: list[tuple[Json, int]] = [(value, at)]
    while pending and tries < 1_000:
        value, at = pending.pop()
        while at < len(keys):
            tries += 1
            key = keys[at]
            found = step(value, key)
            at += 1
            if found is _ABSENT:
                if key not in WRAPPERS:
                    break
                if at == len(keys) and key in _CONTENT and isinstance(value, dict) and _CONTENT[key] in value:
                    return value[_CONTENT[key]]
                if isinstance(value, dict):
                    pending.extend((value[other], at) for other in reversed(WRAPPERS) if other in value)
                if value is None:
                    break
            else:
                value = found
        else:
            return value
    return _ABSENT


def _missing(value: Json, keys: Sequence[Key]) -> tuple[str, tuple[str, ...]]:
    """Find the first key that was not there, and the names that were."""
    key: Key = ""
    for key in keys:
        found = step(value, key)
        if found is _ABSENT:
            if key in WRAPPERS:
                continue
            break
        value = found
    return str(key), tuple(value) if isinstance(value, dict) else ()
