"""A pure node run on a worker: with large values, or because it comes from a third party."""

from collections.abc import Iterable

import msgspec

from linkflow.domain.execution.retry import draw
from linkflow.domain.node import Completion, NodeClass, PureNode
from linkflow.domain.values import Json
from linkflow.domain.workflow.template import compile_expression
from linkflow.ports.nodes import NodeContext

TIMEOUT_S = 30.0
"""Start-to-close limit of a pure node on a worker, unless its type says another."""


class PureOnWorker:
    """Run a pure node as an activity of class idempotent."""

    def __init__(self, node: PureNode) -> None:
        self._node = node
        self.spec = msgspec.structs.replace(
            node.spec, node_class=NodeClass.IDEMPOTENT, timeout_s=node.spec.timeout_s or TIMEOUT_S
        )

    async def run(self, context: NodeContext) -> Completion:
        """Evaluate; the first handle is the one taken."""
        result = self._node.evaluate(context.config, _WorkerScope(context))
        return Completion(output=result.output, handle=result.handles[0] if result.handles else "")


class _WorkerScope:
    """The input, and the extra names of one expression: what a pure node sees on a worker."""

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._names: dict[str, Json] = {}
        self._draws = 0

    @property
    def input(self) -> Json:
        return self._context.input

    @property
    def now(self) -> float:
        return self._context.now

    def draw(self) -> float:
        self._draws += 1
        return draw(0, self._context.effect_key, self._draws)

    def evaluate(self, expression: str, **names: Json) -> Json:
        before = self._names
        self._names = {**before, **names}
        try:
            return compile_expression(expression).render(self)
        finally:
            self._names = before

    def root(self, name: str) -> Json:
        return self.input if name == "input" else self._names[name]

    def node(self, ref: str) -> Json:
        raise KeyError(ref)

    def labelled(self, label: str) -> Json:
        raise KeyError(label)

    def names(self) -> Iterable[str]:
        return ("input", *self._names)
