"""Who may do what: roles and the permissions they hold."""

from collections.abc import Mapping

_OWN = (
    "workflow.view workflow.create workflow.update workflow.execute workflow.export "
    "credential.view credential.create credential.update webhook.view webhook.create webhook.update "
    "variable.view variable.create variable.update schedule.view schedule.create schedule.update "
    "execution.view execution.cancel execution.retry approval.decide workspace.view member.view"
)
_VIEW = " ".join(word for word in _OWN.split() if word.endswith(".view"))
_RUN = (
    "workflow.delete workflow.activate workflow.import credential.delete webhook.delete variable.delete "
    "schedule.delete execution.delete workspace.update member.invite member.update member.remove audit.view"
)

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "owner": frozenset(f"{_OWN} {_RUN} workspace.delete workspace.manage-billing".split()),
    "admin": frozenset(f"{_OWN} {_RUN}".split()),
    "member": frozenset(_OWN.split()),
    "viewer": frozenset(_VIEW.split()),
}
"""What each role may do; a role that is not named here may do nothing."""


def may(role: str, permission: str) -> bool:
    """Say whether a role holds a permission, such as `workflow.execute`."""
    return permission in PERMISSIONS.get(role, frozenset())
