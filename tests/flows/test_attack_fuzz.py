"""Every route, with generated requests, as everybody: nobody gets more than their role, nothing breaks.

`pytest tests/flows/test_attack_fuzz.py --full` tries each route with fifty requests instead of two.
"""

from collections import Counter

import pytest

from linkflow.api.permissions import ACCOUNT, NEEDED, OPEN, OPERATOR, SIGNED_IN
from linkflow.domain.access import may
from linkflow.ports.identity import Member
from linkflow.testing import fuzz
from linkflow.testing.control import Client, Reply, Stage

EXAMPLES, FULL_EXAMPLES = 2, 50
SCOPES = ("workflow.view", "execution.view")
PERSONAS = ("anonymous", "viewer", "member", "admin", "owner", "key", "foreigner")
PAUSE_S = 5.0
"""Turned on between routes, so that rate limits leave something to try."""


async def client_of(stage: Stage, persona: str) -> Client:
    """Let somebody in; all but the foreigner belong to the operator's workspace."""
    if persona == "anonymous":
        return stage.stranger
    if persona == "key":
        made = await stage.client.post("/api/v1/auth/tokens", {"name": "few", "scopes": list(SCOPES)})
        return Client(stage.app, made.json["token"])
    home = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]
    hashed = await stage.plane.accounts.hash("battery staple")
    async with stage.plane.records.transaction() as records:
        user = await stage.plane.accounts.add(records, f"{persona}@fuzz.example", hashed, verified=True)
        if persona != "foreigner":
            member = Member(workspace_id=home, user_id=user.id, role=persona, joined_at=1.0)
            await records.tenancy.put_member(member)
    place = user.workspace_id if persona == "foreigner" else home
    return Client(stage.app, (await stage.plane.sign_ins.issue(user, workspace_id=place)).access_token)


def allowed(persona: str, needed: str) -> bool:
    """Say what the matrix says."""
    if needed == OPEN:
        return True
    if persona == "anonymous" or needed == OPERATOR:
        return False
    if persona == "key":
        return needed == SIGNED_IN or may("owner", needed, SCOPES)
    role = "owner" if persona == "foreigner" else persona
    return needed in (SIGNED_IN, ACCOUNT) or may(role, needed)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("persona", PERSONAS)
async def test_nobody_breaks_a_route_or_gets_more_than_their_role(
    stage: Stage, persona: str, request: pytest.FixtureRequest
) -> None:
    """Done when 4: every answer is documented, none is an error of ours, and only who may is served."""
    ids = await fuzz.real_ids(stage)
    client = await client_of(stage, persona)
    statuses: Counter[int] = Counter()

    def look(method: str, path: str, found: Reply) -> None:
        fuzz.is_as_documented(method, path, found)
        statuses[found.status] += 1
        is_served = found.status < 300
        assert not is_served or allowed(persona, NEEDED[method.upper(), path]), f"{method} {path}"
        named = persona == "foreigner" and any("{" + name + "}" in path for name in THINGS)
        assert not (is_served and named and NEEDED[method.upper(), path] != OPEN), f"{method} {path}"

    examples = FULL_EXAMPLES if request.config.getoption("--full") else EXAMPLES
    for method, path in fuzz.routes():
        if (method, path) in LAST:
            continue
        await fuzz.tried(client, method, path, ids, examples, look)
        await stage.clock.turn(PAUSE_S)

    assert statuses[429] < sum(statuses.values()) / 10, "rate limits hide the routes"


THINGS = ("workflow_id", "execution_id", "webhook_id", "schedule_id", "event_id")
"""What `real_ids` makes in the operator's workspace."""

LAST: set[tuple[str, str]] = {
    ("post", "/api/v1/auth/logout"),
    ("delete", "/api/v1/auth/sign-ins"),
    ("delete", "/api/v1/workspaces/{workspace_id}"),
    ("post", "/api/v1/members/leave"),
}
"""After these nothing more can be tried; `test_permissions.py` tries them."""
