"""What expressions mean, case by case."""

import pytest

from linkflow.domain.values import Json
from linkflow.domain.workflow.template import (
    Credential,
    ExpressionError,
    SealedText,
    Unresolved,
    compile_expression,
    compile_template,
    credentials_of,
    node_of,
    unseal,
)
from linkflow.testing.scopes import FixedScope

HTTP = {"status": 200, "headers": {"x": "y"}, "body": {"id": 7, "a": {"b": [5, 6]}}}
TRIGGER = {"msisdn": "+254712345678", "body": {"x": 1, "name": "Amina", "items": [{"id": 1}, {"id": 9}]}}


def scope() -> FixedScope:
    return FixedScope(
        {
            "trigger": TRIGGER,
            "input": {"value": 2, "text": "hi"},
            "vars": {"CITY": "Kisumu"},
            "env": {"STAGE": "prod"},
            "session": {"data": {"step": 3}},
            "loop": {"item": {"id": 4}, "index": 1},
            "execution": {"id": "e-1"},
            "workflow": {"id": "w-1"},
        },
        {"http_1": HTTP, "3f2a-77": {"ok": True}, "ai": {"output": "text", "content": "c"}, "text": "plain"},
        {"HTTP Request": "http_1"},
    )


REFERENCES: list[tuple[str, Json]] = [
    ("{{msisdn}}", "+254712345678"),
    ("{{ name }}", "Amina"),
    ("{{trigger.body.x}}", 1),
    ("{{$trigger.body.x}}", 1),
    ("{{triggerPayload.msisdn}}", "+254712345678"),
    ("{{input.value}}", 2),
    ("{{$input.value}}", 2),
    ("{{$json.value}}", 2),
    ("{{node_http_1.output.body.a.b[0]}}", 5),
    ("{{node_http_1.output}}", HTTP),
    ("{{node_3f2a-77.output.ok}}", True),
    ("{{http_1.status}}", 200),
    ("{{$node['HTTP Request'].output.status}}", 200),
    ('{{ $node["HTTP Request"].json.body.id }}', 7),
    ("{{ $node.http_1.body.id }}", 7),
    ("{{$node.http_1.data.id}}", 7),
    ("{{$http_1.response.data.id * 2}}", 14),
    ("{{$node.prev.output.value}}", 2),
    ("{{http_1.data}}", {"id": 7, "a": {"b": [5, 6]}}),
    ("{{node_text.output.data}}", "plain"),
    ("{{ai.content}}", "c"),
    ("{{vars.CITY}} / {{$env.STAGE}}", "Kisumu / prod"),
    ("{{session.data.step}}", 3),
    ("{{loop.item.id}}-{{loop.index}}", "4-1"),
    ("{{$executionId}}/{{workflow.id}}/{{$workflowId}}", "e-1/w-1/w-1"),
    ("{{$now}}", "2026-11-21T08:30:00.000Z"),
    ("{{$today}}", "2026-11-21"),
    ("{{$timestamp}}", 1_795_249_800),
    ("={{ 1 + 1 }}", 2),
]


@pytest.mark.parametrize(("text", "expected"), REFERENCES)
def test_every_dialect_reads_the_same_data(text: str, expected: Json) -> None:
    """Each way of naming data that the dialects know leads to that data (D15, H7)."""
    assert expected == compile_template(text).render(scope())


VALUES: list[tuple[str, Json]] = [
    ("1 + 2 * 3 - 4 / 2", 5),
    ("7 % 4", 3),
    ("7 / 2", 3.5),
    ("-2 * -3", 6),
    ("(1 + 2) * 3", 9),
    ("1.5e2", 150.0),
    ("'a' + 1 + true + null", "a1truenull"),
    ("[1] + [2]", [1, 2]),
    ("1 == 1.0", True),
    ("true == 1", False),
    ("[true] == [1]", False),
    ("'5' == 5", True),
    ("'x' == 5", False),
    ("'10' > 9", True),
    ("'a' < 'b'", True),
    ("null == undefined", True),
    ("{a: [1]} === {'a': [1.0]}", True),
    ("1 !== 2 and not false or false", True),
    ("!0 && 'yes'", "yes"),
    ("'' || 'fallback'", "fallback"),
    ("null ?? 0 ?? 1", 0),
    ("1 > 2 ? 'a' : 2 > 1 ? 'b' : 'c'", "b"),
    ("2 in [1, 2]", True),
    ("'k' in {k: 1}", True),
    ("'am' in 'jambo'", True),
    ("3 not in [1, 2]", True),
    ("[1, 2, 3][1:]", [2, 3]),
    ("'LinkFlow'[:4]", "Link"),
    ("[1, 2, 3][-1]", 3),
    ("{a: {b: 1}}['a'].b", 1),
    ("'abc'.length", 3),
    ("' x '.trim().toUpperCase()", "X"),
    ("trigger.body.items | map('id') | join(', ')", "1, 9"),
    ("trigger.body.items | filter(item.id < 5)", [{"id": 1}]),
    ("filter(trigger.body.items, 'item.id < 5')", [{"id": 1}]),
    ("trigger.body.items.map(x => x.id + 1)", [2, 10]),
    ("map([10, 20], (value, at) => value + at)", [10, 21]),
    ("map([1, 2], map([10, 20], item + index))", [[10, 21], [10, 21]]),
    ("map([1, 2], outer => map([10, 20], item + outer))", [[11, 21], [12, 22]]),
    ("reduce([1, 2, 3], 0, total + item)", 6),
    ("trigger?.nothing?.deeper", None),
    ("trigger.body?.nothing", None),
    ("nobody?.name", None),
    ("trigger.body?.items[0].id", 1),
    ("default(trigger.nothing.deeper, 'd')", "d"),
    ("trigger.nothing ?? 'd'", "d"),
    ("exists(trigger.nothing)", False),
    ("exists(trigger.body.x)", True),
    ("vars['CI' + 'TY']", "Kisumu"),
    ('"\\u004b \\"q\\" \\n"', 'K "q" \n'),
    ("{{ trigger.body.x }} == 1", True),
    ("{{ trigger.body.x }} == {{ input.value }}", False),
    ("{{ trigger.body.x == 1 }}", True),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_operators_and_functions_give_their_value(text: str, expected: Json) -> None:
    """An expression gives the value its operators and functions say, with its type."""
    found = compile_expression(text).render(scope())

    assert (expected, type(expected)) == (found, type(found))


TEXTS = [
    ("a {{1.0}} b", "a 1 b"),
    ("{{true}}{{null}}{{2.5}}", "truenull2.5"),
    ("{{ [1, {a: 'x'}] }}!", '[1,{"a":"x"}]!'),
    ("\\{{x}} {{1}}", "{{x}} 1"),
    ("no expression }}", "no expression }}"),
    (" {{ 1 }} ", 1),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_values_inside_text_are_written_as_json_would(text: str, expected: Json) -> None:
    """Inside other text values are written plainly; alone they keep their type."""
    assert expected == compile_template(text).render(scope())


def test_a_whole_value_is_handed_through() -> None:
    """A whole-value expression gives the very object of the scope, not a copy."""
    found = compile_template({"deep": [{"all": "{{trigger.body}}"}], "kept": [1, 2]}).render(scope())

    assert found["deep"][0]["all"] is TRIGGER["body"]


def test_constant_values_are_kept() -> None:
    """A value without expressions is constant and returned as it is."""
    value = {"a": [1, "text", None], "b": {"c": True}}
    template = compile_template(value)

    assert (True, frozenset(), True) == (
        template.is_constant,
        template.roots,
        template.render(scope()) is value,
    )


def test_roots_say_what_is_needed() -> None:
    """A template names every root, node, label, credential and bare name it reads, and no loop variable."""
    value = {
        "a": "{{trigger.x}} {{$json.y}}",
        "b": ["{{node_fetch.output}}", "{{$node['HTTP Request'].json}}"],
        "c": "{{map(msisdn, item.id + index)}} {{credential.api.token}}",
    }
    expected = {"trigger", "input", "node:node_fetch", "label:HTTP Request", "name:msisdn", "credential:api"}

    assert expected == compile_template(value).roots


def test_a_node_is_found_by_both_spellings() -> None:
    """`<id>` and `node_<id>` name one node, and an id that begins with node_ is itself."""
    ids = {"fetch", "node_1"}

    assert ["fetch", "fetch", "node_1", None] == [
        node_of(ref, ids) for ref in ("fetch", "node_fetch", "node_1", "1")
    ]


def test_a_node_is_never_shadowed_by_the_trigger() -> None:
    """A trigger field with the name of a node does not replace the node's output."""
    sender = FixedScope({"trigger": {"approve": {"ok": True}}}, {"approve": {"ok": False}})

    assert compile_template("{{approve.ok}}").render(sender) is False


UNRESOLVED = [
    ("{{trigger.bdy.x}}", "trigger.bdy.x", "body"),
    ("{{trigger.body.nmae}}", "trigger.body.nmae", "name"),
    ("{{http_2.status}}", "http_2", "http_1"),
    ("{{$node['HTTP Reqest'].json}}", "$node['HTTP Reqest']", "HTTP Request"),
    ("{{vars.CTY}} text", "vars.CTY", "CITY"),
]


@pytest.mark.parametrize(("text", "path", "nearest"), UNRESOLVED)
def test_what_is_not_there_is_named(text: str, path: str, nearest: str) -> None:
    """A path that leads nowhere fails with the path and the nearest name."""
    with pytest.raises(Unresolved) as raised:
        compile_template({"field": text}).render(scope())

    error = raised.value
    assert ("expression.unresolved", path, nearest) == (
        error.code,
        error.details["path"],
        error.details["nearest"],
    )


WRONG = [
    ("1 +", "expression.syntax"),
    ("(1", "expression.syntax"),
    ("[1, 2", "expression.syntax"),
    ("{a 1}", "expression.syntax"),
    ("'open", "expression.syntax"),
    ("a = 1", "expression.syntax"),
    ("1 2", "expression.syntax"),
    ("upper()", "expression.syntax"),
    ("upper('a', 'b')", "expression.syntax"),
    ("unheard('a')", "expression.syntax"),
    ("x => x", "expression.syntax"),
    ("$node", "expression.syntax"),
    ("#if", "expression.syntax"),
    ("", "expression.syntax"),
    ("1 / 0", "expression.type"),
    ("1 - 'a'", "expression.type"),
    ("{} < 1", "expression.type"),
    ("null + 1", "expression.type"),
    ("9223372036854775807 + 1", "expression.type"),
    ("1e308 * 10", "expression.type"),
    ("upper([1])", "expression.type"),
    ("1 in 2", "expression.type"),
    ("jsonParse('{')", "expression.function"),
    ("sqrt(-1)", "expression.function"),
    ("dateFormat('soon')", "expression.function"),
    ("now('Nowhere/City')", "expression.function"),
    ("'abc'.__class__", "expression.unresolved"),
    ("trigger.__class__.__init__", "expression.unresolved"),
    ("[].append", "expression.unresolved"),
    ("credential.api + 'x'", "expression.type"),
    ("upper(credential.api)", "expression.type"),
    ("[credential.api] | jsonStringify", "expression.type"),
]


@pytest.mark.parametrize(("text", "code"), WRONG)
def test_what_is_wrong_has_a_code(text: str, code: str) -> None:
    """Every mistake is an error of the expression with a stable code."""
    with pytest.raises(ExpressionError) as raised:
        compile_expression(text).render(scope())

    assert code == raised.value.code


def test_a_syntax_error_says_where() -> None:
    """A syntax error gives the position and what was expected there."""
    with pytest.raises(ExpressionError) as raised:
        compile_template("text {{ trigger.body. }}")

    assert (22, "a name") == (raised.value.details["position"], raised.value.details["expected"])


def test_credentials_render_to_seals_that_only_secrets_open() -> None:
    """A credential is a seal in the rendered config; opening it puts the secret in its place."""
    template = compile_template({"h": "Bearer {{credential.api.token}}", "all": "{{credential.api}}"})

    sealed = template.render(scope())

    assert {
        "h": SealedText(("Bearer ", Credential("api", ("token",)))),
        "all": Credential("api"),
    } == sealed
    assert frozenset({"api"}) == credentials_of(template.roots)
    assert {"h": "Bearer s3", "all": {"token": "s3"}} == unseal(sealed, {"api": {"token": "s3"}})


def test_data_cannot_pass_for_a_seal() -> None:
    """An object from outside that looks like a credential stays data."""
    forged = {"$credential": "api", "name": "api", "path": [], "parts": ["x"]}
    rendered = compile_template({"a": "{{trigger}}"}).render(FixedScope({"trigger": forged}))

    assert {"a": forged} == unseal(rendered, {"api": {"token": "s3"}})


def test_a_missing_secret_is_named() -> None:
    """Opening a seal whose credential or field does not exist fails with its path."""
    sealed = compile_template("{{credential.api.tokn}}").render(scope())

    with pytest.raises(Unresolved, match=r"credential\.api\.tokn"):
        unseal(sealed, {"api": {"token": "s3"}})


def test_chance_and_time_come_from_the_scope() -> None:
    """Two renderings with equal draws and times give equal bytes."""
    template = compile_template("{{uuid()}} {{random()}} {{now()}} {{shuffle([1, 2, 3])}}")

    assert template.render(scope()) == template.render(scope())
