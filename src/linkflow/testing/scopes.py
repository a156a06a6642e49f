"""A scope for expressions that holds what it is given."""

from collections.abc import Iterable, Mapping

from linkflow.domain.values import Json
from linkflow.domain.workflow.template import node_of


class FixedScope:
    """A `Scope` of given roots and node outputs, at a fixed time, whose draws repeat a fixed sequence.

    Args:
        roots: `{"trigger": …, "input": …}`.
        nodes: Outputs by node id.
        labels: Node ids by label.
        now: Seconds since 1970.
        draws: What `draw` gives, in order, again and again.
    """

    def __init__(
        self,
        roots: Mapping[str, Json] | None = None,
        nodes: Mapping[str, Json] | None = None,
        labels: Mapping[str, str] | None = None,
        *,
        now: float = 1_795_249_800.0,
        draws: tuple[float, ...] = (0.5, 0.25, 0.75, 0.0),
    ) -> None:
        self._roots = dict(roots or {})
        self._nodes = dict(nodes or {})
        self._labels = dict(labels or {})
        self.now = now
        self._draws = draws
        self._drawn = 0

    def root(self, name: str) -> Json:
        """Give a root, or KeyError."""
        return self._roots[name]

    def node(self, ref: str) -> Json:
        """Give a node's output, or KeyError."""
        found = node_of(ref, set(self._nodes))
        if found is None:
            raise KeyError(ref)
        return self._nodes[found]

    def labelled(self, label: str) -> Json:
        """Give the output of the node with this label, or KeyError."""
        return self._nodes[self._labels[label]]

    def names(self) -> Iterable[str]:
        """List roots, node ids and labels."""
        return [*self._roots, *self._nodes, *self._labels]

    def draw(self) -> float:
        """Give the next of the fixed draws."""
        found = self._draws[self._drawn % len(self._draws)]
        self._drawn += 1
        return found
