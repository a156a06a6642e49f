"""n8n's nodes that change values or lists of items, and those that hold code."""

from collections.abc import Mapping
from typing import Any

from linkflow.domain.values import Json
from linkflow.domain.workflow.n8n.requests import table, text_of
from linkflow.domain.workflow.n8n.step import Made, Step, parsed


def _value(kind: str, value: Json) -> Json:
    """Read a value that n8n holds as text, by the type it says."""
    if not isinstance(value, str) or "{{" in value:
        return value
    if kind.startswith("number"):
        try:
            return int(value) if value.lstrip("-").isdigit() else float(value)
        except ValueError:
            return value
    if kind.startswith("boolean"):
        return value.lower() == "true"
    return parsed(value) if kind.startswith(("array", "object")) else value


def _assigned(given: Mapping[str, Any]) -> dict[str, Json]:
    values: dict[str, Json] = {}
    for each in table(given.get("assignments"), "assignments"):
        values[text_of(each.get("name"))] = _value(str(each.get("type") or ""), each.get("value"))
    for each in table(given.get("fields"), "values"):
        kind = str(each.get("type") or "stringValue")
        values[text_of(each.get("name"))] = _value(kind, each.get(kind))
    older = given.get("values")
    for kind, listed in older.items() if isinstance(older, dict) else ():
        for each in listed if isinstance(listed, list) else ():
            values[text_of(each.get("name"))] = _value(kind, each.get("value"))
    return values


def set_of(step: Step) -> Made:
    """Read Set, also called Edit Fields, of any version."""
    given, version = step.given, step.node.version
    if given.get("mode") == "raw":
        values = parsed(given.get("jsonOutput"))
        if not isinstance(values, dict):
            step.say("JSON", "Its JSON is put together from expressions; see that an object comes out of it.")
    else:
        values = _assigned(given)
    if version >= 3.3:
        keeps = bool(given.get("includeOtherFields"))
    else:
        keeps = given.get("include", "all") != "none" if version >= 3 else not given.get("keepOnlySet")
    chosen = given.get("include") in ("selected", "except")
    if keeps and chosen:
        step.say("FIELDS", "It kept some fields of what came in; here it keeps all of them.")
    step.left_out("dotNotation", "ignoreConversionErrors")
    if keeps and not step.data.is_direct:
        return Made(
            "data.merge", {"mode": "deep", "values": [f"{{{{ {step.data.words} }}}}", _nested(values)]}
        )
    config: dict[str, Json] = {"values": values}
    if keeps:
        config["include_input"] = True
    if step.options.get("dotNotation") is False:
        config["dot_notation"] = False
    return Made("data.set", config)


def _nested(values: Json) -> Json:
    """Put dots in names into objects."""
    if not isinstance(values, dict):
        return values
    found: dict[str, Any] = {}
    for name, value in values.items():
        place = found
        *outer, last = name.split(".")
        for key in outer:
            inner = place.setdefault(key, {})
            place = inner if isinstance(inner, dict) else {}
        place[last] = value
    return found


def aggregate_of(step: Step) -> Made:
    """Read Aggregate: one object of many items."""
    given = step.given
    if given.get("aggregate") == "aggregateAllItemData":
        return Made(
            "data.set", {"values": {text_of(given.get("destinationFieldName")) or "data": step.items()}}
        )
    values: dict[str, Json] = {}
    for each in table(given.get("fieldsToAggregate"), "fieldToAggregate"):
        field = text_of(each.get("fieldToAggregate"))
        name = text_of(each.get("outputFieldName")) if each.get("renameField") else field.rpartition(".")[2]
        values[name] = f"{{{{ toList({step.data.words}) | map('{field}') }}}}"
    step.left_out()
    return Made("data.set", {"values": values})


def _list(step: Step, ours: str, config: dict[str, Json]) -> Made:
    step.left_out()
    return Made(ours, {"items": step.items(), **config})


def sort_of(step: Step) -> Made:
    """Read Sort."""
    by: list[Json] = [
        {"field": each.get("fieldName"), "order": "desc" if each.get("order") == "descending" else "asc"}
        for each in table(step.given.get("sortFieldsUi"), "sortField")
    ]
    return _list(step, "data.sort", {"by": by})


def limit_of(step: Step) -> Made:
    """Read Limit."""
    ends = {"from": "last" if step.given.get("keep") == "lastItems" else "first"}
    return _list(step, "data.limit", {"limit": step.given.get("maxItems", 1), **ends})


def dedupe_of(step: Step) -> Made:
    """Read Remove Duplicates."""
    names = text_of(step.given.get("fieldsToCompare"))
    by: list[Json] = [name.strip() for name in names.split(",") if name.strip()]
    return _list(step, "data.dedupe", {"by": by} if by else {})


def split_of(step: Step) -> Made:
    """Read Split Out."""
    field = text_of(step.given.get("fieldToSplitOut"))
    if step.is_list:
        return _list(
            step, "data.split", {"items": f"{{{{ flatten(toList({step.data.words}) | map('{field}')) }}}}"}
        )
    return Made("data.split", {"items": f"{{{{ {step.data.words} }}}}", "field": field})


def code_of(step: Step) -> Made:
    """Keep source code where people see it."""
    given = step.node.parameters
    source = given.get("jsCode") or given.get("functionCode") or given.get("pythonCode") or ""
    language = "Python of n8n" if given.get("pythonCode") else "JavaScript"
    step.say(
        "CODE",
        f"'{step.node.name}' is {language}, which does not run here. It is kept as comments in a Python step "
        "that is switched off and hands its input on: write it anew, and switch it on.",
    )
    lines = [f"# {line}".rstrip() for line in str(source).splitlines()]
    return Made("code.python", {"code": "\n".join([*lines, "return input"])}, is_disabled=True)
