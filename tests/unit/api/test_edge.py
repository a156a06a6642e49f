"""Which path answers a path."""

import pytest

from linkflow.api.edge import canonical_path


@pytest.mark.parametrize(
    ("asked", "answered", "workspace"),
    [
        ("/api/v1/workflows", "/api/v1/workflows", ""),
        ("/api/workflows", "/api/v1/workflows", ""),
        ("/api/v1/workspaces/w1/workflows/x", "/api/v1/workflows/x", "w1"),
        ("/api/workspaces/w1/executions", "/api/v1/executions", "w1"),
        ("/api/v1/workspaces", "/api/v1/workspaces", ""),
        ("/api/openapi.json", "/api/openapi.json", ""),
        ("/api/docs", "/docs", ""),
        ("/v1/nodes", "/api/v1/nodes", ""),
        ("/api/v1/workflows/a/versions/2/rollback", "/api/v1/workflows/a/versions/2/restore", ""),
        ("/apish", "/apish", ""),
        ("/", "/", ""),
    ],
)
def test_paths_have_one_answer(asked: str, answered: str, workspace: str) -> None:
    """C4: every spelling of a path leads to the canonical one, and the workspace it names is kept."""
    assert (answered, workspace) == canonical_path(asked)
