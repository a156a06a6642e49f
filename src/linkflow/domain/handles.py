"""The output handles of a node: those of its type, and those that its config adds."""

from collections.abc import Iterator, Mapping, Sequence

from linkflow.domain.node import NodeSpec
from linkflow.domain.values import Json

LIST_FIELDS = ("cases", "rules", "conditions")
"""Config fields whose entries may name a handle."""

NAME_FIELDS = ("output", "handle", "label", "name", "value")
"""Fields of an entry that name its handle; an edge may use any of them."""

DEFAULT_FIELDS = ("default_output", "defaultOutput", "fallback_output", "fallbackOutput")
"""Config fields that name the handle taken when nothing matches."""


def output_handles(spec: NodeSpec, config: Mapping[str, Json]) -> tuple[str, ...]:
    """List the names that an edge may give as the source handle of a node with this config.

    Args:
        spec: The node type.
        config: As written; an entry whose name is an expression is left out.
    """
    names = dict.fromkeys(spec.outputs)
    if spec.dynamic_outputs:
        for field in LIST_FIELDS:
            for entry in _entries(config.get(field)):
                names.update(dict.fromkeys(entry_handles(entry)))
        names.update(dict.fromkeys(str(config[field]) for field in DEFAULT_FIELDS if config.get(field)))
    return tuple(names)


def entry_handles(entry: Mapping[str, Json]) -> Sequence[str]:
    """List the handles that one case stands for, the preferred one first."""
    return list(
        dict.fromkeys(
            handle_text(entry[field]) for field in NAME_FIELDS if entry.get(field) not in (None, "")
        )
    )


def handle_text(value: Json) -> str:
    """Write a case's value the way an edge names it: `true`, `1`, `gold`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _entries(value: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(value, Mapping):  # {"gold": "handle", …}
        for key, name in value.items():
            yield {"value": key, "output": name}
    elif isinstance(value, list):
        for entry in value:
            yield entry if isinstance(entry, Mapping) else {"value": entry}
