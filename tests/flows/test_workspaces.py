"""The life of a workspace: made, shared by invitation, its members promoted, removed, gone."""

from email import message_from_bytes
from typing import Any

import pytest

from linkflow.testing.control import OWNER, Client, Stage

ANN = "ann@example.com"
HORSE = "battery staple"


async def registered(stage: Stage, email: str = ANN) -> Client:
    """Register somebody and give a client that is signed in as them."""
    made = await stage.stranger.post("/api/v1/auth/register", {"email": email, "password": HORSE})
    assert made.status == 201, made.body
    return Client(stage.app, made.json["access_token"])


async def founded(stage: Stage) -> str:
    """Make a workspace of the operator's."""
    made = await stage.client.post("/api/v1/workspaces", {"name": "Team", "slug": "team"})
    assert made.status == 201, made.body
    return str(made.json["id"])


async def invited(stage: Stage, home: str, role: str = "member", email: str = ANN) -> str:
    """Invite somebody and give the path of the link in their letter."""
    made = await stage.client.post(f"/api/v1/workspaces/{home}/invitations", {"email": email, "role": role})
    assert made.status == 201, made.body
    while await stage.plane.post.send_due():
        pass
    files = (stage.side.settings.home / "mail").glob("*.eml")
    letters = [message_from_bytes(file.read_bytes()) for file in files]
    texts = [str(each.get_payload()) for each in letters if each["To"] == email]
    path = str(made.json["link"]).partition("linkflow.test")[2] or made.json["link"].partition(":8000")[2]
    assert any(path.rpartition("/")[2] in text.replace("=\r\n", "").replace("=\n", "") for text in texts)
    return path


async def joined(stage: Stage, home: str, role: str, email: str = ANN) -> Client:
    """Make somebody a member by an invitation."""
    path = await invited(stage, home, role, email)
    found = await stage.stranger.post(f"{path}/accept", {"password": HORSE, "name": "Ann"})
    assert found.status == 200, found.body
    return Client(stage.app, found.json["access_token"])


async def test_workspaces_are_made_changed_and_listed(stage: Stage) -> None:
    """B8: a person has a workspace of their own and makes more; each is changed by name in the path."""
    home = await founded(stage)
    changed = await stage.client.put(
        f"/api/v1/workspaces/{home}", {"name": "Crew", "settings": {"theme": "dark"}}
    )
    listed = (await stage.client.get("/api/v1/workspaces")).json["data"]
    taken = await stage.client.post("/api/v1/workspaces", {"name": "Another", "slug": "team"})

    assert ("Crew", {"theme": "dark"}, ["Crew", "Personal"], (409, "workspace.slug_taken")) == (
        changed.json["name"],
        changed.json["settings"],
        sorted(each["name"] for each in listed),
        (taken.status, taken.json["code"]),
    )


async def test_things_stay_in_their_workspace(stage: Stage) -> None:
    """The path names where a workflow is made and seen; the same person does not see it elsewhere."""
    home = await founded(stage)
    spec = {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": [], "edges": []}
    made = await stage.client.post(f"/api/v1/workspaces/{home}/workflows", {"name": "Here", "spec": spec})
    there = await stage.client.get(f"/api/v1/workspaces/{home}/workflows/{made.json['id']}")
    elsewhere = await stage.client.get(f"/api/v1/workflows/{made.json['id']}")

    assert (201, home, 200, 404) == (
        made.status,
        made.json["workspace_id"],
        there.status,
        elsewhere.status,
    )


async def test_a_path_without_a_workspace_starts_in_the_workflows_own(stage: Stage) -> None:
    """A2: a path without a workspace finds a workflow of any of one's own workspaces, and of no other."""
    home = await founded(stage)
    ann = await joined(stage, home, "member")
    viewer = await joined(stage, home, "viewer", "vic@example.com")
    eve = await registered(stage, "eve@example.com")
    spec = {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": [], "edges": []}
    made = await ann.post(f"/api/v1/workspaces/{home}/workflows", {"name": "Ours", "spec": spec})
    start = f"/api/v1/workflows/{made.json['id']}/execute"
    key = (await ann.post("/api/v1/auth/tokens", {"name": "of another workspace"})).json["token"]
    elsewhere = f"/api/v1/workspaces/{(await ann.get('/api/v1/auth/me')).json['workspace_id']}"
    started = await ann.post(start, {})
    there = await ann.get(f"/api/v1/workspaces/{home}/executions/{started.json['execution_id']}")

    assert (202, 200) == (started.status, there.status)
    assert [403, 404, 404, 404] == [
        (await viewer.post(start, {})).status,
        (await eve.post(start, {})).status,
        (await Client(stage.app, key).post(start, {})).status,
        (await ann.post(start.replace("/api/v1", elsewhere), {})).status,
    ]


async def test_an_invitation_brings_somebody_in(stage: Stage) -> None:
    """An invitation makes account and membership at once, verifies the address, and works once."""
    home = await founded(stage)
    path = await invited(stage, home, "admin")
    offer = (await stage.stranger.get(path)).json
    body = {"password": HORSE, "name": "Ann"}
    first, second = [await stage.stranger.post(f"{path}/accept", body) for _ in range(2)]
    client = Client(stage.app, first.json["access_token"])
    me = (await client.get(f"/api/v1/workspaces/{home}/auth/me")).json
    signed_in = await stage.stranger.post("/api/v1/auth/login", {"email": ANN, "password": HORSE})

    assert (("Team", ANN, "admin"), 200, 404, ("admin", "Ann"), True) == (
        (offer["workspace"], offer["email"], offer["role"]),
        first.status,
        second.status,
        (me["role"], me["name"]),
        signed_in.json["user"]["email_verified"],
    )


async def test_an_invitation_is_bound_to_its_address(stage: Stage) -> None:
    """Somebody else who has the link joins nothing; the one it is for does, also when signed in."""
    home = await founded(stage)
    path = await invited(stage, home)
    bob, ann = await registered(stage, "bob@example.com"), await registered(stage)
    wrong = await bob.post(f"{path}/accept")
    right = await ann.post(f"{path}/accept")

    assert ((403, "invitation.other_address"), (200, home, "member")) == (
        (wrong.status, wrong.json["code"]),
        (right.status, right.json["workspace_id"], right.json["role"]),
    )


@pytest.mark.parametrize("way", ["withdrawn", "declined", "replaced", "expired"])
async def test_an_invitation_ends(stage: Stage, way: str) -> None:
    """A withdrawn, declined, replaced or week-old invitation is 404 and brings nobody in."""
    home = await founded(stage)
    path = await invited(stage, home)
    base = f"/api/v1/workspaces/{home}/invitations"
    match way:
        case "withdrawn":
            listed = (await stage.client.get(base)).json["data"]
            await stage.client.delete(f"{base}/{listed[0]['id']}")
        case "declined":
            await stage.stranger.post(f"{path}/decline")
        case "replaced":
            await invited(stage, home, "viewer")
        case "expired":
            await stage.clock.turn(7 * 24 * 3600 + 1)
    found = await stage.stranger.post(f"{path}/accept", {"password": HORSE})

    assert (404, "invitation.gone") == (found.status, found.json["code"])


async def test_nobody_gives_more_than_they_have(stage: Stage) -> None:
    """An admin makes no owner, changes none and removes none; an owner does."""
    home = await founded(stage)
    admin = await joined(stage, home, "admin")
    members = (await admin.get(f"/api/v1/workspaces/{home}/members")).json["data"]
    ids = {each["email"]: each["user_id"] for each in members}
    base = f"/api/v1/workspaces/{home}/members"
    statuses = [
        (await admin.put(f"{base}/{ids[ANN]}", {"role": "owner"})).status,
        (await admin.put(f"{base}/{ids[OWNER]}", {"role": "viewer"})).status,
        (await admin.delete(f"{base}/{ids[OWNER]}")).status,
        (await stage.client.put(f"{base}/{ids[ANN]}", {"role": "owner"})).status,
    ]

    assert [403, 403, 403, 200] == statuses


async def test_a_workspace_keeps_an_owner(stage: Stage) -> None:
    """The last owner cannot leave or be demoted; once there is another, they can."""
    home = await founded(stage)
    base = f"/api/v1/workspaces/{home}"
    await joined(stage, home, "member")
    members = (await stage.client.get(f"{base}/members")).json["data"]
    ids = {each["email"]: each["user_id"] for each in members}
    refused = [
        await stage.client.post(f"{base}/leave"),
        await stage.client.put(f"{base}/members/{ids[OWNER]}", {"role": "admin"}),
    ]
    await stage.client.put(f"{base}/members/{ids[ANN]}", {"role": "owner"})
    left = await stage.client.post(f"{base}/leave")

    assert ([(409, "workspace.last_owner")] * 2, 204, 404) == (
        [(each.status, each.json["code"]) for each in refused],
        left.status,
        (await stage.client.get(base)).status,
    )


async def test_a_removed_member_is_out_at_once(stage: Stage) -> None:
    """Whoever was removed sees nothing of the workspace any more, not even with a key made there."""
    home = await founded(stage)
    base = f"/api/v1/workspaces/{home}"
    ann = await joined(stage, home, "member")
    key = (await ann.post(f"{base}/auth/tokens", {"name": "ci"})).json["token"]
    program = Client(stage.app, key)
    before = [(await each.get(f"{base}/workflows")).status for each in (ann, program)]
    ann_id = (await ann.get("/api/v1/auth/me")).json["id"]
    await stage.client.delete(f"{base}/members/{ann_id}")
    after = [(await each.get(f"{base}/workflows")).status for each in (ann, program)]

    assert ([200, 200], [404, 401], 200) == (before, after, (await ann.get("/api/v1/workflows")).status)


async def test_a_key_knows_one_workspace(stage: Stage) -> None:
    """A key belongs to the workspace it was made in: there it needs no path, elsewhere it is 404."""
    home = await founded(stage)
    made = await stage.client.post(f"/api/v1/workspaces/{home}/auth/tokens", {"name": "ci"})
    program = Client(stage.app, made.json["token"])
    own = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]

    assert (home, 404) == (
        (await program.get("/api/v1/auth/me")).json["workspace_id"],
        (await program.get(f"/api/v1/workspaces/{own}/workflows")).status,
    )


async def test_a_deleted_workspace_starts_nothing(stage: Stage) -> None:
    """A deleted workspace is gone for its members, and its webhooks take no calls; a personal one stays."""
    home = await founded(stage)
    base = f"/api/v1/workspaces/{home}"
    spec: dict[str, Any] = {
        "trigger": {"id": "start", "type": "trigger.webhook", "config": {}},
        "nodes": [],
        "edges": [],
    }
    workflow = (await stage.client.post(f"{base}/workflows", {"name": "Hook", "spec": spec})).json["id"]
    await stage.client.post(f"{base}/workflows/{workflow}/activate")
    webhook = (await stage.client.get(f"{base}/webhooks")).json["data"][0]["id"]
    before = (await stage.stranger.post(f"/webhooks/{webhook}", {})).status
    gone = await stage.client.delete(base)
    own = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]
    personal = await stage.client.delete(f"/api/v1/workspaces/{own}")

    assert (202, 204, 404, 401, (409, "workspace.personal")) == (
        before,
        gone.status,
        (await stage.client.get(base)).status,
        (await stage.stranger.post(f"/webhooks/{webhook}", {})).status,
        (personal.status, personal.json["code"]),
    )


async def test_what_happens_to_members_is_on_record(stage: Stage) -> None:
    """B12: inviting, joining and promoting leave a line each in the audit log of the workspace."""
    home = await founded(stage)
    await joined(stage, home, "viewer")
    members = (await stage.client.get(f"/api/v1/workspaces/{home}/members")).json["data"]
    ann = next(each["user_id"] for each in members if each["email"] == ANN)
    await stage.client.put(f"/api/v1/workspaces/{home}/members/{ann}", {"role": "admin"})
    rows = await stage.database.pool.fetch(
        "SELECT action FROM control.audit_logs WHERE workspace_id = $1 ORDER BY at, action", home
    )

    assert {"workspace.create", "member.invite", "member.join", "member.update"} == {
        row["action"] for row in rows
    }
