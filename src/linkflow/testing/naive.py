"""A second, slow and simple reading of what a workflow means, to compare the decider with.

It is written from the rules alone and shares no code with the decider: a graph is a nest of blocks
(the outermost, and one per loop body), and each block is gone through once in topological order,
with everything resolved before it is looked at. There are no events, no time and no attempts.
"""

import zlib
from dataclasses import dataclass, field

from linkflow.domain.values import Json

UNSURE = "?"
"""Stands for a value that depends on which branch was faster."""


@dataclass
class Vertex:
    """A node to be.

    Attributes:
        kind: get (an effect), say (pure), echo (pure, gives its input), peek (pure, gives another
            node's output), condition, throw, nap (a delay), event (a wait), merge, loop.
        value: What it says; for a condition whether it holds; for peek another node's id.
        may_fail: Whether some of its executions fail.
        on_error: fail, continue, or empty for the default.
        need: Taken edges that a merge waits for, 0 for all.
        items: Iterations of a loop.
        on_item_error: fail, skip or collect.
    """

    id: str
    kind: str
    value: Json = None
    may_fail: bool = False
    on_error: str = ""
    is_disabled: bool = False
    need: int = 0
    items: int = 0
    parallelism: int = 1
    on_item_error: str = "fail"
    body: "Block | None" = None


@dataclass
class Link:
    """An edge to be; `source` is empty where a block is entered. `above` is a condition on `output.v`."""

    source: str
    handle: str
    target: str
    above: int | None = None


@dataclass
class Block:
    """Nodes in topological order, and the edges among them."""

    vertices: list[Vertex] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


@dataclass
class Outcome:
    """What became of a block.

    Attributes:
        nodes: Status of each execution of a node by key; absent where timing decides.
        outputs: Output of each of them that ended well, where neither timing nor a node's own shape matters.
        results: Results of each loop.
        failures: Keys of the nodes whose error nothing caught; any of them may be first.
    """

    nodes: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Json] = field(default_factory=dict)
    results: dict[str, list[Json]] = field(default_factory=dict)
    failures: set[str] = field(default_factory=set)


class Failed(Exception):
    """A node failed; its error handle, its rule or the scope around it decides what follows."""


def effect_fails(vertex: Vertex, key: str) -> bool:
    """Say whether an execution of an effect fails, whatever the attempt."""
    return vertex.may_fail and zlib.crc32(key.encode()) % 3 == 0


def effect_value(key: str) -> Json:
    """What an execution of an effect gives when it ends well."""
    return {"v": zlib.crc32(key.encode()) % 10}


def interpret(block: Block, trigger_input: Json) -> Outcome:
    """Go through a whole workflow, whose trigger is called `t`."""
    outcome = Outcome({"t": "success"}, {"t": trigger_input})
    walk = _Walk(block, outcome, {"t": trigger_input}, _ancestors(block))
    outcome.failures = walk.walk(block, "", "t", trigger_input)
    return outcome


class _Walk:
    """Goes through a block and those inside it."""

    def __init__(
        self, root: Block, outcome: Outcome, seen: dict[str, Json], ancestors: dict[str, set[str]]
    ) -> None:
        self.root = root
        self.outcome = outcome
        self.seen = seen
        self.ancestors = ancestors

    def walk(self, block: Block, path: str, entered_from: str, entry: Json) -> set[str]:
        """Go through one block; the keys of nodes whose failure nothing caught."""
        taken: dict[int, Json] = {number: entry for number, link in enumerate(block.links) if not link.source}
        failures: set[str] = set()
        for vertex in block.vertices:
            key = f"{vertex.id}#{path}" if path else vertex.id
            incoming = [n for n, link in enumerate(block.links) if link.target == vertex.id]
            arrived = [(block.links[n].source or entered_from, taken[n]) for n in incoming if n in taken]
            if not arrived:
                self.outcome.nodes[key] = "skipped"
                continue
            try:
                handles, output, status = self._execute(vertex, key, path, arrived)
                leaving = self._leave(block, vertex, handles, output)
            except Failed:
                self.outcome.nodes[key] = "error"
                failures.add(key)
                continue
            self.outcome.nodes[key] = status
            self.outcome.outputs[key] = output
            self.seen[vertex.id] = output
            taken.update(leaving)
        return failures

    def _leave(self, block: Block, vertex: Vertex, handles: list[str], output: Json) -> dict[int, Json]:
        leaving: dict[int, Json] = {}
        for number, link in enumerate(block.links):
            if link.source != vertex.id or link.handle not in handles:
                continue
            if link.above is not None:
                if not isinstance(output, dict) or "v" not in output:
                    raise Failed
                if not output["v"] > link.above:
                    continue
            leaving[number] = output
        return leaving

    def _execute(
        self, vertex: Vertex, key: str, path: str, arrived: list[tuple[str, Json]]
    ) -> tuple[list[str], Json, str]:
        """Run one node: the handles it takes, its output, its status."""
        by_source = dict(arrived)
        given = next(iter(by_source.values())) if len(by_source) == 1 else by_source
        default = {"condition": "true", "loop": "done"}.get(vertex.kind, "out")
        if vertex.is_disabled:
            return [default], given, "success"
        try:
            return (*self._run(vertex, key, path, given, len(arrived)), "success")
        except Failed:
            if vertex.on_error == "continue":
                return [default], UNSURE, "error"
            if vertex.on_error == "" and self._has_error_edge(vertex.id):
                return ["error"], UNSURE, "error"
            raise

    def _run(self, vertex: Vertex, key: str, path: str, given: Json, arrivals: int) -> tuple[list[str], Json]:
        match vertex.kind:
            case "get" if effect_fails(vertex, key):
                raise Failed
            case "get":
                return ["out"], effect_value(key)
            case "say":
                return ["out"], vertex.value
            case "echo":
                return ["out"], given
            case "peek" if vertex.value in self.ancestors[vertex.id] and vertex.value in self.seen:
                return ["out"], self.seen[vertex.value]
            case "condition":
                return ["true" if vertex.value else "false"], UNSURE
            case "nap" | "event":
                return ["out"], UNSURE
            case "merge" if arrivals >= vertex.need:
                return ["out"], UNSURE if vertex.need else given
            case "loop":
                self.outcome.results[key] = self._go_round(vertex, path)
                return ["done"], UNSURE
            case _:  # throw, a merge that lacks branches, a look at what cannot be seen
                raise Failed

    def _go_round(self, vertex: Vertex, path: str) -> list[Json]:
        assert vertex.body is not None
        failed: list[int] = []
        for iteration in range(1, vertex.items + 1):
            inner = f"{path}.{iteration}" if path else str(iteration)
            before = dict(self.outcome.nodes)
            if self.walk(vertex.body, inner, vertex.id, iteration - 1):
                failed.append(iteration - 1)
                self.outcome.nodes = before  # how far the others came depends on time
        if failed and vertex.on_item_error == "fail":
            for key in [key for key in self.outcome.nodes if _is_inside(vertex.body, key)]:
                del self.outcome.nodes[key]
            raise Failed
        return [
            UNSURE if number in failed else number
            for number in range(vertex.items)
            if number not in failed or vertex.on_item_error == "collect"
        ]

    def _has_error_edge(self, node_id: str) -> bool:
        return any(
            link.source == node_id and link.handle == "error"
            for block in _blocks(self.root)
            for link in block.links
        )


def _blocks(block: Block) -> list[Block]:
    inner = [found for vertex in block.vertices if vertex.body is not None for found in _blocks(vertex.body)]
    return [block, *inner]


def _is_inside(block: Block, key: str) -> bool:
    return any(vertex.id == key.partition("#")[0] for found in _blocks(block) for vertex in found.vertices)


def _ancestors(root: Block) -> dict[str, set[str]]:
    """For each node every node with a way to it; what enters a loop comes before its whole body."""
    found: dict[str, set[str]] = {"t": set()}

    def visit(block: Block, outside: set[str]) -> None:
        for vertex in block.vertices:
            found[vertex.id] = set(outside)
            for link in block.links:
                if link.target == vertex.id and link.source:
                    found[vertex.id] |= {link.source, *found[link.source]}
            if vertex.body is not None:
                visit(vertex.body, {vertex.id, *found[vertex.id]})

    visit(root, {"t"})
    return found


def to_spec(root: Block) -> Json:
    """Say a nest of blocks as a workflow spec."""
    nodes: list[Json] = []
    edges: list[Json] = []

    def visit(block: Block, entry: str, entry_handle: str) -> None:
        for vertex in block.vertices:
            nodes.append(_node(vertex))
            if vertex.body is not None:
                visit(vertex.body, vertex.id, "body")
        for link in block.links:
            edge = {"source": link.source or entry, "target": link.target}
            edge["sourceHandle"] = link.handle if link.source else entry_handle
            if link.above is not None:
                edge["condition"] = f"output.v > {link.above}"
            edges.append(edge)

    visit(root, "t", "out")
    return {"trigger": {"id": "t", "type": "trigger.manual"}, "nodes": nodes, "edges": edges}


def _node(vertex: Vertex) -> Json:
    types: dict[str, tuple[str, Json]] = {
        "get": ("test.get", {}),
        "say": ("test.say", {"value": vertex.value}),
        "echo": ("test.say", {"value": "{{ input }}"}),
        "peek": ("test.say", {"value": f"{{{{ node_{vertex.value}.output }}}}"}),
        "condition": ("logic.condition", {"expression": vertex.value}),
        "throw": ("logic.throw_error", {"message": "thrown"}),
        "nap": ("logic.delay", {"seconds": 30}),
        "event": ("logic.wait_event", {"event": vertex.id}),
        "merge": ("logic.merge", {"strategy": "n_of" if vertex.need else "all", "n": vertex.need or 1}),
        "loop": (
            "logic.loop",
            {
                "mode": "times",
                "times": vertex.items,
                "parallelism": vertex.parallelism,
                "on_item_error": vertex.on_item_error,
                "collect": "loop.index",
            },
        ),
    }
    node_type, config = types[vertex.kind]
    settings = {"onError": vertex.on_error} if vertex.on_error else {}
    return {
        "id": vertex.id,
        "type": node_type,
        "config": config,
        **settings,
        "disabled": vertex.is_disabled,
        "retry": {"maxAttempts": 3},
    }
