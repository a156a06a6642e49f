"""The HTTP request node, against prepared answers."""

import base64
import email
import hashlib

import pytest

from linkflow.domain.errors import ActivityError, Invalid, Kind, LinkFlowError
from linkflow.domain.http_class import http_class
from linkflow.domain.node import NOT_DONE, NodeClass
from linkflow.domain.parameters import respell
from linkflow.domain.values import Json
from linkflow.nodes.http import HttpRequestNode
from linkflow.ports.outbound import HttpRequest, HttpResponse
from linkflow.testing.fakes import FakeNodeContext, RecordedHttp, node_context, response

NODE = HttpRequestNode()
FORM = "application/x-www-form-urlencoded"
LATER = {"Retry-After": "Fri, 01 Mar 2030 00:00:10 GMT", "Date": "Fri, 01 Mar 2030 00:00:00 GMT"}
URL = "https://api.example.com/x"


def asked(context: FakeNodeContext) -> HttpRequest:
    assert isinstance(context.http, RecordedHttp)
    return context.http.requests[-1]


def context_of(config: Json, *answers: HttpResponse | Exception, **rest: Json) -> FakeNodeContext:
    return node_context(
        respell(NODE.spec, {"url": URL, **config}), http=answers or [response(200, {})], **rest
    )


async def test_output_in_every_spelling() -> None:
    """The output gives status and body under every name that specs use."""
    completion = await NODE.run(context_of({}, response(201, {"id": 7}, {"X-A": "b"}, url=URL)))

    assert {
        "status": 201,
        "status_code": 201,
        "statusCode": 201,
        "statusText": "",
        "ok": True,
        "url": URL,
        "headers": {"content-type": "application/json", "x-a": "b"},
        "body": {"id": 7},
        "json": {"id": 7},
        "duration": 1.0,
        "duration_ms": 1.0,
    } == completion.output


@pytest.mark.parametrize(
    ("config", "body", "content_type"),
    [
        ({"body": {"a": 1}}, b'{"a":1}', "application/json"),
        ({"body": "plain"}, b"plain", "text/plain; charset=utf-8"),
        ({"body": '{"a":1}'}, b'{"a":1}', "application/json"),
        ({"body": "x", "bodyType": "json"}, b'"x"', "application/json"),
        ({"body": {"a": "1 2", "b": [1, 2]}, "body_type": "form"}, b"a=1+2&b=1&b=2", FORM),
        ({"body": "<a/>", "body_type": "xml"}, b"<a/>", "application/xml"),
        ({"body": "AAEC", "body_type": "binary"}, b"\x00\x01\x02", "application/octet-stream"),
        ({"body": {"a": 1}, "body_type": "none"}, None, None),
        ({}, None, None),
        ({"body": {"a": 1}, "headers": {"content-type": "a/b+json"}}, b'{"a":1}', "a/b+json"),
    ],
)
async def test_bodies(config: Json, body: bytes | None, content_type: str | None) -> None:
    """A body is encoded by its type, and a content type of the config wins."""
    context = context_of({"method": "POST", **config})

    await NODE.run(context)

    sent = asked(context)
    assert (body, content_type) == (
        sent.body,
        {k.lower(): v for k, v in sent.headers.items()}.get("content-type"),
    )


async def test_multipart_can_be_read_back() -> None:
    """A multipart body is one that the standard library reads back, the same in every attempt."""
    config: Json = {
        "method": "POST",
        "body_type": "multipart",
        "body": [
            {"name": "note", "value": "hi"},
            {"name": "file", "filename": 'a"b.bin', "base64": "AAEC", "content_type": "application/x-thing"},
        ],
    }
    first, second = context_of(config, attempt=1), context_of(config, attempt=2)
    await NODE.run(first)
    await NODE.run(second)
    sent = asked(first)
    message = email.message_from_bytes(
        b"Content-Type: " + sent.headers["Content-Type"].encode() + b"\r\n\r\n" + (sent.body or b"")
    )
    parts = [part for part in message.walk() if not part.is_multipart()]

    assert [b"hi", b"\x00\x01\x02"] == [part.get_payload(decode=True) for part in parts]
    assert sent == asked(second)


async def test_request_fields() -> None:
    """Query, headers, method, limits and redirects reach the client, in each of their spellings."""
    context = context_of(
        {
            "method": "patch",
            "queryParams": {"a": [1, 2], "b": None, "c": True},
            "headers": [{"name": "X-A", "value": 1}],
            "timeoutMs": 1500,
            "validateSSL": False,
            "followRedirects": False,
            "max_bytes": 10,
            "idempotency_header": "Idempotency-Key",
        }
    )

    await NODE.run(context)

    assert HttpRequest(
        method="PATCH",
        url=URL,
        query=[("a", "1"), ("a", "2"), ("c", "true")],
        headers={"X-A": "1", "Idempotency-Key": context.effect_key},
        timeout_s=1.5,
        verify_tls=False,
        follow_redirects=False,
        max_bytes=10,
    ) == asked(context)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "basic", "username": "u", "password": "p"}, "Authorization", "Basic dTpw"),
        ({"type": "bearer", "token": "t"}, "Authorization", "Bearer t"),
        ({"token": "t"}, "Authorization", "Bearer t"),
        ({"type": "apiKey", "name": "X-K", "value": "k"}, "X-K", "k"),
        ({"type": "api_key", "key": "k"}, "X-API-Key", "k"),
        ({"type": "oauth2", "access_token": "t"}, "Authorization", "Bearer t"),
        ({"type": "header", "name": "X-Secret", "value": "s"}, "X-Secret", "s"),
    ],
)
async def test_auth(auth: Json, header: str, value: str) -> None:
    """Each kind of sign-in sets its header."""
    context = context_of({"auth": auth})

    await NODE.run(context)

    assert value == asked(context).headers[header]


async def test_api_key_in_the_query() -> None:
    """An API key may go into the query."""
    context = context_of(
        {"auth": {"type": "apikey", "name": "key", "value": "k", "in": "query"}, "query": {"a": "b"}}
    )

    await NODE.run(context)

    assert [("a", "b"), ("key", "k")] == list(asked(context).query)


async def test_credential_is_opened() -> None:
    """A credential by name gives the fields of the sign-in."""
    context = context_of({"credential_id": "crm"}, secrets={"crm": {"type": "bearer", "token": "s3cret"}})

    await NODE.run(context)

    assert "Bearer s3cret" == asked(context).headers["Authorization"]


async def test_oauth2_client_credentials() -> None:
    """Client credentials are exchanged for a token, and the request carries it."""
    auth = {
        "type": "oauth2",
        "token_url": "https://id.example.com/t",
        "client_id": "i",
        "client_secret": "s",
        "scope": "a b",
    }
    context = context_of({"auth": auth}, response(200, {"access_token": "tok"}), response(200, {}))

    await NODE.run(context)

    assert isinstance(context.http, RecordedHttp)
    token, sent = context.http.requests
    assert b"grant_type=client_credentials&client_id=i&client_secret=s&scope=a+b" == token.body
    assert "Bearer tok" == sent.headers["Authorization"]


async def test_digest_challenge_is_answered() -> None:
    """A digest challenge is answered as RFC 7616 says: the response hash is the one a server computes."""
    challenge = 'Digest realm="r", qop="auth", nonce="n0", opaque="o", algorithm=SHA-256'
    auth = {"type": "digest", "username": "u", "password": "p"}
    context = context_of(
        {"auth": auth, "query": {"q": "1"}},
        response(401, {}, {"WWW-Authenticate": challenge}),
        response(200, {}),
    )

    await NODE.run(context)

    said = asked(context).headers["Authorization"]
    nonce = said.partition('cnonce="')[2].partition('"')[0]

    def h(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    expected = h(f"{h('u:r:p')}:n0:00000001:{nonce}:auth:{h('GET:/x?q=1')}")
    assert f'response="{expected}"' in said
    assert 'opaque="o"' in said


@pytest.mark.parametrize(
    ("status", "kind", "refused", "headers", "retry_after"),
    [
        (429, Kind.RATE_LIMIT, True, {"Retry-After": "7"}, 7.0),
        (503, Kind.TRANSIENT, True, LATER, 10.0),
        (500, Kind.TRANSIENT, False, {}, None),
        (404, Kind.PERMANENT, False, {"Retry-After": "soon"}, None),
        (409, Kind.TRANSIENT, False, {}, None),
    ],
)
async def test_status_errors(
    status: int, kind: Kind, refused: bool, headers: dict[str, str], retry_after: float | None
) -> None:
    """429 is rate_limit with Retry-After, 5xx transient, other statuses permanent unless listed."""
    with pytest.raises(ActivityError) as raised:
        await NODE.run(context_of({"retryableStatusCodes": [409]}, response(status, {"why": "x"}, headers)))

    error = raised.value.error
    assert ("http.status", kind, refused, retry_after) == (
        error.code,
        error.kind,
        error.refused,
        error.retry_after_s,
    )
    assert (status, {"why": "x"}) == (error.details["status"], error.details["body"])


async def test_status_as_data() -> None:
    """With `on_status: data` a refusal is output that the next condition can read."""
    completion = await NODE.run(context_of({"on_status": "data"}, response(404, {"why": "x"})))

    assert (404, False, {"why": "x"}) == tuple(completion.output[name] for name in ("status", "ok", "body"))


async def test_failure_as_data() -> None:
    """With `on_failure: data` a connection that fails is output with status 0."""
    error = ActivityError("No.", code="http.connect", kind=Kind.TRANSIENT, not_started=True)

    completion = await NODE.run(context_of({"on_failure": "data"}, error))

    assert (0, False, "http.connect") == (
        completion.output["status"],
        completion.output["ok"],
        completion.output["error"]["code"],
    )


@pytest.mark.parametrize("code", ["http.connect", "http.timeout", "http.connection_lost", "http.blocked"])
async def test_failures_pass_through(code: str) -> None:
    """What the client raises is the node's error; a blocked address stays one even as data is asked for."""
    error = ActivityError("No.", code=code, kind=Kind.TRANSIENT)
    config = {"on_failure": "data"} if code == "http.blocked" else {}

    with pytest.raises(ActivityError) as raised:
        await NODE.run(context_of(config, error))

    assert code == raised.value.code


@pytest.mark.parametrize(
    ("wanted", "answer", "expected"),
    [
        ("auto", response(200, b"\xe9", {"content-type": "text/plain; charset=latin-1"}), "é"),
        (
            "auto",
            response(200, b"\x89PNG\xff", {"content-type": "image/png"}),
            base64.b64encode(b"\x89PNG\xff").decode(),
        ),
        ("auto", response(200, b"not json", {"content-type": "application/json"}), "not json"),
        ("json", response(200, b'{"a":1}', {}), {"a": 1}),
        (False, response(200, b'{"a":1}', {"content-type": "application/json"}), '{"a":1}'),
        ("base64", response(200, b"abc", {}), "YWJj"),
    ],
)
async def test_reading_the_body(wanted: Json, answer: HttpResponse, expected: Json) -> None:
    """A body is read by its content type, or as the config asks."""
    completion = await NODE.run(context_of({"response": wanted}, answer))

    assert expected == completion.output["body"]


async def test_json_asked_for_and_not_given() -> None:
    """Asked for JSON, an answer that is none is an error."""
    with pytest.raises(ActivityError, match="not JSON"):
        await NODE.run(context_of({"response": "json"}, response(200, b"<html>")))


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"url": "ftp://x/y"}, "http.url"),
        ({"url": "/relative"}, "http.url"),
        ({"url": None}, "http.url"),
        ({"headers": {"X": "a\r\nHost: evil"}}, "node.config"),
        ({"headers": "X: a"}, "node.config"),
        ({"timeout_s": "soon"}, "node.config"),
        ({"auth": {"type": "psychic"}}, "node.config"),
        ({"auth": {"type": "bearer"}}, "node.config"),
        ({"body": "%%%", "body_type": "binary"}, "node.config"),
        ({"body": 3, "body_type": "multipart"}, "node.config"),
    ],
)
async def test_config_errors(config: Json, code: str) -> None:
    """A config that cannot be sent is a validation error, and nothing is sent."""
    context = context_of(config)

    with pytest.raises(Invalid) as raised:
        await NODE.run(context)

    assert isinstance(context.http, RecordedHttp)
    assert (code, Kind.VALIDATION, []) == (raised.value.code, raised.value.kind, context.http.requests)


async def test_the_attempts_timeout_bounds_the_request() -> None:
    """A request never gets more time than its attempt has."""
    context = context_of({"timeout": 500}, timeout_s=3.0)

    await NODE.run(context)

    assert 3.0 == asked(context).timeout_s


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, NodeClass.IDEMPOTENT),
        ({"method": "get"}, NodeClass.IDEMPOTENT),
        ({"method": "DELETE"}, NodeClass.IDEMPOTENT),
        ({"method": "POST"}, NodeClass.ONCE),
        ({"method": "PATCH", "idempotencyHeader": "Idempotency-Key"}, NodeClass.KEYED),
        ({"method": "{{trigger.method}}"}, NodeClass.ONCE),
        ({"method": "PUT", "idempotency_header": "K"}, NodeClass.IDEMPOTENT),
    ],
)
def test_class_by_method(config: Json, expected: NodeClass) -> None:
    """What may happen twice to a request depends on its method and on an idempotency header."""
    assert expected == http_class(config)


LOOKING = {
    "method": "POST",
    "body": {"amount": 5},
    "headers": {"X-Tenant": "a"},
    "auth": {"type": "bearer", "token": "t"},
    "look_up": {"url": f"{URL}/found", "query": {"reference": "7"}},
}


async def test_a_look_up_that_finds_it_gives_its_output() -> None:
    """The look-up asks its own address, signed as the request was; a good answer is the output."""
    context = context_of(LOOKING, response(200, {"id": 7}))
    completion = await NODE.look_up(context)
    sent = asked(context)

    assert ("GET", f"{URL}/found", [("reference", "7")], None) == (
        sent.method,
        sent.url,
        list(sent.query),
        sent.body,
    )
    assert ("a", "Bearer t") == (sent.headers["X-Tenant"], sent.headers["Authorization"])
    assert {"id": 7} == completion.output["body"]


async def test_a_look_up_may_be_an_address_alone() -> None:
    """`look_up` may be a URL; 404 says that the request was not done."""
    context = context_of({"method": "POST", "look_up": f"{URL}/7"}, response(404))

    assert (NOT_DONE, f"{URL}/7") == (await NODE.look_up(context), asked(context).url)


@pytest.mark.parametrize("status", [302, 401, 410, 429, 500])
async def test_a_look_up_without_an_answer_says_so(status: int) -> None:
    """Any other status is no answer, whatever the request makes of statuses."""
    with pytest.raises(ActivityError, match=str(status)):
        await NODE.look_up(context_of({**LOOKING, "on_status": "data"}, response(status)))


async def test_a_look_up_may_have_headers_of_its_own() -> None:
    """Headers of the look-up replace those of the request."""
    context = context_of({**LOOKING, "look_up": {"url": URL, "headers": {"Accept": "text/plain"}}})
    await NODE.look_up(context)

    assert "X-Tenant" not in asked(context).headers


def found_by(expression: Json, body: Json, **roots: Json) -> FakeNodeContext:
    """Say a look-up whose answer an expression judges."""
    asking = {"url": f"{URL}/found", "found": expression}
    return context_of({**LOOKING, "look_up": asking}, response(200, body), **roots)


@pytest.mark.parametrize(
    "expression",
    [
        "{{ response.body.items.length > 0 }}",
        "response.body.items.length > 0",
        "{{ response.status == 200 && response.body.items[0].reference == input.reference }}",
    ],
)
async def test_an_expression_says_whether_an_answer_means_that_it_was_done(expression: str) -> None:
    """Where an empty list is answered with 200, `found` tells it from a full one."""
    full = found_by(expression, {"items": [{"reference": "r7"}]}, input={"reference": "r7"})
    completion = await NODE.look_up(full)
    empty = found_by("response.body.items.length > 0", {"items": []})

    assert [{"reference": "r7"}] == completion.output["body"]["items"]
    assert NOT_DONE == await NODE.look_up(empty)


@pytest.mark.parametrize("body", [{"items": [7]}, {"items": []}, {}])
async def test_what_is_neither_true_nor_false_is_no_answer(body: Json) -> None:
    """A list, a number or nothing says neither that it was done nor that it was not."""
    with pytest.raises(LinkFlowError) as refusal:
        await NODE.look_up(found_by("{{ response.body.items }}", body))

    assert "http.look_up" == refusal.value.code or "items" in str(refusal.value)


async def test_a_look_up_that_is_not_there_is_not_asked_further() -> None:
    """A 404 says that it was not done, whatever the expression would make of it."""
    asking = {"url": URL, "found": "response.body.items.length > 0"}

    assert NOT_DONE == await NODE.look_up(context_of({**LOOKING, "look_up": asking}, response(404)))
