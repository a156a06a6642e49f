"""A copy of a state goes its own way."""

from linkflow.domain.execution.parts import Scope
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import parse
from linkflow.testing.builders import catalog

SPEC = {
    "metadata": {"name": "none"},
    "trigger": {"id": "t", "type": "trigger.manual"},
    "nodes": [],
    "edges": [],
}


def test_a_copy_has_everything_and_shares_nothing_that_changes() -> None:
    """Every part of a state is in its copy, and what may be filled or emptied is a copy of its own."""
    state = ExecutionState("e", ExecutionGraph(parse(SPEC), catalog()))
    state.scopes[""] = Scope("", "", "", "", 0, 0)
    twin = state.copy()
    changing = [name for name in ExecutionState.__slots__ if isinstance(getattr(state, name), dict | list)]
    missing = [name for name in ExecutionState.__slots__ if not hasattr(twin, name)]
    shared = [name for name in changing if getattr(state, name) is getattr(twin, name)]

    assert ([], [], False) == (missing, shared, twin.scopes[""] is state.scopes[""])
