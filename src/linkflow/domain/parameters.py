"""Config against the JSON Schema of its node type, before and after expressions are resolved."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs

from linkflow.domain.errors import Invalid
from linkflow.domain.node import NodeSpec
from linkflow.domain.values import Json, canonical, decode_json

_ANY_OF = frozenset({"anyOf", "oneOf", "allOf", "if", "not", "contains"})
"""Keywords whose verdict may hang on an expression deeper inside."""


SAME_AS = "x-same-as"
"""Keyword of a property that is only another spelling: the name of the field it stands for."""


def respell(spec: NodeSpec, config: Mapping[str, Json]) -> Mapping[str, Json]:
    """Rename every other spelling of a field to its own name, so that nodes read one name only.

    Args:
        spec: The node type, whose parameters say what is another spelling.
        config: As written; where both spellings are given, the field's own name wins.

    Returns:
        The same object when nothing is to be renamed. Safe to repeat.
    """
    others = _spellings(spec)
    if not others or others.keys().isdisjoint(config):
        return config
    own = {name: value for name, value in config.items() if name not in others}
    for name, value in config.items():
        if name in others:
            own.setdefault(others[name], value)
    return own


def config_problems(spec: NodeSpec, config: Mapping[str, Json]) -> list[tuple[str, str]]:
    """List what is wrong with a config as written; what an expression will fill in is not judged.

    Returns:
        `(path, message)` for each problem, in the order of the schema; path such as
        `$.headers[0].name`.

    Raises:
        Invalid: `node.schema`: the node type's schema is not one.
    """
    written = _given(config)
    return [
        (_path(error.instance_path), _message(error))
        for error in _validator(spec).iter_errors(written)
        if not _undecided(error, written)
    ]


def require_config(spec: NodeSpec, config: Mapping[str, Json]) -> None:
    """Refuse a resolved config that its node type cannot work with.

    Raises:
        Invalid: `node.config`: the first problem, with its path.
    """
    validator, given = _validator(spec), _given(config)
    if validator.is_valid(given):
        return
    for error in validator.iter_errors(given):
        path = _path(error.instance_path)
        raise Invalid(
            f"{spec.type}: {path[2:] or 'config'}: {_message(error)}", code="node.config", path=path
        )


def schema_problems(schema: Json, value: Json) -> list[tuple[str, str]]:
    """List what is wrong with a value by a JSON Schema that somebody wrote.

    Raises:
        Invalid: `schema.invalid`: the schema is not one, or refers to a document elsewhere.
    """
    return [
        (_path(error.instance_path), _message(error))
        for error in _compiled(canonical(schema)).iter_errors(value)
    ]


def _given(config: Mapping[str, Json]) -> dict[str, Json]:
    """Leave out fields that are null: forms and expressions say so that there is nothing."""
    if type(config) is dict and None not in config.values():
        return config
    return {name: value for name, value in config.items() if value is not None}


def _validator(spec: NodeSpec) -> Any:
    key = id(spec)
    found = _VALIDATORS.get(key)
    if found is None or found[0] is not spec:
        found = _VALIDATORS[key] = (spec, _compile(dict(spec.parameters), f"the parameters of {spec.type}"))
    return found[1]


def _spellings(spec: NodeSpec) -> Mapping[str, str]:
    found = _SPELLINGS.get(id(spec))
    if found is None or found[0] is not spec:
        properties = spec.parameters.get("properties") or {}
        names = {name: schema[SAME_AS] for name, schema in properties.items() if SAME_AS in schema}
        found = _SPELLINGS[id(spec)] = (spec, names)
    return found[1]


_SPELLINGS: dict[int, tuple[NodeSpec, Mapping[str, str]]] = {}
"""As `_VALIDATORS`: hashing a spec would cost more than the look-up saves."""

_VALIDATORS: dict[int, tuple[NodeSpec, Any]] = {}
"""By identity of the spec, which is kept alive here: hashing a spec would cost more than validating."""


@lru_cache(maxsize=256)
def _compiled(schema: bytes) -> Any:
    return _compile(decode_json(schema), "the schema")


def _compile(schema: Json, what: str) -> Any:
    try:
        return jsonschema_rs.Draft202012Validator(
            schema,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),  # linear time, whatever the pattern
            retriever=_refuse,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise Invalid(
            f"{what} cannot be used: {str(error).splitlines()[0][:200]}", code="schema.invalid"
        ) from error


def _refuse(uri: str) -> Json:
    """Refuse documents from elsewhere: a schema is whole by itself."""
    raise ValueError(f"a schema may not refer to {uri[:100]}")


def _undecided(error: Any, config: Json) -> bool:
    """Say whether an expression could still make this right."""
    instance = config
    for step in error.instance_path:
        instance = instance[step]
    if isinstance(instance, str):
        return "{{" in instance
    keyword = error.schema_path[-1] if error.schema_path else ""
    return keyword in _ANY_OF and _has_expression(instance)


def _has_expression(value: Json) -> bool:
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, Mapping):
        return any(map(_has_expression, value.values()))
    return isinstance(value, list) and any(map(_has_expression, value))


def _path(steps: Any) -> str:
    return "$" + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" if re.fullmatch(r"\w+", step) else f"[{step!r}]"
        for step in steps
    )


def _message(error: Any) -> str:
    """Say what is wrong, without a value that may be long or secret."""
    text = str(error.message)
    return text if len(text) <= 200 else f"{text[:200]}…"
