"""C4: every route answers below both prefixes, through the workspace and by the names people know."""

import re

import pytest

from linkflow.testing.control import Reply, Stage

UUID = "01a1fd01-ae86-8339-9a22-eec90751cbe8"


def said(reply: Reply) -> tuple[int, str]:
    """Say the status of an answer, and its code or kind."""
    kind = reply.headers.get("content-type", "")
    return reply.status, reply.json.get("code") if "json" in kind else kind


async def test_every_route_answers_on_both_prefixes(stage: Stage) -> None:
    """C4: each route below /api/v1 gives the same answer below /api, bodies and all."""
    document = (await stage.client.get("/api/openapi.json")).json
    differing = []
    for path, methods in document["paths"].items():
        if not path.startswith("/api/v1/") or path.endswith("/stream"):
            continue
        filled = re.sub(r"\{\w+\}", UUID, path.replace("{number}", "1"))
        for method in methods:
            one = await stage.stranger.call(method.upper(), filled, {"email": "a", "password": "b" * 8})
            two = await stage.stranger.call(
                method.upper(), filled.replace("/api/v1/", "/api/", 1), {"email": "a", "password": "b" * 8}
            )
            if said(one) != said(two):
                differing.append((method, path, one.status, two.status))

    assert [] == differing


async def test_the_workspace_may_stand_in_the_path(stage: Stage) -> None:
    """/workspaces/{ws}/… is an alias for the actor's own workspace, and 404 for any other."""
    me = (await stage.client.get("/api/v1/auth/me")).json
    own = await stage.client.get(f"/api/v1/workspaces/{me['workspace_id']}/workflows")
    other = await stage.client.get(f"/api/v1/workspaces/{UUID}/workflows")

    assert (200, 404) == (own.status, other.status)


@pytest.mark.parametrize(
    ("alias", "canonical"),
    [
        ("/healthz", "/health"),
        ("/up", "/health"),
        ("/readyz", "/ready"),
        ("/api/health", "/health"),
        ("/api/v1/users/me", "/api/v1/auth/me"),
        ("/api/v1/user", "/api/v1/auth/me"),
        ("/api/v1/node-types", "/api/v1/nodes"),
        ("/api/node-types/http.request", "/api/v1/nodes/http.request"),
        ("/api/v1/env-vars", "/api/v1/variables"),
        ("/v1/executions", "/api/v1/executions"),
    ],
)
async def test_other_spellings_answer_alike(stage: Stage, alias: str, canonical: str) -> None:
    """Paths that related systems spell differently are answered by the same handler."""
    one, two = await stage.client.get(alias), await stage.client.get(canonical)

    assert (200, one.body) == (two.status, two.body)


async def test_openapi_describes_what_is_served(stage: Stage) -> None:
    """A18: the API describes itself in OpenAPI 3.1, with one shape of errors and without 422."""
    document = (await stage.client.get("/api/openapi.json")).json
    answers = {
        status
        for methods in document["paths"].values()
        for route in methods.values()
        for status in route["responses"]
    }

    assert ("3.1.0", False, True) == (document["openapi"], "422" in answers, "401" in answers)


async def test_openapi_30_is_served_to_everyone(stage: Stage) -> None:
    """A18, C27: the same API in OpenAPI 3.0 is read without signing in."""
    newer = (await stage.stranger.get("/api/openapi.json")).json
    found = await stage.stranger.get("/api/openapi-3.0.json")

    assert (200, "3.0.3") == (found.status, found.json["openapi"])
    assert list(newer["paths"]) == list(found.json["paths"])


async def test_docs_need_nothing_from_outside(stage: Stage) -> None:
    """The page of the API loads no script, style or picture from anywhere."""
    found = await stage.stranger.get("/docs")
    outside = re.findall(rb"""(?:src|href)=["'](?!/)[^"']*|@import|url\(""", found.body)

    assert (200, []) == (found.status, outside)
