"""What the API says of itself holds: generated requests of every route are answered as documented."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from linkflow.api.app import openapi_document
from linkflow.testing.control import Client, Stage

ROUTES = [
    (method, path)
    for path, methods in openapi_document()["paths"].items()
    for method in methods
    if not path.endswith("/stream")
]
EXAMPLES = 12


def schema_of(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Read the schema that an answer is documented with."""
    for media in answer.get("content", {}).values():
        found: dict[str, Any] = media.get("schema", {})
        return found
    return None


async def answered(client: Client, case: Any, method: str) -> tuple[int, str, bytes]:
    """Send a generated request."""
    query = urlencode(case.query or {}, doseq=True, errors="replace")
    headers = {
        name: value.encode("ascii", "ignore").decode()
        for name, value in (case.headers or {}).items()
        if name.lower() != "authorization"  # it is the owner who asks, or nothing would be reached
    }
    has_body = type(case.body).__name__ != "NotSet"
    body = case.body if has_body else None
    found = await client.call(method.upper(), f"{case.formatted_path}?{query}", body, headers=headers)
    return found.status, found.headers.get("content-type", ""), found.body


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda value: value.strip("/").replace("/", "."))
async def test_generated_requests_are_answered_as_documented(stage: Stage, method: str, path: str) -> None:
    """A16, A18: no generated request makes a 500, and every answer has a documented status and shape."""
    document = openapi_document()
    route = document["paths"][path][method]
    loop = asyncio.get_running_loop()
    operation = schemathesis.openapi.from_dict(document)[path][method]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def requests_hold(case: Any) -> None:
        sending = answered(stage.client, case, method)
        status, kind, body = asyncio.run_coroutine_threadsafe(sending, loop).result(20)
        documented = route["responses"].get(str(status))
        assert status < 500, body
        assert documented is not None, f"{status} is not documented: {body!r}"
        schema = schema_of(documented)
        if schema and body and "json" in kind:
            whole = schema | {"components": document["components"]}
            value = json.loads(body)
            problems = [error.message for error in jsonschema_rs.validator_for(whole).iter_errors(value)]
            assert [] == problems, body

    await asyncio.to_thread(requests_hold)
