"""Who may do what: roles, the permissions they hold, and scopes that narrow a key or a token."""

from collections.abc import Iterable, Mapping

_VIEW = (
    "workspace.view member.view workflow.view credential.view webhook.view variable.view schedule.view "
    "tag.view execution.view environment.view alert.view"
)
_MEMBER = (
    "workflow.create workflow.update workflow.execute workflow.export credential.create credential.update "
    "webhook.create webhook.update variable.create variable.update schedule.create schedule.update "
    "tag.create tag.update execution.cancel execution.retry approval.decide apikey.manage"
)
_ADMIN = (
    "workspace.update member.invite member.update member.remove workflow.delete workflow.activate "
    "workflow.import credential.delete webhook.delete variable.delete schedule.delete tag.delete "
    "execution.delete environment.create environment.deploy policy.manage audit.view runbook.manage "
    "template.publish alert.manage"
)
_OWNER = "workspace.delete workspace.manage-billing"

ROLES = ("owner", "admin", "member", "viewer")
"""The most powerful first."""

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "owner": frozenset(f"{_VIEW} {_MEMBER} {_ADMIN} {_OWNER}".split()),
    "admin": frozenset(f"{_VIEW} {_MEMBER} {_ADMIN}".split()),
    "member": frozenset(f"{_VIEW} {_MEMBER}".split()),
    "viewer": frozenset(_VIEW.split()),
}
"""What each role may do; a role that is not named here may do nothing."""

EVERYTHING = ("*",)
"""The scopes of a person's own sign-in."""


def may(role: str, permission: str, scopes: Iterable[str] = EVERYTHING) -> bool:
    """Say whether a role, narrowed by scopes, holds a permission such as `workflow.execute`."""
    return permission in PERMISSIONS.get(role, frozenset()) and any(
        _covers(scope, permission) for scope in scopes
    )


def _covers(scope: str, permission: str) -> bool:
    """Say whether a scope holds a permission: `*`, `read`, `workflow.*` or the permission itself."""
    if scope == "read":
        return permission.endswith(".view")
    return scope in ("*", permission, f"{permission.partition('.')[0]}.*")


def is_scope(text: str) -> bool:
    """Say whether a text is a scope that covers anything."""
    return any(_covers(text, permission) for permission in PERMISSIONS["owner"])


def outranks(role: str, other: str) -> bool:
    """Say whether a role may give, change or take away another one: its own or a lesser one."""
    return role in ROLES and other in ROLES and ROLES.index(role) <= ROLES.index(other)
