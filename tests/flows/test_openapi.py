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

ROUTES: dict[str, list[tuple[str, str]]] = {}
for _path, _methods in openapi_document()["paths"].items():
    for _method, _route in _methods.items():
        if not _path.endswith("/stream"):
            ROUTES.setdefault(_route["tags"][0], []).append((_method, _path))
EXAMPLES = 10


def schema_of(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Read the schema that an answer is documented with."""
    for media in answer.get("content", {}).values():
        found: dict[str, Any] = media.get("schema", {})
        return found
    return None


async def real_ids(stage: Stage) -> dict[str, Any]:
    """Make one of everything, so that generated requests reach more than "there is no such thing"."""
    workflow_id = await stage.workflow(type="trigger.webhook", config={})
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    stage.engine.holds = True
    started = await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute", {"input": {"a": [1]}})
    webhook = (await stage.client.get("/api/v1/webhooks")).json["data"][0]["id"]
    schedule = await stage.client.post(
        "/api/v1/schedules", {"workflow_id": workflow_id, "interval_s": 60.0, "input": {"a": 1}}
    )
    called = await stage.client.post(f"/webhooks/{webhook}", {"a": 1})
    return {
        "workflow_id": workflow_id,
        "execution_id": started.json["execution_id"],
        "webhook_id": webhook,
        "schedule_id": schedule.json["id"],
        "event_id": called.json["event_id"],
        "token": f"{started.json['execution_id']}.t0k3n",
        "number": 1,
        "key": "start",
    }


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


@pytest.mark.timeout(120)
@pytest.mark.parametrize("tag", ROUTES)
async def test_generated_requests_are_answered_as_documented(stage: Stage, tag: str) -> None:
    """A16, A18: no generated request makes a 500, and every answer has a documented status and shape."""
    real = await real_ids(stage)
    for method, path in sorted(ROUTES[tag], key=lambda route: route[0] == "delete"):
        await holds(stage, method, path, real)


async def holds(stage: Stage, method: str, path: str, real: dict[str, Any]) -> None:
    """Send generated requests to one route and look at every answer."""
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
        given_ids = case.path_parameters or {}
        case.path_parameters = given_ids | {name: real[name] for name in given_ids if name in real}
        sending = answered(stage.client, case, method)
        status, kind, body = asyncio.run_coroutine_threadsafe(sending, loop).result(20)
        documented = route["responses"].get(str(status))
        assert status < 500, f"{method} {path}: {body!r}"
        assert documented is not None, f"{method} {path}: {status} is not documented: {body!r}"
        schema = schema_of(documented)
        if schema and body and "json" in kind:
            whole = schema | {"components": document["components"]}
            value = json.loads(body)
            problems = [error.message for error in jsonschema_rs.validator_for(whole).iter_errors(value)]
            assert [] == problems, f"{method} {path}: {body!r}"

    await asyncio.to_thread(requests_hold)
