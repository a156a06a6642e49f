"""The first thing a person does: sign in, create a workflow, run it, look at it."""

from linkflow.testing.control import OWNER, PASSWORD, Stage


async def test_a_workflow_is_created_and_run(stage: Stage) -> None:
    """A2, A7: a workflow that was created runs and its execution is read by the id of the 202."""
    workflow_id = await stage.workflow()
    started = await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute", {"input": {"name": "Ada"}})
    read = await stage.client.get(f"/api/v1/executions/{started.json['execution_id']}")

    assert (202, 200, {"name": "Ada"}) == (started.status, read.status, read.json["result"])


async def test_nothing_is_told_to_strangers(stage: Stage) -> None:
    """A9: without a token every request of the API is answered 401 as problem+json."""
    found = await stage.stranger.get("/api/v1/workflows")

    assert (401, "application/problem+json", "access.unauthenticated") == (
        found.status,
        found.headers["content-type"],
        found.json["code"],
    )


async def test_wrong_password_is_refused(stage: Stage) -> None:
    """A wrong password and an unknown address are answered alike."""
    wrong = await stage.stranger.post("/api/v1/auth/login", {"email": OWNER, "password": "nope nope"})
    unknown = await stage.stranger.post(
        "/api/v1/auth/login", {"email": "x@example.com", "password": PASSWORD}
    )

    assert (401, 401, wrong.json["detail"]) == (wrong.status, unknown.status, unknown.json["detail"])
