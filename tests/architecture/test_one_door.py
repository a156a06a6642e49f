"""Every statement on rows of workspaces goes through one door: `Statements.of(workspace)`, or is listed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SQL = Path(__file__).resolve().parents[2] / "src" / "linkflow" / "adapters" / "sql"
MODULES = sorted(SQL.glob("*.py"))
CREATED = re.compile(r"CREATE TABLE (control\.\w+) \((.*?)\n\)", re.DOTALL)
RUNS = {"rows", "row", "run", "insert"}

ASKS = re.compile(
    r"workspace_id = \$|[A-Z]\.(insert|put)\b|control\.workspaces .*WHERE id = \$|\{WORKSPACES|statement"
)
"""A WHERE with the workspace; or a whole record, which holds it."""

NOT_OF_A_WORKSPACE = {"control.users", "control.sign_ins"}
"""They name a workspace, but belong to a person."""

EVERYWHERE = {
    # before a workspace is known
    "accounts.SqlAccounts.standing": "finds out who asks, and in which workspace",
    "accounts.SqlAccounts.key_standing": "as above, for a key",
    "accounts.SqlAccounts.key_used": "notes the use of a key that was just found by its hash",
    "accounts.SqlAccounts.revoke_keys": "removes the keys of one user, wherever they are",
    "tenancy.SqlTenancy.workspaces_of": "lists the workspaces of one user",
    "tenancy.SqlTenancy.invitation": "finds an invitation by the hash of its link",
    "workflows.SqlWorkflows.home": "finds in which of one user's workspaces a workflow is",
    "oauth.SqlApiClients.find": "finds a client by the id it shows, before anybody is signed in",
    "tenancy.SqlTenancy.shut": "ends sign-ins, which belong to people, of a workspace's API clients",
    "oauth.SqlApiClients.forget_grants": "forgets the grants of one user, wherever they are",
    "oauth.SqlApiClients.add_grant": "forgets old grants of everybody",
    "oauth.SqlApiClients.use_grant": "finds a grant by the hash of its code",
    "webhooks.SqlWebhooks.find": "finds a webhook by the UUID that was called",
    "webhooks.SqlTriggerEvents.keep": "finds the twin of an event by its webhook",
    # the background services, which work for all workspaces
    "plans.SqlWorkspacePlans.workspaces": "the scheduler looks at the usage of every workspace",
    "plans.SqlWorkspacePlans.budgeted": "the scheduler looks at the budgets of every workspace",
    "sealed.SqlSealedRows.every": "the scheduler seals every workspace's secrets again with a newer key",
    "schedules.SqlSchedules.due": "the scheduler fires schedules of every workspace",
    "schedules.SqlSchedules.next_due_at": "as above",
    "subscriptions.SqlSubscriptions.active": "messages go to subscriptions of every workspace",
    "subscriptions.SqlSubscriptions.claim": "as above",
    "notifications.SqlNotifications.claim": "messages of every workspace leave",
    "alerts.SqlAlerts.active": "what happens in every workspace is compared with its rules",
    "alerts.SqlAlerts.ended": "as above",
    "audit.SqlAuditLog.ends": "alerts and subscriptions ask which of many workspaces have new lines",
    "approvals.SqlApprovalLinks.get": "finds the key of a link, which names no workspace",
    "approvals.SqlApprovalLinks.to_remind": "reminders of every workspace",
    "webhooks.SqlTriggerEvents.claim": "the inbox starts events of every workspace",
    "webhooks.SqlTriggerEvents.release": "as above",
    "webhooks.SqlTriggerEvents.started": "as above",
    "webhooks.SqlTriggerEvents.refuse": "as above",
    "webhooks.SqlTriggerEvents.trim": "as above",
    "webhooks.SqlTriggerEvents.pending": "as above",
}
"""`module.Class.method` of each statement that sees rows of every workspace, and why it must."""

WATCHED = {"duties", "samples"}
"""Modules that work for the whole installation: upkeep and counting. They never answer a person."""


def tables() -> set[str]:
    """List the tables whose rows belong to a workspace."""
    migrations = "\n".join(path.read_text() for path in (SQL / "migrations" / "versions").glob("v*.py"))
    found = {name for name, body in CREATED.findall(migrations) if re.search(r"\bworkspace_id\b", body)}
    return (found | {"control.workspaces"}) - NOT_OF_A_WORKSPACE


def statements() -> Iterator[tuple[str, bool, str]]:
    """List statements: where, whether of a workspace, the text with names of tables put in."""
    for path in MODULES:
        tree = ast.parse(path.read_text())
        constants = {
            target.id: ast.unparse(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for kind in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            for method in (node for node in kind.body if isinstance(node, ast.AsyncFunctionDef)):
                text = ast.unparse(method)
                for call in (node for node in ast.walk(method) if isinstance(node, ast.Call)):
                    if isinstance(call.func, ast.Attribute) and call.func.attr in RUNS:
                        source = ast.unparse(call.func.value)
                        if "_sql" in source:
                            said = ast.unparse(call)
                            said += text if "statement" in ast.unparse(call.args[0]) else ""
                            said += " ".join(
                                constants.get(name, "") for name in re.findall(r"\b[A-Z_]+\b", said)
                            )
                            yield f"{path.stem}.{kind.name}.{method.name}", ".of(" in source, said


def test_statements_on_workspaces_go_through_the_door() -> None:
    """Whatever reads or writes rows of a workspace says of which, or is on the list of what spans them."""
    owned = tables()
    loose = {
        where
        for where, is_scoped, said in statements()
        if not is_scoped and where.partition(".")[0] not in WATCHED and any(name in said for name in owned)
    }

    assert set() == loose - EVERYWHERE.keys()


def test_statements_of_a_workspace_say_so_in_words() -> None:
    """The second lock is not the first: a statement of a workspace also asks for it in its WHERE."""
    silent = {
        where
        for where, is_scoped, said in statements()
        if is_scoped and not ASKS.search(re.sub(r"\.of\([^)]*\)", "", said))
    }

    assert set() == silent
