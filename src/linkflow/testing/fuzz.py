"""Generated requests: for a route, whatever its description allows and whatever it does not."""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from linkflow.api.app import openapi_document
from linkflow.testing.control import Client, Reply, Stage

LONGEST_S = 20.0

Look = Callable[[str, str, Reply], None]
"""Looks at the answer to `method path`, and raises when it is wrong."""


def routes() -> list[tuple[str, str]]:
    """List every route as `(method, path)`, deletions last; a stream has no end, so it is none of these."""
    found = [
        (method, path)
        for path, methods in openapi_document()["paths"].items()
        if not path.endswith("/stream")
        for method in methods
    ]
    return sorted(found, key=lambda route: route[0] == "delete")


async def real_ids(stage: Stage) -> dict[str, Any]:
    """Make one of everything, so that generated requests reach more than "there is no such thing"."""
    client = stage.client
    workflow_id = await stage.workflow(type="trigger.webhook", config={})
    await client.post(f"/api/v1/workflows/{workflow_id}/activate")
    stage.engine.holds = True
    started = await client.post(f"/api/v1/workflows/{workflow_id}/execute", {"input": {"a": [1]}})
    webhook = (await client.get("/api/v1/webhooks")).json["data"][0]["id"]
    schedule = await client.post(
        "/api/v1/schedules", {"workflow_id": workflow_id, "interval_s": 60.0, "input": {"a": 1}}
    )
    called = await client.post(f"/webhooks/{webhook}", {"a": 1})
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


async def answered(client: Client, case: Any, method: str) -> Reply:
    """Send a generated request."""
    query = urlencode(case.query or {}, doseq=True, errors="replace")
    headers = {
        name: value.encode("ascii", "ignore").decode()
        for name, value in (case.headers or {}).items()
        if name.lower() != "authorization"  # it is the client who asks, or nothing would be reached
    }
    has_body = type(case.body).__name__ != "NotSet"
    body = case.body if has_body else None
    return await client.call(method.upper(), f"{case.formatted_path}?{query}", body, headers=headers)


@cache
def _operation(method: str, path: str) -> Any:
    """Read what is described of a route."""
    return _described()[path][method]


@cache
def _described() -> Any:
    """Read the description of every route."""
    return schemathesis.openapi.from_dict(openapi_document())


async def tried(
    client: Client, method: str, path: str, ids: Mapping[str, Any], examples: int, look: Look
) -> None:
    """Send generated requests to one route, the same ones each time, and look at every answer."""
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=_operation(method, path).as_strategy())
    def requests_hold(case: Any) -> None:
        given_ids = case.path_parameters or {}
        case.path_parameters = given_ids | {name: ids[name] for name in given_ids if name in ids}
        sending = asyncio.run_coroutine_threadsafe(answered(client, case, method), loop)
        try:
            found = sending.result(LONGEST_S)
        except TimeoutError:
            raise AssertionError(f"{method} {path} is not answered: {case.body!r} {case.query!r}") from None
        look(method, path, found)

    await asyncio.to_thread(requests_hold)


def is_as_documented(method: str, path: str, found: Reply) -> None:
    """Expect a documented status and shape, and no error of our own."""
    document = openapi_document()
    documented = document["paths"][path][method]["responses"].get(str(found.status))
    assert found.status < 500, f"{method} {path}: {found.body!r}"
    assert documented is not None, f"{method} {path}: {found.status} is not documented: {found.body!r}"
    schema = _schema_of(documented)
    if schema and found.body and "json" in found.headers.get("content-type", ""):
        whole = schema | {"components": document["components"]}
        value = json.loads(found.body)
        problems = [error.message for error in jsonschema_rs.validator_for(whole).iter_errors(value)]
        assert problems == [], f"{method} {path}: {found.body!r}"


def _schema_of(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the schema that an answer is documented with."""
    for media in answer.get("content", {}).values():
        found: dict[str, Any] = media.get("schema", {})
        return found
    return None
