"""One shape for everything that goes wrong.

{"type": "urn:linkflow:error:<code>", "title": str, "status": int, "detail": str,
 "code": "<dotted, lower case>", "kind": "validation|permanent|transient|rate_limit", "request_id": str}
"""

import re
from typing import Any

from linkflow.testing.control import Client, Reply, Stage

MEMBERS = {"type", "title", "status", "detail", "code", "kind", "request_id"}
KINDS = {"validation", "permanent", "transient", "rate_limit"}
OWN_WORDS = ("/oauth/token", "/oauth/revoke", "/oauth/introspect")
"""RFC 6749 says what their errors look like; `test_oauth.py` looks at them."""


def is_problem(reply: Reply) -> bool:
    """Say whether an answer has the shape."""
    found = reply.json
    return (
        reply.headers["content-type"] == "application/problem+json"
        and found.keys() >= MEMBERS
        and found["status"] == reply.status
        and found["type"] == f"urn:linkflow:error:{found['code']}"
        and re.fullmatch(r"[a-z0-9_.]+", found["code"]) is not None
        and found["kind"] in KINDS
        and found["request_id"] == reply.headers["x-request-id"]
    )


async def routes(stage: Stage) -> list[tuple[str, str, dict[str, Any]]]:
    """List every documented route as (method, path with made-up ids, description)."""
    document = (await stage.client.get("/api/openapi.json")).json
    found = []
    for path, methods in document["paths"].items():
        filled = path.replace("{number}", "1").replace(
            "{execution_id}", "01a1fd01-ae86-8339-9a22-eec90751cbe8"
        )
        filled = re.sub(r"\{\w+\}", "nothing", filled)
        found += [(method.upper(), filled, route) for method, route in methods.items()]
    return found


def sample(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """Make a value that a body's schema accepts: required members only."""
    if "$ref" in schema:
        return sample(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], document)
    if schema.get("enum"):
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            more = {"x": schema["additionalProperties"]} if schema.get("minProperties") else {}
            inside = {name: schema["properties"][name] for name in schema.get("required", ())} | more
            return {name: sample(each, document) for name, each in inside.items()}
        case "array":
            return [sample(schema["items"], document) for _ in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
    return "x" * max(8, schema.get("minLength", 0))


async def test_every_route_refuses_strangers_in_the_same_shape(stage: Stage) -> None:
    """A9: every route that needs a token answers 401 in the one shape of errors without it."""
    document = (await stage.client.get("/api/openapi.json")).json
    wrong = []
    for method, path, route in await routes(stage):
        if not route.get("security"):
            continue
        content = route.get("requestBody", {}).get("content", {}).get("application/json", {})
        body = sample(content["schema"], document) if content else None
        found = await stage.stranger.call(method, path, body)
        if found.status != 401 or not is_problem(found):
            wrong.append((method, path, found.status))

    assert [] == wrong


async def test_every_route_refuses_broken_json_in_the_same_shape(stage: Stage) -> None:
    """A12, C23: a body that is not JSON is 400 before anybody is asked who they are."""
    wrong = []
    for method, path, route in await routes(stage):
        if "requestBody" not in route or path.startswith(("/api/v1/jobs/", *OWN_WORDS)):
            continue
        found = await stage.stranger.call(method, path, raw=b'{"half": ')
        if found.status != 400 or not is_problem(found):
            wrong.append((method, path, found.status))

    assert [] == wrong


async def test_unknown_things_have_the_same_shape(stage: Stage) -> None:
    """An unknown path, a method that is not there and an unknown id answer in the one shape of errors."""
    found = [
        await stage.client.get("/api/v1/nothing"),
        await stage.client.call("PATCH", "/api/v1/auth/login"),
        await stage.client.get("/api/v1/workflows/nothing"),
        await stage.client.get("/api/v1/executions/not-an-id"),
        await stage.client.get("/nothing"),
    ]

    assert ([404, 405, 404, 404, 404], [True] * 5) == (
        [each.status for each in found],
        [is_problem(each) for each in found],
    )


async def test_a_bug_of_ours_has_the_same_shape(stage: Stage) -> None:
    """An exception nobody expected is 500 in the one shape of errors and tells nothing of its cause."""
    workflow_id = await stage.workflow()
    stage.engine.failure = RuntimeError("a secret of the inside")
    found = await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute", {})

    assert (500, True, False) == (found.status, is_problem(found), b"secret" in found.body)


async def test_large_bodies_are_refused(stage: Stage) -> None:
    """A16: a body over the limit is 413 without being read, in the one shape of errors."""
    found = await stage.client.call(
        "POST", "/api/v1/workflows", raw=b"{}", headers={"content-length": str(11 * 1024 * 1024)}
    )

    assert (413, True) == (found.status, is_problem(found))


async def test_text_that_cannot_be_kept_is_refused(stage: Stage) -> None:
    """A16: JSON that holds half a character or NaN is 400."""
    found = [
        await stage.client.call("POST", "/api/v1/workflows", raw=raw)
        for raw in (rb'{"name": "\ud800"}', b'{"name": "x", "spec": {"n": NaN}}')
    ]

    assert [400, 400] == [each.status for each in found]


async def test_a_nul_in_the_address_is_refused(stage: Stage) -> None:
    """A16: a NUL character in an address is 400, wherever it stands."""
    found = [
        await stage.client.get("/api/v1/workflows/\x00"),
        await stage.client.get("/api/v1/workflows?search=%00"),
    ]

    assert [400, 400] == [each.status for each in found]


async def test_a_nul_in_a_body_is_refused(stage: Stage) -> None:
    """A NUL in a name that is looked up is the caller's mistake, and said so; none reaches the database."""
    body = {"workflow_id": "a\0b", "node_id": "n", "expressions": ["{{ 1 }}"]}
    found = await stage.client.post("/api/v1/expressions/evaluate", body)

    assert 400 <= found.status < 500
    assert "workflow_id" in str(found.json)


async def test_a_request_keeps_its_id(stage: Stage) -> None:
    """A request id that the caller gives comes back, so that its log lines can be found."""
    found = await Client(stage.app).get("/health", **{"x-request-id": "abc-123"})

    assert "abc-123" == found.headers["x-request-id"]
