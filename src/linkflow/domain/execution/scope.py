"""What the expressions of a node can see (semantics, section 3)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from linkflow.domain.execution.retry import draw
from linkflow.domain.execution.state import ROOT, ExecutionState
from linkflow.domain.values import Json, blob_of
from linkflow.domain.workflow.template import Template, compile_expression, node_of

UNSET = msgspec.UNSET
"""No output yet: an output may well be null."""


class NeedsBlobs(Exception):  # not an error: a question to the caller
    """A decision needs large values: fetch these and decide again."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


class NodeScope:
    """The values visible to one execution of a node.

    A node sees the trigger, its input, the loops around it and what ran before it, the innermost
    scope first. Values in the blob store are opened from `blobs`, or asked for with `NeedsBlobs`.
    """

    __slots__ = (
        "_blobs",
        "_draws",
        "_extra",
        "_index",
        "_key",
        "_leaves_blobs",
        "_output",
        "_scope_id",
        "_state",
        "now",
    )

    def __init__(
        self,
        state: ExecutionState,
        index: int,
        scope_id: str,
        key: str,
        now: float,
        blobs: Mapping[str, Json],
        output: Json = UNSET,
    ) -> None:
        self.now = now
        self._state = state
        self._index = index
        self._scope_id = scope_id
        self._key = key
        self._blobs = blobs
        self._output = output
        self._leaves_blobs = False
        self._draws = 0
        self._extra: Mapping[str, Json] = {}

    # -- the port of the expression language

    def root(self, name: str) -> Json:
        """The value of a root name, or of an extra one: a loop's alias, a field of the output on an edge.

        Raises:
            KeyError: Nothing of that name can be seen here.
        """
        if name in self._extra:
            return self._extra[name]
        found = _ROOTS.get(name)
        if found is not None:
            return found(self)
        return self._fallback(name)

    def node(self, ref: str) -> Json:
        """The latest output of a node that comes before this one.

        Raises:
            KeyError: No such node, or it does not come before this one, or it has not run.
        """
        by_id = self._state.graph.by_id
        node_id = node_of(ref, by_id)
        if node_id is None:
            raise KeyError(ref)
        return self._output_of(by_id[node_id], ref)

    def labelled(self, label: str) -> Json:
        """As `node`, by label."""
        return self._output_of(self._state.graph.by_label[label], label)

    def names(self) -> Iterable[str]:
        """Everything that can be named here, for the nearest name in an error."""
        yield from _ROOTS
        yield from self._extra
        trigger = self.open(self._state.start.input)
        if isinstance(trigger, dict):
            yield from trigger
        for node in self._state.graph.nodes:
            if self._sees(node.index) and self._state.latest(node.index, self._scope_id) is not None:
                yield node.id
                yield f"node_{node.id}"

    def draw(self) -> float:
        """Draw from [0, 1), the same in every replay."""
        self._draws += 1
        return draw(self._state.start.seed, self._key, self._draws)

    # -- the port of pure nodes

    @property
    def input(self) -> Json:
        """The output of the one taken predecessor; with several, an object by source node id."""
        return self.open(self.raw_input())

    def evaluate(self, expression: str, **names: Json) -> Json:
        """Evaluate an expression with extra names in scope."""
        return self.render(compile_cached(expression), names)

    def render(self, template: Template, names: Mapping[str, Json] | None = None) -> Json:
        """Render a compiled template, with extra names in scope."""
        before = self._extra
        self._extra = {**before, **names} if names else before
        try:
            return template.render(self)
        finally:
            self._extra = before

    def collect(self, roots: Iterable[str]) -> dict[str, Json]:
        """Collect the values of roots for a task frame, blob references unopened.

        Names that cannot be seen are left out; the worker's evaluation says so. An extra name comes
        as `extra:<name>`.
        """
        found: dict[str, Json] = {}
        self._leaves_blobs = True
        for root in roots:
            kind, _, ref = root.partition(":")
            try:
                if kind == "node":
                    found[root] = self.node(ref)
                elif kind == "label":
                    found[root] = self._labelled_or_id(ref)
                elif kind == "name":
                    self._collect_name(ref, found)
                elif kind != "credential":
                    found[root] = self.root(root)
            except KeyError:
                continue
        self._leaves_blobs = False
        return found

    def _labelled_or_id(self, ref: str) -> Json:
        return self.labelled(ref) if ref in self._state.graph.by_label else self.node(ref)

    def _collect_name(self, name: str, found: dict[str, Json]) -> None:
        """An extra name, else a node, else a field of the trigger: in this order, as the language has it."""
        try:
            found[f"extra:{name}"] = self.root(name)
        except KeyError:
            try:
                found[f"node:{name}"] = self.node(name)
            except KeyError:
                found["trigger"] = self.root("trigger")

    # -- how values are found

    def open(self, value: Json) -> Json:
        """Open a blob reference.

        Raises:
            NeedsBlobs: The value is not at hand.
        """
        if type(value) is dict and not self._leaves_blobs and (sha := blob_of(value)) is not None:
            if sha not in self._blobs:
                raise NeedsBlobs(sha)
            return self._blobs[sha]
        return value

    def raw_input(self) -> Json:
        """The input with blob references left as they are."""
        state, graph = self._state, self._state.graph
        if self._output is not UNSET:
            return self._output
        scope = state.scopes.get(self._scope_id)
        taken = scope.arrived.get(self._index, ((), ()))[0] if scope is not None else ()
        if not taken:
            return state.start.input
        if len(taken) == 1:
            return self._handed_on(taken[0])
        by_source = {
            graph.nodes[graph.edges[edge].source].id: self._handed_on(edge) for edge in sorted(taken)
        }
        return by_source if len(by_source) > 1 else next(iter(by_source.values()))

    def inputs_by_id(self) -> dict[str, Json]:
        """Every taken predecessor's output by node id, in the order of the edges, opened."""
        graph = self._state.graph
        taken = self._state.scopes[self._scope_id].arrived.get(self._index, ((), ()))[0]
        return {
            graph.nodes[graph.edges[edge].source].id: self.open(self._handed_on(edge))
            for edge in sorted(taken)
        }

    def _handed_on(self, edge_index: int) -> Json:
        edge = self._state.graph.edges[edge_index]
        if edge.handle == "body" and self._state.graph.nodes[edge.source].spec.type == "logic.loop":
            return self._loop()["item"]
        node = self._state.latest(edge.source, self._scope_id)
        return node.output if node is not None else None

    def _sees(self, index: int) -> bool:
        return bool(self._state.graph.nodes[self._index].ancestors >> index & 1) or (
            self._output is not UNSET and index == self._index
        )

    def _output_of(self, index: int, ref: str) -> Json:
        if not self._sees(index):
            raise KeyError(ref)
        if self._output is not UNSET and index == self._index:
            return self.open(self._output)
        node = self._state.latest(index, self._scope_id)
        if node is None:
            raise KeyError(ref)
        return self.open(node.output)

    def _fallback(self, name: str) -> Json:
        """The output and its fields (on edges), or a loop's alias."""
        if self._output is not UNSET:
            output = self.open(self._output)
            if name == "output":
                return output
            if isinstance(output, dict) and name in output:
                return output[name]
        scope_id = self._scope_id
        while scope_id != ROOT:
            scope = self._state.scopes[scope_id]
            loop = self._state.graph.nodes[self._state.nodes[scope.loop].index]
            config = loop.node.config
            if name == (config.get("item_alias") or "item"):
                return self._loop(scope_id)["item"]
            if name == (config.get("index_alias") or "index"):
                return self._loop(scope_id)["index"]
            scope_id = scope.parent
        raise KeyError(name)

    def _loop(self, scope_id: str | None = None) -> Json:
        scope_id = self._scope_id if scope_id is None else scope_id
        if scope_id == ROOT:
            raise KeyError("loop")
        scope = self._state.scopes[scope_id]
        loop = self._state.loops[scope.loop]
        index = scope.iteration - 1
        leaves, self._leaves_blobs = self._leaves_blobs, False
        items = self.open(loop.items)
        self._leaves_blobs = leaves
        item = items[index] if loop.mode == "forEach" else index
        return {
            "item": item,
            "index": index,
            "iteration": scope.iteration,
            "count": loop.count,
            "is_first": index == 0,
            "is_last": index == loop.count - 1,
        }

    def _trigger(self) -> Json:
        return self.open(self._state.start.input)

    def _vars(self) -> Json:
        return {**self._state.graph.spec.settings.variables, **self._state.start.variables}

    def _execution(self) -> Json:
        start = self._state.start
        return {
            "id": self._state.execution_id,
            "mode": start.mode,
            "started_at": datetime.fromtimestamp(self._state.started_at, UTC).isoformat(),
            "trigger": start.trigger_kind,
        }

    def _workflow(self) -> Json:
        start, spec = self._state.start, self._state.graph.spec
        return {"id": start.workflow_id, "version": start.workflow_version, "name": spec.metadata.name}

    def _session(self) -> Json:
        if self._state.start.session is None:
            raise KeyError("session")
        return dict(self._state.start.session)


_ROOTS = {
    "trigger": NodeScope._trigger,
    "input": lambda scope: scope.input,
    "loop": lambda scope: scope._loop(),
    "vars": NodeScope._vars,
    "env": NodeScope._vars,
    "execution": NodeScope._execution,
    "workflow": NodeScope._workflow,
    "session": NodeScope._session,
}

_compiled: dict[str, Template] = {}


def compile_cached(expression: str) -> Template:
    """Compile an expression once per process; the cache is bounded."""
    found = _compiled.get(expression)
    if found is None:
        if len(_compiled) >= 4096:
            _compiled.clear()
        found = _compiled[expression] = compile_expression(expression)
    return found
