"""The pages of docs/reference about nodes, written from what the catalogue knows of them."""

import json
from collections.abc import Mapping

from linkflow.domain.node import NodeClass, NodeSpec
from linkflow.domain.parameters import SAME_AS
from linkflow.domain.values import Json
from linkflow.nodes.registry import NodeRegistry

CLASSES = {
    NodeClass.TRIGGER: "begins an execution",
    NodeClass.PURE: "decided in History, exactly once; no clock, network or chance",
    NodeClass.CONTROL: "interpreted by the engine itself",
    NodeClass.IDEMPOTENT: "runs on a worker and may repeat; the first completion wins",
    NodeClass.KEYED: "runs on a worker; the receiver honours a key, so it may repeat",
    NodeClass.ONCE: "runs on a worker at most once, and never in silence",
}

INDEX = """# Nodes

Read this when you look for what a workflow can do.
This page is generated; `make docs` writes it again.

A node type is written by its name, by its name and version (`http.request@1`), or by one of its aliases.
Packages add further ones: see `linkflow.nodes.sdk` and the example package.
"""


def node_pages() -> Mapping[str, str]:
    """Write a page for each node type and one that lists them, by their path below docs/reference."""
    specs = NodeRegistry().specs()
    pages = {f"nodes/{spec.type}.md": _page(spec) for spec in specs}
    groups: dict[str, list[NodeSpec]] = {}
    for spec in specs:
        groups.setdefault(spec.group, []).append(spec)
    index = [INDEX]
    for group, members in groups.items():
        rows = [
            f"| [`{spec.type}`](nodes/{spec.type}.md) | {spec.summary} | {spec.node_class} |"
            for spec in members
        ]
        index += [f"## {group}\n", "| node type | what it does | class |", "|---|---|---|", *rows, ""]
    return {"nodes.md": "\n".join(index), **pages}


def _page(spec: NodeSpec) -> str:
    handles = ", ".join(f"`{name}`" for name in spec.outputs) or "none"
    more = " and those that its config names" if spec.dynamic_outputs else ""
    lines = [
        f"# {spec.title}",
        "",
        "This page is generated; `make docs` writes it again.",
        "",
        spec.summary,
        "",
        f"- Node type: `{spec.type}`, version {spec.version}",
        f"- Aliases: {', '.join(f'`{name}`' for name in spec.aliases) or 'none'}",
        f"- Class: {_class(spec)}",
        f"- Output handles: {handles}{more}",
    ]
    if spec.timeout_s is not None:
        lines.append(f"- Time of one attempt: {spec.timeout_s:g} s, unless the node sets `timeout`")
    if spec.heartbeat_s is not None:
        lines.append(f"- Silence of one attempt: {spec.heartbeat_s:g} s, unless it sets `heartbeatTimeout`")
    if spec.can_look_up:
        lines.append("- What became of an attempt can be looked up")
    if spec.raw:
        names = ", ".join(f"`{name}`" for name in spec.raw)
        lines.append(f"- Evaluated by the node itself: {names}")
    if spec.is_responder:
        lines.append("- Its output is the result of the execution")
    if spec.docs:
        lines += ["", spec.docs]
    lines += ["", "## Config", "", *_table(spec.parameters), "", "## Example", "", *_json(spec.example)]
    return "\n".join([*lines, "", "## Output", "", *_json(spec.output), ""])


def _class(spec: NodeSpec) -> str:
    if spec.type == "http.request":
        return "by method: POST and PATCH once, or keyed with an idempotency header; the others idempotent"
    return f"{spec.node_class}: {CLASSES[spec.node_class]}"


def _table(schema: Mapping[str, Json]) -> list[str]:
    properties: Mapping[str, Mapping[str, Json]] = schema.get("properties") or {}
    own = {name: field for name, field in properties.items() if SAME_AS not in field}
    if not own:
        return ["Nothing to set."]
    required = set(schema.get("required") or ())
    rows = ["| field | type | default | what it is |", "|---|---|---|---|"]
    for name, field in own.items():
        others = [other for other, same in properties.items() if same.get(SAME_AS) == name]
        also = f" Also {', '.join(f'`{other}`' for other in others)}." if others else ""
        default = (
            f"`{json.dumps(field['default'])}`"
            if "default" in field
            else "required"
            if name in required
            else ""
        )
        choices = (
            f" One of {', '.join(f'`{choice}`' for choice in field['enum'])}." if "enum" in field else ""
        )
        about = f"{field.get('description', '')}{choices}{also}".replace("|", "\\|")
        rows.append(f"| `{name}` | {_type(field)} | {default} | {about} |")
    return rows


def _type(field: Mapping[str, Json]) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option) for option in field["anyOf"]))
    kind = field.get("type", "text" if "enum" in field else "any")
    kinds: list[str] = kind if isinstance(kind, list) else [str(kind)]
    words = {"string": "text", "array": "list", "boolean": "yes/no", "integer": "whole number"}
    return " or ".join(words.get(word, word) for word in kinds)


def _json(value: Json) -> list[str]:
    return ["```json", json.dumps(value, indent=2, ensure_ascii=False), "```"]
