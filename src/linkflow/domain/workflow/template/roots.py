"""Where a path begins, and the closure that follows it.

| written | reads |
|---|---|
| `trigger`, `input`, `loop`, `vars`, `env`, `session`, `execution`, `workflow` (also with `$`) | that root |
| `node_<id>`, `$node.<id>`, `$<id>` | the output of the node with that id |
| `$node['Label']` | the output of the node with that label, else id |
| `$node.prev`, `$json` | the input |
| `credential.<name>` | a seal, see `sealed.py` |
| any other name | an extra name (`item`), else a node by id, else a field of the trigger or of its body |

A node's output is what the workflow's author named, so a node comes before a trigger field: nobody outside
can shadow a node by what they send.
"""

from collections.abc import Callable, Sequence

import msgspec

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import ExpressionSyntax, Missing
from linkflow.domain.workflow.template.functions.dates import now, timestamp, today
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.paths import Key, show, walk
from linkflow.domain.workflow.template.sealed import Credential
from linkflow.domain.workflow.template.syntax import Name

Closure = Callable[[Meter], Json]

ROOTS = ("trigger", "input", "loop", "vars", "env", "session", "execution", "workflow")

_ALIASES = {
    **{f"${root}": root for root in ROOTS},
    "$json": "input",
    "$variables": "vars",
    "variables": "vars",
    "triggerPayload": "trigger",
}
_SHORTHANDS: dict[str, tuple[str, str]] = {
    "$executionId": ("execution", "id"),
    "$workflowId": ("workflow", "id"),
}
_CLOCKS: dict[str, Callable[[Meter], Json]] = {"$now": now, "$today": today, "$timestamp": timestamp}
_ITSELF = ("output",)  # the first key after a node that stands for the whole output


class Start(msgspec.Struct, frozen=True):
    """The first part of a path.

    Attributes:
        run: Gives the value the keys are followed in.
        keys: The keys that remain.
        text: How it was written, for errors.
        roots: What it needs, in the words of `Template.roots`.
    """

    run: Closure
    keys: tuple[Key, ...]
    text: str
    roots: frozenset[str]


def begin(name: Name, keys: Sequence[Key], names: Sequence[str]) -> Start:
    """Find out what the first name of a path stands for.

    Args:
        name: The first name.
        keys: The keys after it.
        names: Loop variables in sight; the last of equal names counts.

    Raises:
        ExpressionSyntax: `$node` or `credential` without a name behind it.
    """
    word = name.name
    if word in names:
        slot = len(names) - 1 - list(names)[::-1].index(word)
        return Start(lambda meter: meter.locals[slot], tuple(keys), word, frozenset())
    if word in _CLOCKS:
        clock = _CLOCKS[word]
        return Start(clock, tuple(keys), word, frozenset())
    if word == "$node":
        return _node_by(name, keys)
    if word in ("credential", "$credential", "credentials", "$credentials"):
        return _credential(name, keys)
    if word in _SHORTHANDS:
        root, key = _SHORTHANDS[word]
        return Start(_root(root), (key, *keys), root, frozenset((root,)))
    word = _ALIASES.get(word, word)
    if word in ROOTS:
        return Start(_root(word), tuple(keys), word, frozenset((word,)))
    if word.startswith(("node_", "$")):
        return _node(word.removeprefix("$"), keys)
    return Start(_any(word), tuple(keys), word, frozenset((f"name:{word}",)))


def follow(start: Start, optional: Sequence[bool]) -> Closure:
    """Build the closure that follows the keys of a path; `optional` marks those written with `?.`."""
    run, keys, text = start.run, start.keys, show(start.text, start.keys)
    if any(optional):
        certain = max(list(optional).index(True) - 1, 0)  # what stands before the first `?.` may be absent
        strict = follow(Start(run, keys[:certain], start.text, start.roots), ()) if certain else soft(run)

        def absent(meter: Meter) -> Json:
            value = strict(meter)
            try:
                return walk(value, keys[certain:], text)
            except Missing:
                return None

        return absent
    if not keys:
        return run

    def present(meter: Meter) -> Json:
        value = box = run(meter)
        try:
            for key in keys:
                value = value[key]
        except (KeyError, IndexError, TypeError):
            return walk(box, keys, text)
        return value

    return present


def soft(run: Closure) -> Closure:
    """Let absence give null."""

    def absent(meter: Meter) -> Json:
        try:
            return run(meter)
        except Missing:
            return None

    return absent


def _root(name: str) -> Closure:
    def run(meter: Meter) -> Json:
        try:
            return meter.scope.root(name)
        except KeyError:
            raise Missing(name) from None

    return run


def _node(ref: str, keys: Sequence[Key]) -> Start:
    def run(meter: Meter) -> Json:
        try:
            return meter.scope.node(ref)
        except KeyError:
            raise Missing(ref) from None

    return Start(run, _inside(keys), ref, frozenset((f"node:{ref}",)))


def _inside(keys: Sequence[Key]) -> tuple[Key, ...]:
    """Drop the `output` that only says that a node's output is meant."""
    return tuple(keys[1:] if keys and keys[0] in _ITSELF else keys)


def _node_by(name: Name, keys: Sequence[Key]) -> Start:
    if not keys or not isinstance(keys[0], str):
        raise ExpressionSyntax(
            f"A node's label must follow $node at position {name.position}: $node['Label'].",
            position=name.position,
            expected="['Label']",
        )
    label, rest = keys[0], keys[1:]
    if label == "prev":
        return Start(_root("input"), _inside(rest), "input", frozenset(("input",)))

    def run(meter: Meter) -> Json:
        try:
            return meter.scope.labelled(label)
        except KeyError:
            pass
        try:
            return meter.scope.node(label)
        except KeyError:
            raise Missing(f"$node[{label!r}]") from None

    return Start(run, _inside(rest), f"$node[{label!r}]", frozenset((f"label:{label}",)))


def _credential(name: Name, keys: Sequence[Key]) -> Start:
    if not keys:
        raise ExpressionSyntax(
            f"A credential's name must follow at position {name.position}: credential.name.",
            position=name.position,
            expected=".name",
        )
    first, *rest = (str(key) for key in keys)
    seal = Credential(first, tuple(rest))
    return Start(lambda _: seal, (), f"credential.{first}", frozenset((f"credential:{first}",)))


def _any(name: str) -> Closure:
    def run(meter: Meter) -> Json:
        scope = meter.scope
        try:
            return scope.root(name)
        except KeyError:
            pass
        try:
            return scope.node(name)
        except KeyError:
            pass
        return _field(meter, name)

    return run


def _field(meter: Meter, name: str) -> Json:
    """Take a field of the trigger, or of the body that it carries."""
    try:
        trigger = meter.scope.root("trigger")
    except KeyError:
        raise Missing(name) from None
    if isinstance(trigger, dict):
        if name in trigger:
            return trigger[name]
        body = trigger.get("body")
        if isinstance(body, dict) and name in body:
            return body[name]
    raise Missing(name)
