"""One node of n8n while it is being read, and what it became."""

from collections.abc import Mapping
from typing import Any

import msgspec

from linkflow.domain.values import Json, decode_json
from linkflow.domain.workflow.n8n.data import INPUT, Data, Say, Sources, Theirs, translated

CODE = frozenset(["code", "function", "functionItem"])
"""Kinds whose parameters hold source code."""


class Made(msgspec.Struct, frozen=True):
    """What a node became.

    Attributes:
        type: Ours.
        config: Ours.
        outputs: Our handle for each of n8n's outputs, by its number; empty is the default one.
        is_disabled: It cannot run as it is, so it hands its input on.
        is_known: There is a counterpart.
    """

    type: str
    config: dict[str, Json] = {}
    outputs: tuple[str, ...] = ("",)
    is_disabled: bool = False
    is_known: bool = True


class Step:
    """One node while it is being read.

    Attributes:
        node: What n8n wrote.
        given: Its parameters in our words.
        options: Those under `options`.
        say: Takes notes about it.
        data: What comes into it.
        is_list: It takes item after item in n8n; here a list comes.
    """

    def __init__(self, node: Theirs, sources: Sources, say: Say) -> None:
        """Translate the parameters, but for source code."""
        self.node, self.say = node, say
        bare = node.parameters if node.kind not in CODE else {}
        self.is_list = sources.is_list(node)

        def once(code: str, message: str) -> None:
            if code != "ITEMS" or node.kind != "filter":  # which looks at each item here as well
                say(code, message)

        self.given: Mapping[str, Any] = translated(dict(bare), node, sources, once)
        options = self.given.get("options")
        self.options: Mapping[str, Any] = options if isinstance(options, dict) else {}
        self.data: Data = sources.input(node.name) or INPUT

    def left_out(self, *handled: str) -> None:
        """Say which options have no place here."""
        if names := [name for name in self.options if name not in handled]:
            self.say("OPTION", f"These options have no place here and are left out: {', '.join(names)}.")

    def items(self) -> str:
        """Say the list that comes in, as an expression."""
        return f"{{{{ toList({self.data.words}) }}}}"


def parsed(value: Json) -> Json:
    """Read JSON that n8n holds as text; text that is none, such as one expression, stays."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") and not value.lstrip().startswith("{{"):
        try:
            return decode_json(value.encode())
        except msgspec.DecodeError:
            return value
    return value
