"""Compiled graphs, by content hash; an execution pins one for ever."""

from collections import OrderedDict

from linkflow.domain.node import Catalog
from linkflow.domain.values import decode_json
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import parse
from linkflow.engine.history.measures import HITS, MISSES
from linkflow.ports.stores import SpecStore

KEPT = 500
"""Graphs kept compiled."""


class Graphs:
    """Load and compile specs once."""

    def __init__(self, specs: SpecStore, catalog: Catalog, kept: int = KEPT) -> None:
        self._specs = specs
        self._catalog = catalog
        self._kept = kept
        self._graphs: OrderedDict[tuple[str, str], ExecutionGraph] = OrderedDict()

    def find(self, workspace_id: str, spec_hash: str) -> ExecutionGraph | None:
        """Find a graph that is compiled already."""
        return self._graphs.get((workspace_id, spec_hash))

    async def get(self, workspace_id: str, spec_hash: str) -> ExecutionGraph:
        """Find or compile a graph.

        Raises:
            NotFound: No such spec in this workspace.
            SpecInvalid: It cannot run: a node type is unknown here, or the shape is wrong.
        """
        key = (workspace_id, spec_hash)
        graph = self._graphs.get(key)
        (MISSES if graph is None else HITS)["graph"].inc()
        if graph is None:
            data = await self._specs.get(workspace_id, spec_hash)
            graph = self._graphs[key] = ExecutionGraph(parse(decode_json(data)), self._catalog)
            if len(self._graphs) > self._kept:
                self._graphs.popitem(last=False)
        return graph
