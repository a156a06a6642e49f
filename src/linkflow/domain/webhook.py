"""What is decided about an inbound webhook call before anything is stored.

In this order:

1. `read`: the body has the form its content type says (400 before 401: the shape needs no data of ours);
2. `accept`: method, signature, JSON Schema, mapping, and the key that says whether this call came before.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

import msgspec

from linkflow.domain.errors import Invalid
from linkflow.domain.parameters import schema_problems
from linkflow.domain.signature import PRESETS, Signature, verify
from linkflow.domain.values import Json, canonical, decode_json
from linkflow.domain.workflow.template import Template, Unresolved, compile_expression, compile_template

_KEY_CHARACTERS = 255
_SHOWN_PROBLEMS = 20


class Call(msgspec.Struct, frozen=True):
    """One HTTP call as it arrived.

    Attributes:
        method: Upper case.
        path: What follows the webhook's id, with its slash; empty when nothing does.
        headers: Names in lower case.
        query: The raw query, without `?`.
        body: Raw bytes.
        ip: Address of the caller.
    """

    method: str
    path: str = ""
    headers: Mapping[str, str] = {}
    query: str = ""
    body: bytes = b""
    ip: str = ""


class Rules(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a webhook asks of its callers.

    Attributes:
        methods: HTTP methods that are answered; empty means all.
        signature: How callers sign; None means they do not.
        schema: JSON Schema of the body.
        mapping: What the workflow gets instead of the whole call: JSON with expressions over `trigger`.
        dedup: `header:<name>`, or an expression over `trigger`; calls with an equal key start nothing twice.
            Empty means the preset's id, if it has one.
    """

    methods: tuple[str, ...] = ()
    signature: Signature | None = None
    schema: Json = None
    mapping: Json = None
    dedup: str = ""


class Accepted(msgspec.Struct, frozen=True):
    """A call that may start executions.

    Attributes:
        trigger: What the workflow gets: what `read` made, or the mapping of it.
        dedup_key: At most 255 characters; None when every call counts.
        challenge: Text to answer at once instead of starting anything (Slack's URL check).
    """

    trigger: Json
    dedup_key: str | None
    challenge: str | None = None


def read(call: Call) -> Json:
    """Turn a call into the standard format that workflows see.

    Returns:
        `{"method", "path", "headers", "query", "body", "ip"}`. A body of JSON or a form is its value, other
        text is text, and binary data is None.

    Raises:
        Invalid: `webhook.body`: the body is not what its content type says.
    """
    return {
        "method": call.method,
        "path": call.path,
        "headers": dict(call.headers),
        "query": _form(call.query),
        "body": _body(call),
        "ip": call.ip,
    }


def accept(rules: Rules, call: Call, trigger: Json, secrets: Sequence[str], now: float) -> Accepted:
    """Decide whether a call may start executions, and with what.

    Args:
        rules: The webhook's rules.
        call: The call.
        trigger: What `read` made of it.
        secrets: The webhook's secrets, the newest first.
        now: Seconds since 1970.

    Raises:
        SignatureRefused: Signed wrongly, or not at all.
        Invalid: `webhook.method`, `webhook.schema`, or an expression of the mapping or of the key fails.
    """
    if rules.signature is not None:
        verify(rules.signature, call.headers, call.body, secrets, now)
    if rules.methods and call.method not in (method.upper() for method in rules.methods):
        raise Invalid(
            f"This webhook answers {', '.join(rules.methods)}, not {call.method}.", code="webhook.method"
        )
    preset = rules.signature.preset if rules.signature else ""
    body = trigger["body"]
    if preset == "slack" and isinstance(body, dict) and body.get("type") == "url_verification":
        return Accepted(trigger, None, challenge=str(body.get("challenge", "")))
    if rules.schema is not None:
        _require(rules.schema, body)
    scope = TriggerScope(trigger, now)
    mapped = trigger if rules.mapping is None else compile_template(rules.mapping).render(scope)
    return Accepted(mapped, _dedup_key(rules, call, preset, scope))


def check_rules(rules: Rules) -> None:
    """Refuse rules that could never work, when they are stored.

    Raises:
        Invalid: The schema, the mapping, the key or the signature rule is wrong.
    """
    if rules.schema is not None:
        schema_problems(rules.schema, None)
    templates: list[Template] = [compile_template(rules.mapping)]
    if rules.dedup and not rules.dedup.startswith("header:"):
        templates.append(compile_expression(rules.dedup))
    for template in templates:
        wrong = sorted(root for root in template.roots if root != "trigger" and not root.startswith("name:"))
        if wrong:
            raise Invalid(
                f"A webhook's expressions see the trigger only, not {wrong[0]}.", code="webhook.mapping"
            )
    if rules.signature is not None and rules.signature.preset not in PRESETS:
        raise Invalid(
            f"There is no signature preset {rules.signature.preset[:40]!r}.", code="webhook.signature"
        )


class TriggerScope:
    """What expressions see before there is an execution: the trigger alone, and chance seeded by it."""

    def __init__(self, trigger: Json, now: float) -> None:
        self.now = now
        self._trigger = trigger
        self._seed = b""
        self._drawn = 0

    def root(self, name: str) -> Json:
        """Give the trigger, or KeyError."""
        if name in ("trigger", "input"):
            return self._trigger
        raise KeyError(name)

    def node(self, ref: str) -> Json:
        """Know no node."""
        raise KeyError(ref)

    def labelled(self, label: str) -> Json:
        """Know no label."""
        raise KeyError(label)

    def names(self) -> Iterable[str]:
        """List the trigger and its fields."""
        return ["trigger", *(self._trigger if isinstance(self._trigger, dict) else ())]

    def draw(self) -> float:
        """Draw from [0, 1) by hashing the trigger and the number of the draw."""
        self._seed = self._seed or hashlib.sha256(canonical(self._trigger)).digest()
        self._drawn += 1
        drawn = hashlib.sha256(self._seed + self._drawn.to_bytes(8)).digest()
        return int.from_bytes(drawn[:7]) / 2**56


def _require(schema: Json, body: Json) -> None:
    problems = schema_problems(schema, body)
    if problems:
        listed = [{"path": path, "message": message} for path, message in problems[:_SHOWN_PROBLEMS]]
        path, message = problems[0]
        raise Invalid(
            f"The body does not match the schema: {path}: {message}.", code="webhook.schema", problems=listed
        )


def _dedup_key(rules: Rules, call: Call, preset: str, scope: TriggerScope) -> str | None:
    """Find the key of a call; the preset's own id when the rules name none."""
    value: Json
    if rules.dedup.startswith("header:"):
        value = call.headers.get(rules.dedup.removeprefix("header:").strip().lower())
    elif rules.dedup:
        try:
            value = compile_expression(rules.dedup).render(scope)
        except Unresolved:  # this kind of call has no such field: it counts by itself
            value = None
    elif preset in ("stripe", "slack"):
        body = scope.root("trigger")["body"]
        value = (body.get("id") or body.get("event_id")) if isinstance(body, dict) else None
    else:
        value = call.headers.get(PRESETS.get(preset, {}).get("id_header", "").lower())
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= _KEY_CHARACTERS else hashlib.sha256(text.encode()).hexdigest()


def _body(call: Call) -> Json:
    if not call.body:
        return None
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/json" or kind.endswith("+json"):
            return decode_json(call.body)
        text = call.body.decode()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        if kind.startswith("text/") or "json" in kind:
            raise Invalid(f"The body is not {kind}: {error}.", code="webhook.body") from error
        return None
    if kind == "application/x-www-form-urlencoded":
        return _sent_form(_form(text))
    if not kind and text.lstrip()[:1] in ("{", "["):
        try:
            return decode_json(call.body)
        except (msgspec.DecodeError, RecursionError):
            return text
    return text


def _sent_form(form: dict[str, Json]) -> Json:
    """Open the one field `payload` in which GitHub and Slack send JSON."""
    payload = form.get("payload")
    if len(form) == 1 and isinstance(payload, str) and payload[:1] == "{":
        try:
            return decode_json(payload.encode())
        except (msgspec.DecodeError, RecursionError):
            return form
    return form


def _form(text: str) -> dict[str, Json]:
    """Read a query: one value as text, several of one name as a list."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1_000)
    except ValueError as error:
        raise Invalid("There are more than 1,000 fields.", code="webhook.body") from error
    found: dict[str, Json] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
