"""What becomes of an inbound call, before anything is stored."""

import hashlib
import hmac

import pytest

from linkflow.domain.errors import Invalid, LinkFlowError
from linkflow.domain.signature import Signature, SignatureRefused
from linkflow.domain.values import Json
from linkflow.domain.webhook import Accepted, Call, Rules, accept, check_rules, read

NOW = 1_795_249_800.0


def call(body: bytes = b"", kind: str = "application/json", **headers: str) -> Call:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call("POST", "/x", {"content-type": kind, **named}, "a=1&b=2&b=3", body, "203.0.113.7")


def taken(rules: Rules, made: Call, *secrets: str) -> Accepted:
    return accept(rules, made, read(made), secrets, NOW)


def test_a_call_becomes_the_standard_format() -> None:
    """A workflow sees method, path, headers, query, body and ip (K4)."""
    expected = {
        "method": "POST",
        "path": "/x",
        "headers": {"content-type": "application/json"},
        "query": {"a": "1", "b": ["2", "3"]},
        "body": {"n": 1},
        "ip": "203.0.113.7",
    }

    assert expected == read(call(b'{"n": 1}'))


BODIES: list[tuple[bytes, str, Json]] = [
    (b"", "application/json", None),
    (b"[1]", "application/vnd.api+json; charset=utf-8", [1]),
    (b"a=1&a=2&b=%20", "application/x-www-form-urlencoded", {"a": ["1", "2"], "b": " "}),
    (b"payload=%7B%22a%22%3A1%7D", "application/x-www-form-urlencoded", {"a": 1}),
    (b"hello", "text/plain", "hello"),
    (b"\xff\xfe", "application/octet-stream", None),
    (b'{"a": 1}', "", {"a": 1}),
    (b"{not json", "", "{not json"),
]


@pytest.mark.parametrize(("body", "kind", "expected"), BODIES)
def test_bodies_are_read_by_their_content_type(body: bytes, kind: str, expected: Json) -> None:
    """JSON and forms become values, text stays text, anything binary is left out."""
    assert expected == read(call(body, kind))["body"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_malformed_json_is_invalid(body: bytes) -> None:
    """A body that is not the JSON it says to be is refused before anything else (A12)."""
    with pytest.raises(Invalid) as raised:
        read(call(body))

    assert "webhook.body" == raised.value.code


SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string", "pattern": "^(a+)+$"}},
}


def test_a_payload_must_match_the_schema() -> None:
    """A body that does not match the JSON Schema is refused with every problem and its path (K3)."""
    rules = Rules(schema=SCHEMA)
    taken(rules, call(b'{"id": "aa"}'))

    with pytest.raises(Invalid) as raised:
        taken(rules, call(b'{"id": "' + b"a" * 5_000 + b'!"}'))

    assert ("webhook.schema", ["$.id"]) == (
        raised.value.code,
        [problem["path"] for problem in raised.value.details["problems"]],
    )


@pytest.mark.parametrize("reference", ["file:///etc/passwd", "http://203.0.113.1/schema.json"])
def test_a_schema_never_fetches_anything(reference: str) -> None:
    """A schema that refers to another document is refused."""
    with pytest.raises(LinkFlowError):
        check_rules(Rules(schema={"$ref": reference}))


def test_a_mapping_gives_the_workflow_its_own_shape() -> None:
    """With a mapping the workflow gets what the mapping makes of the call (K4)."""
    rules = Rules(
        mapping={"who": "{{trigger.body.user.name | upper}}", "n": "{{trigger.query.a}}", "all": "{{user}}"}
    )

    found = taken(rules, call(b'{"user": {"name": "amina"}}')).trigger

    assert {"who": "AMINA", "n": "1", "all": {"name": "amina"}} == found


def test_chance_in_a_mapping_repeats_with_the_call() -> None:
    """The same call maps to the same bytes, another call to others."""
    rules = Rules(mapping={"id": "{{uuid()}}"})
    same = [taken(rules, call(b'{"n": 1}')).trigger for _ in range(2)]
    other = taken(rules, call(b'{"n": 2}')).trigger

    assert (same[0], True) == (same[1], same[0] != other)


KEYS: list[tuple[Rules, Call, str | None]] = [
    (Rules(), call(b"{}"), None),
    (Rules(dedup="header:X-Delivery"), call(b"{}", x_delivery="d1"), "d1"),
    (Rules(dedup="header:X-Delivery"), call(b"{}"), None),
    (Rules(dedup="trigger.body.order.id"), call(b'{"order": {"id": 7}}'), "7"),
    (Rules(dedup="trigger.body.order.id"), call(b"{}"), None),
    (Rules(dedup="trigger.body.a + '-' + trigger.body.b"), call(b'{"a": 1, "b": 2}'), "1-2"),
]


@pytest.mark.parametrize(("rules", "made", "expected"), KEYS)
def test_the_key_says_which_calls_are_one(rules: Rules, made: Call, expected: str | None) -> None:
    """Calls are one by a header, by an expression, or never."""
    assert expected == taken(rules, made).dedup_key


def test_a_long_key_is_hashed() -> None:
    """A key that is too long to store becomes its hash."""
    key = taken(Rules(dedup="trigger.body.k"), call(b'{"k": "' + b"x" * 1_000 + b'"}')).dedup_key

    assert key is not None and len(key) == 64


def test_github_deliveries_have_their_id() -> None:
    """With GitHub's preset the delivery id is the key, and a wrong signature is refused first."""
    body = b'{"zen": "Design for failure."}'
    good = "sha256=" + hmac.new(b"s", body, hashlib.sha256).hexdigest()
    rules = Rules(signature=Signature(preset="github"), schema={"type": "array"})

    with pytest.raises(SignatureRefused):
        taken(rules, call(body, x_hub_signature_256="sha256=00"), "s")
    with pytest.raises(Invalid):
        taken(rules, call(body, x_hub_signature_256=good), "s")
    found = taken(
        Rules(signature=Signature(preset="github")),
        call(body, x_hub_signature_256=good, x_github_delivery="g-1"),
        "s",
    )
    assert "g-1" == found.dedup_key


def test_slack_asks_whether_the_address_is_ours() -> None:
    """Slack's signed URL check is answered with its challenge and starts nothing."""
    body = b'{"type": "url_verification", "challenge": "abc"}'
    signed = hmac.new(b"s", f"v0:{int(NOW)}:".encode() + body, hashlib.sha256).hexdigest()
    made = call(body, x_slack_signature=f"v0={signed}", x_slack_request_timestamp=str(int(NOW)))

    assert "abc" == taken(Rules(signature=Signature(preset="slack")), made, "s").challenge


def test_other_methods_are_refused() -> None:
    """A webhook answers the methods it is set to."""
    with pytest.raises(Invalid) as raised:
        taken(Rules(methods=("PUT",)), call(b"{}"))

    assert "webhook.method" == raised.value.code


@pytest.mark.parametrize(
    "rules",
    [
        Rules(schema={"type": "nonsense"}),
        Rules(mapping={"a": "{{ 1 + }}"}),
        Rules(mapping={"a": "{{ node_a.output }}"}),
        Rules(mapping={"a": "{{ credential.api }}"}),
        Rules(dedup="trigger.body."),
        Rules(signature=Signature(preset="nobody")),
    ],
)
def test_rules_that_cannot_work_are_refused_when_stored(rules: Rules) -> None:
    """A broken schema, mapping, key or preset is refused before a call arrives."""
    with pytest.raises(Invalid):
        check_rules(rules)
