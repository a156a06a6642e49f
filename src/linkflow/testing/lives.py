"""Random workflows, and random lives of their executions: batches, repeats, lost workers, early signals."""

import random

from linkflow.domain.errors import Kind
from linkflow.domain.execution import news as n
from linkflow.domain.node import Completion
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import parse
from linkflow.testing.builders import Play, catalog, failure
from linkflow.testing.naive import Block, Link, Vertex, effect_fails, effect_value, to_spec

KINDS = ("get", "get", "get", "say", "echo", "peek", "condition", "throw", "nap", "event", "merge", "loop")
INPUT = {"v": 5}


def random_block(rng: random.Random, prefix: str, depth: int, around: list[str]) -> Block:
    """Make a block of one to six nodes, each entered from earlier ones or from outside."""
    block = Block()
    for number in range(rng.randint(1, 6 - 2 * depth)):
        vertex = random_vertex(rng, f"{prefix}{number}", depth, around, block)
        earlier = [""] + [found.id for found in block.vertices]
        for source in rng.sample(earlier, k=min(len(earlier), rng.choice((1, 1, 2, 3)))):
            block.links.append(random_link(rng, block, source, vertex.id))
        block.vertices.append(vertex)
    return block


def random_vertex(rng: random.Random, name: str, depth: int, around: list[str], block: Block) -> Vertex:
    """Make a node of any kind."""
    kind = rng.choice([kind for kind in KINDS if depth < 2 or kind != "loop"])
    vertex = Vertex(name, kind, on_error=rng.choice(("", "", "fail", "continue")))
    if kind == "peek":
        near = [found.id for found in block.vertices] if not depth else []
        vertex.value = rng.choice([*around, *near, "t"])
    elif kind == "say":
        vertex.value = {"v": rng.randint(0, 9)}
    elif kind == "condition":
        vertex.value = rng.random() < 0.5
    elif kind == "get":
        vertex.may_fail = rng.random() < 0.3
    elif kind == "merge":
        vertex.need = rng.choice((0, 1, 2))
    elif kind == "throw" and rng.random() < 0.7:
        vertex.on_error = "continue"
    elif kind == "loop":
        vertex.items, vertex.parallelism = rng.randint(0, 3), rng.randint(1, 3)
        vertex.on_item_error = rng.choice(("fail", "skip", "collect"))
        seen = [*around, *(found.id for found in block.vertices if not depth)]
        vertex.body = random_block(rng, f"{name}_", depth + 1, seen)
    vertex.is_disabled = kind in ("get", "say", "condition") and rng.random() < 0.1
    return vertex


def random_link(rng: random.Random, block: Block, source: str, target: str) -> Link:
    """Make an edge from an earlier node, or from outside the block."""
    found = next((vertex for vertex in block.vertices if vertex.id == source), None)
    if found is None:
        return Link("", "", target)
    if found.kind == "condition":
        return Link(source, rng.choice(("true", "false")), target)
    handle = "error" if rng.random() < 0.15 else "done" if found.kind == "loop" else "out"
    has_number = found.kind in ("get", "say") and not found.is_disabled and handle == "out"
    return Link(source, handle, target, rng.randint(0, 9) if has_number and rng.random() < 0.3 else None)


class RandomLife:
    """Leads an execution in random order, to its end.

    What goes wrong on the way (lost workers, transient failures) stays within what attempts allow, so
    that the outcome depends on the workflow alone.
    """

    def __init__(self, graph: ExecutionGraph, vertices: dict[str, Vertex], rng: random.Random) -> None:
        self.vertices = vertices
        self.rng = rng
        self.old: list[n.News] = []
        self.play = Play(graph, INPUT, room=rng.choice((0, 1, 2, 100)), begins=False)

    def live(self) -> Play:
        """Lead it to its end.

        Raises:
            AssertionError: A turn broke a rule, or there is no end.
        """
        play, rng = self.play, self.rng
        self.tell(n.Begin(play.started))
        for _ in range(2_000):
            if play.state.is_closed:
                return play
            choices = [*play.state.flying, *(["wake"] if play.state.waits or play.state.retries else [])]
            told = [self.news_about(rng.choice(choices)) for _ in range(rng.randint(1, 3))]
            losses = [item for item in told if isinstance(item, n.SessionsLost)]
            if len(losses) > 1:
                told = [losses[0]]  # one crash at a time
            if rng.random() < 0.2 and self.old:
                told.insert(0, rng.choice(self.old))
            self.tell(*told)
        raise AssertionError("the execution does not end")

    def tell(self, *told: n.News) -> None:
        """Tell it news, and remember what may be repeated."""
        self.old += [item for item in told if not isinstance(item, n.SessionsLost)]
        if self.play.state.is_ending or any(isinstance(item, n.Report) for item in told):
            told = tuple(item for item in told if not isinstance(item, n.Signal))  # it might be over by then
        self.play.tell(*told)

    def news_about(self, choice: str) -> n.News:
        """Make news about an activity under a key, or about time (`wake`)."""
        play, rng = self.play, self.rng
        if choice == "wake":
            waiting = [play.state.waits[key] for key in play.state.waits]
            events = [wait.name for wait in waiting if wait.kind == "event"]
            if events and rng.random() < 0.8:
                return n.Signal(f"s{len(self.old)}", rng.choice(events))
            nearest = play.state.wakeup_at()
            if nearest is not None and (not events or nearest < play.at + 600):
                play.at = max(play.at, nearest)
            return n.Wake()
        node = play.state.nodes[choice]
        if not node.session:
            return n.Claim(choice, node.attempt, f"w{rng.randint(1, 2)}")
        lost = [
            found for key in play.state.flying if (found := play.state.nodes[key]).session == node.session
        ]
        if rng.random() < 0.1 and all(found.attempt < 2 for found in lost):
            return n.SessionsLost([node.session])
        return n.Report(choice, node.attempt, node.session, self.answer(choice, node.attempt))

    def answer(self, key: str, attempt: int) -> Completion:
        """Say how an attempt ends."""
        if attempt < 2 and self.rng.random() < 0.15:
            return Completion(error=failure("net.lost", Kind.TRANSIENT))
        if effect_fails(self.vertices[key.partition("#")[0]], key):
            return Completion(error=failure())
        return Completion(output=effect_value(key))


def random_workflow(rng: random.Random) -> Block:
    """Make a graph; behind a merge that does not wait for all, nobody looks at what may not be finished."""
    block = random_block(rng, "n", 0, [])
    vertices = all_vertices(block).values()
    if any(vertex.need for vertex in vertices):
        for vertex in vertices:
            vertex.kind = "echo" if vertex.kind == "peek" else vertex.kind
    return block


def all_vertices(block: Block) -> dict[str, Vertex]:
    """Index every node of a nest of blocks by id."""
    found: dict[str, Vertex] = {}
    for vertex in block.vertices:
        found[vertex.id] = vertex
        if vertex.body is not None:
            found |= all_vertices(vertex.body)
    return found


def compiled(block: Block) -> ExecutionGraph:
    """Compile a nest of blocks."""
    return ExecutionGraph(parse(to_spec(block)), catalog())
