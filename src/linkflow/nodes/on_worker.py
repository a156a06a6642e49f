"""A pure node run on a worker: with large values, or because it comes from a third party."""

import msgspec

from linkflow.domain.execution.retry import draw
from linkflow.domain.node import Completion, NodeClass, PureNode
from linkflow.domain.values import Json
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
        """Evaluate."""
        result = self._node.evaluate(context.config, _WorkerScope(context))
        return Completion(output=result.output, handles=result.handles or ("",), logs=result.logs)


class _WorkerScope:
    """What a pure node may read, out of what an attempt is handed."""

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._draws = 0
        self.evaluate = context.evaluate

    @property
    def input(self) -> Json:
        return self._context.input

    @property
    def now(self) -> float:
        return self._context.now

    def draw(self) -> float:
        self._draws += 1
        return draw(0, self._context.effect_key, self._draws)
