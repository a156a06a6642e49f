"""Roles and permissions."""

from itertools import pairwise

import pytest

from linkflow.domain.access import PERMISSIONS, may


@pytest.mark.parametrize(
    ("role", "permission", "expected"),
    [
        ("owner", "workspace.delete", True),
        ("admin", "workspace.delete", False),
        ("member", "workflow.execute", True),
        ("member", "workflow.delete", False),
        ("viewer", "execution.view", True),
        ("viewer", "workflow.execute", False),
        ("nobody", "workflow.view", False),
    ],
)
def test_roles_hold_what_they_should(role: str, permission: str, expected: bool) -> None:
    """B8: a role may do what its list says and nothing else; an unknown role may do nothing."""
    assert expected == may(role, permission)


def test_each_role_holds_more_than_the_next() -> None:
    """Owner, admin, member and viewer are nested."""
    order = [PERMISSIONS[role] for role in ("owner", "admin", "member", "viewer")]

    assert all(more > less for more, less in pairwise(order))
