"""Where the data of an n8n node comes from, and its expressions in our words.

An n8n node hands items on even where ours answers with something of its own: after an IF, `$json` is what
came into the IF. So `$json` of a node is named by the step that it really comes from, and what n8n says of
the node `HTTP Request` is said of `node_http_request`. What our language does not have is noted and stays as
it is: the check names the place, and nothing runs with a wrong value.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import ExpressionError
from linkflow.domain.workflow.template.rendering import compile_template

Say = Callable[[str, str], None]
"""Take a note about the node at hand: code, message."""

ONWARD = frozenset(["if", "switch", "wait", "noOp", "respondToWebhook", "code", "function", "functionItem"])
"""Kinds that hand on what came in, while our counterpart answers with something else or is disabled."""

LISTS = frozenset(["splitOut", "sort", "limit", "removeDuplicates", "filter"])
"""Kinds whose counterpart answers with `{"items": [...]}`."""


class Theirs(msgspec.Struct, frozen=True):
    """One node of n8n.

    Attributes:
        id: Ours.
        name: Unique in its workflow; connections and expressions use it.
        type: In full, `n8n-nodes-base.httpRequest`.
        version: `typeVersion`; 1 when it is not said.
        parameters: As n8n wrote them, resource locators unwrapped.
        raw: All of it.
        path: JSON path of the node.
    """

    id: str
    name: str
    type: str
    version: float
    parameters: Mapping[str, Any]
    raw: Mapping[str, Any]
    path: str

    @property
    def kind(self) -> str:
        """The type without its package."""
        return self.type.rpartition(".")[2]

    @property
    def is_loop(self) -> bool:
        """Whether it goes through items."""
        return self.kind == "splitInBatches"


class Data(msgspec.Struct, frozen=True):
    """What stands for some data in our expressions.

    Attributes:
        words: An expression.
        is_list: It is a list where n8n has one item after the other.
        is_direct: It is what our step has as its input anyway.
    """

    words: str
    is_list: bool = False
    is_direct: bool = False


INPUT = Data("$json", is_direct=True)


class Sources:
    """Which node hands its data to which."""

    def __init__(
        self, nodes: Sequence[Theirs], incoming: Mapping[str, Sequence[tuple[str, int]]], trigger: str
    ) -> None:
        """Look at the nodes, at the (name, output) that lead to each name, and at the trigger's name."""
        self._nodes = {node.name: node for node in nodes}
        self._trigger = trigger
        self._incoming = {name: _forward(name, ends, incoming) for name, ends in incoming.items()}

    def into(self, name: str, seen: frozenset[str] = frozenset()) -> Data | None:
        """Say what comes into a node; None when branches bring different data."""
        if name in seen:
            return None
        seen |= {name}
        found = [self._out(self._nodes[source], at, seen) for source, at in self._incoming.get(name, ())]
        known = {each.words: each for each in found if each is not None}
        if len(known) == 1:
            return next(iter(known.values()))
        return None if known or found else INPUT

    def input(self, name: str) -> Data | None:
        """The same, as `$json` where our step has just that as its input."""
        found = self.into(name)
        sources = {source for source, _ in self._incoming.get(name, ())}
        if found is not None and len(sources) == 1:
            source = self._nodes[next(iter(sources))]
            if not self._is_onward(source) and found.words in (f"node_{source.id}.output", "trigger"):
                return Data("$json", found.is_list, is_direct=True)
        return found

    def of(self, name: str) -> Data | None:
        """Say what a node gives, by its name; None when there is no such node."""
        node = self._nodes.get(name)
        if node is None:
            return None
        if self._is_onward(node):
            return self.into(name)
        return Data("loop.item") if node.is_loop else self._own(node)

    def is_list(self, node: Theirs) -> bool:
        """Whether a list comes into a node, which n8n would take item by item."""
        found = self.into(node.name)
        return found is not None and found.is_list

    def _out(self, node: Theirs, at: int, seen: frozenset[str]) -> Data | None:
        if at and node.raw.get("onError") == "continueErrorOutput" and node.kind not in ("if", "switch"):
            return Data(f"node_{node.id}.output")
        if self._is_onward(node):
            return self.into(node.name, seen)
        if node.is_loop:
            body = 1 if node.version >= 3 else 0
            return Data("loop.item") if at == body else Data(f"node_{node.id}.output.results", is_list=True)
        return self._own(node)

    def _own(self, node: Theirs) -> Data:
        if node.name == self._trigger:
            return Data("trigger")
        output = f"node_{node.id}.output"
        if node.kind in LISTS:
            return Data(f"{output}.items", is_list=True)
        return Data(f"{output}.body" if node.kind == "httpRequest" and not is_whole(node) else output)

    def _is_onward(self, node: Theirs) -> bool:
        if node.kind == "filter":
            return not self.is_list(node)
        return node.kind in ONWARD or node.raw.get("disabled") is True


def _forward(
    name: str, ends: Sequence[tuple[str, int]], incoming: Mapping[str, Sequence[tuple[str, int]]]
) -> Sequence[tuple[str, int]]:
    """Leave out the lines that come back to a node in a cycle, unless no other leads there."""
    kept: list[tuple[str, int]] = []
    for source, at in ends if len(ends) > 1 else ():
        before, waiting = {source}, [source]
        while waiting:
            found = {each for each, _ in incoming.get(waiting.pop(), ())} - before
            before |= found
            waiting += found
        if name not in before:
            kept.append((source, at))
    return kept or ends


def is_whole(node: Theirs) -> bool:
    """Whether a request gives status and headers beside the body."""
    options = node.parameters.get("options")
    inner = options.get("response") if isinstance(options, dict) else None
    inner = inner.get("response", inner) if isinstance(inner, dict) else None
    return isinstance(inner, dict) and inner.get("fullResponse") is True


# --- expressions ---

_NAMED = re.compile(
    r"""\$\(\s*(["'`])(?P<new>.*?)\1\s*\)\s*\.(?:item|first\(\)|last\(\)|all\(\)\[0\]|itemMatching\([^)]*\))\.json"""
    r"""|\$node\[\s*(["'`])(?P<old>.*?)\3\s*\]\.json|\$node\.(?P<bare>[A-Za-z_]\w*)\.json"""
    r"""|\$items\(\s*(["'`])(?P<items>.*?)\6[^)]*\)\[0\]\.json"""
)
_OWN = re.compile(r"\$input\.(?:item|first\(\)|last\(\)|all\(\)\[0\])\.json\b|\$json\b")
_SHIFT = re.compile(r"\.(plus|minus)\(\s*\{\s*['\"]?(\w+)['\"]?\s*:\s*([^{}]+?)\s*\}\s*\)")
_SHIFT_2 = re.compile(r"\.(plus|minus)\(\s*([^,(){}]+?)\s*,\s*(['\"]\w+['\"])\s*\)")
_PATTERN = re.compile(r"\.(?:toFormat|format)\(\s*(['\"])(.*?)\1\s*\)")
_SAME = (
    (re.compile(r"\bDateTime\.(?:now|local|utc)\(\)|\bnew Date\(\)"), "$now"),
    (re.compile(r"\bnew Date\("), "date("),
    (re.compile(r"\bDateTime\.fromISO\("), "date("),
    (re.compile(r"\.(?:toISO|toISOString|toDateTime)\(\)"), ""),
    (re.compile(r"\.toISODate\(\)"), ".dateFormat('YYYY-MM-DD')"),
    (re.compile(r"\bJSON\.stringify\("), "jsonStringify("),
    (re.compile(r"\bJSON\.parse\("), "jsonParse("),
    (re.compile(r"\.toJsonString\(\)"), ".jsonStringify()"),
    (re.compile(r"\bMath\.(round|floor|ceil|abs|min|max|pow|sqrt|random)\("), r"\1("),
    (re.compile(r"\bObject\.(keys|values|entries|fromEntries|assign)\("), r"\1("),
    (re.compile(r"\bNumber\("), "number("),
    (re.compile(r"\bString\("), "text("),
    (re.compile(r"\$ifEmpty\("), "default("),
    (re.compile(r"\.isNotEmpty\(\)"), ".length() > 0"),
    (re.compile(r"\.removeDuplicates\(\)"), ".unique()"),
)
_UNKNOWN = re.compile(
    r"\$(?:\(|(?:itemIndex|runIndex|prevNode|binary|parameter|jmespath|fromAI|items|item|input|secrets|position"
    r"|response|request|pageCount|evaluateExpression|if|min|max|average|not|node)\b)"
)
_LUXON = re.compile(r"y+|d+|'[^']*'|a")
_PIECE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def translated(value: Json, node: Theirs, sources: Sources, say: Say) -> Json:
    """Say every text of a parameter in our words; what begins with `=` is an expression of n8n.

    Args:
        value: The parameter, as deep as it goes.
        node: Whose parameter it is.
        sources: Where its data comes from.
        say: Takes a note for each expression that our language does not have.
    """
    if isinstance(value, dict):
        return {key: translated(each, node, sources, say) for key, each in value.items()}
    if isinstance(value, list):
        return [translated(each, node, sources, say) for each in value]
    if not isinstance(value, str):
        return value
    if not value.startswith("="):
        return value.replace("{{", r"\{{")
    unknown: list[str] = []

    def once(code: str, message: str) -> None:
        if code != "EXPRESSION":
            say(code, message)
        elif not unknown:
            unknown.append(message)

    found = _PIECE.sub(lambda piece: f"{{{{ {_said(piece[1].strip(), node, sources, once)} }}}}", value[1:])
    try:
        compile_template(found)
    except ExpressionError as error:
        once("EXPRESSION", str(error))
    if unknown:
        say("EXPRESSION", f"'{value[1:200]}' has to be written anew. {unknown[0]}")
    return found


def _said(words: str, node: Theirs, sources: Sources, say: Say) -> str:
    own = sources.input(node.name)
    if own is None and _OWN.search(words):
        say("BRANCHES", f"'{words[:200]}' reads what different branches bring; say which step is meant.")
    if own is not None and own.is_list and re.search(_OWN.pattern + r"\s*[.\[]", words):
        say("ITEMS", f"'{words[:200]}' ran once for each item; here a list comes: put the step into a loop.")

    def named(match: re.Match[str]) -> str:
        name = match["new"] or match["old"] or match["bare"] or match["items"] or ""
        found = sources.of(name)
        if found is None:
            say("EXPRESSION", f"There is no node '{name[:100]}'.")
        return match[0] if found is None else found.words

    # Names that are put in must not be read as n8n's again: each goes through one pass over the original.
    pieces: list[str] = []
    end = 0
    for match in _NAMED.finditer(words):
        pieces += [_plain(words[end : match.start()], own), named(match)]
        end = match.end()
    found = "".join([*pieces, _plain(words[end:], own)])
    if left := _UNKNOWN.search(found):
        say("EXPRESSION", f"'{left[0]}' means nothing here.")
    return found


def _plain(words: str, own: Data | None) -> str:
    found = _OWN.sub(lambda _: (own or INPUT).words, words)
    for pattern, ours in _SAME:
        found = pattern.sub(ours, found)
    found = _SHIFT.sub(lambda at: _shifted(at[1], at[3], f"'{at[2]}'"), found)
    found = _SHIFT_2.sub(lambda at: _shifted(at[1], at[2], at[3]), found)
    return _PATTERN.sub(lambda at: f".dateFormat({at[1]}{_LUXON.sub(_token, at[2])}{at[1]})", found)


def _shifted(way: str, amount: str, unit: str) -> str:
    less = f"-{amount}" if amount.isalnum() else f"-({amount})"
    return f".dateAdd({amount if way == 'plus' else less}, {unit})"


def _token(match: re.Match[str]) -> str:
    if match[0] == "a":
        return "A"
    return match[0] if match[0].startswith("'") else match[0].upper()
