"""The shape of a graph: loop bodies, back edges, dominators, what can be reached.

Works on node indexes and edge ends alone, so that `check` can describe a broken spec and
`graph` can compile a sound one. Sets of nodes are bit masks: bit i stands for node i.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum

import msgspec


class EdgeKind(IntEnum):
    """What an edge does for readiness (semantics, sections 2 and 4)."""

    FORWARD = 0
    RETURN = 1  # from a loop's body back to the loop
    BACK = 2  # opens the next visit of its target


class Flaw(msgspec.Struct, frozen=True):
    """Something wrong with the shape: a code, the edge or node index it is about, a sentence."""

    code: str
    message: str
    edge: int = -1
    node: int = -1


class Shape(msgspec.Struct):
    """What analysis found.

    Attributes:
        kinds: Kind of each edge.
        loops: Innermost loop node of each node, -1 for none.
        bodies: Mask of the body of each loop node.
        ancestors: For each node the mask of all nodes that can come before it.
        order: Nodes so that every forward edge points onwards; shorter when a cycle is illegal.
        resets: For each back edge the nodes whose forward edges are pending again.
        reached: Mask of nodes that a trigger can reach.
        flaws: What is wrong.
    """

    kinds: list[EdgeKind]
    loops: list[int]
    bodies: dict[int, int]
    ancestors: list[int]
    order: list[int]
    resets: dict[int, tuple[int, ...]]
    reached: int
    flaws: list[Flaw]


def members(mask: int) -> Iterable[int]:
    """Iterate over the indexes in a mask, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def analyse(
    names: Sequence[str],
    ends: Sequence[tuple[int, int]],
    *,
    loops: Sequence[int],
    bodies: Sequence[int],
    waiting: int,
    declared_back: int,
    roots: Sequence[int],
) -> Shape:
    """Analyse a graph.

    Args:
        names: Node ids, for sentences.
        ends: (source, target) of each edge.
        loops: Indexes of loop nodes.
        bodies: Indexes of edges that leave a loop's `body` handle.
        waiting: Mask of nodes that wait for something.
        declared_back: Mask of edges marked `back: true`.
        roots: Indexes of triggers.
    """
    count = len(names)
    outgoing: list[list[int]] = [[] for _ in range(count)]
    for index, (source, _) in enumerate(ends):
        outgoing[source].append(index)
    kinds = [EdgeKind.FORWARD] * len(ends)
    flaws: list[Flaw] = []

    body_masks = _bodies(ends, outgoing, loops=loops, bodies=bodies, roots=roots)
    for index, (source, target) in enumerate(ends):
        if target in body_masks and body_masks[target] >> source & 1:
            kinds[index] = EdgeKind.RETURN
        elif declared_back >> index & 1:
            kinds[index] = EdgeKind.BACK
    innermost = _innermost(count, body_masks)
    _find_leaks(names, ends, kinds, body_masks, innermost, frozenset(bodies), flaws)
    _find_back_edges(names, ends, outgoing, kinds, roots, waiting, flaws)
    order = _order(count, ends, outgoing, kinds)
    if len(order) < count and not any(flaw.code == "CYCLE_DETECTED" for flaw in flaws):
        left = set(range(count)) - set(order)
        edge = next(
            i for i, (s, t) in enumerate(ends) if s in left and t in left and kinds[i] == EdgeKind.FORWARD
        )
        flaws.append(_cycle(names, ends, edge, "it has no single entry"))
    return Shape(
        kinds=kinds,
        loops=innermost,
        bodies=body_masks,
        ancestors=_ancestors(count, [*ends, *_returns(body_masks)]),
        order=order,
        resets={
            index: tuple(
                node
                for node in members(_reachable_forward(target, ends, outgoing, kinds) | 1 << target)
                if innermost[node] == innermost[target]
            )
            for index, (_, target) in enumerate(ends)
            if kinds[index] == EdgeKind.BACK
        },
        reached=_reachable(roots, ends, outgoing, stops=0),
        flaws=flaws,
    )


def _bodies(
    ends: Sequence[tuple[int, int]],
    outgoing: list[list[int]],
    *,
    loops: Sequence[int],
    bodies: Sequence[int],
    roots: Sequence[int],
) -> dict[int, int]:
    """Collect the body of each loop: what its `body` edges lead to.

    It ends at the loop itself, and at loops that every way to it passes: so an edge from an inner body to
    an outer loop is seen for what it is.
    """
    without = {loop: _reachable(roots, ends, outgoing, stops=1 << loop) for loop in loops}
    return {
        loop: _reachable(
            [ends[edge][1] for edge in bodies if ends[edge][0] == loop],
            ends,
            outgoing,
            stops=sum(1 << other for other in loops if not without[other] >> loop & 1),
        )
        for loop in loops
    }


def _reachable(
    start: Sequence[int], ends: Sequence[tuple[int, int]], outgoing: list[list[int]], stops: int
) -> int:
    """Collect what can be reached from nodes (themselves included) without passing any of a mask."""
    seen = 0
    stack = [node for node in start if not stops >> node & 1]
    while stack:
        node = stack.pop()
        if seen >> node & 1:
            continue
        seen |= 1 << node
        stack.extend(ends[edge][1] for edge in outgoing[node] if not stops >> ends[edge][1] & 1)
    return seen


def _reachable_forward(
    start: int, ends: Sequence[tuple[int, int]], outgoing: list[list[int]], kinds: list[EdgeKind]
) -> int:
    seen = 0
    stack = [start]
    while stack:
        node = stack.pop()
        for edge in outgoing[node]:
            target = ends[edge][1]
            if kinds[edge] == EdgeKind.FORWARD and not seen >> target & 1:
                seen |= 1 << target
                stack.append(target)
    return seen


def _returns(bodies: dict[int, int]) -> list[tuple[int, int]]:
    """List, for every node of a body, an edge to its loop: an iteration returns wherever it ends."""
    return [(node, loop) for loop, mask in bodies.items() for node in members(mask)]


def _innermost(count: int, bodies: dict[int, int]) -> list[int]:
    """Say for each node which loop's body is the smallest around it."""
    found = [-1] * count
    for loop, mask in sorted(bodies.items(), key=lambda item: -item[1].bit_count()):
        for node in members(mask):
            found[node] = loop
    return found


def _find_leaks(
    names: Sequence[str],
    ends: Sequence[tuple[int, int]],
    kinds: list[EdgeKind],
    bodies: dict[int, int],
    innermost: list[int],
    entries: frozenset[int],
    flaws: list[Flaw],
) -> None:
    """A body may be entered and left only through its loop."""
    for index, (source, target) in enumerate(ends):
        if kinds[index] == EdgeKind.RETURN and innermost[source] != target:
            flaws.append(
                Flaw(
                    "LOOP_BODY_LEAK",
                    f"The edge from '{names[source]}' to the outer loop '{names[target]}' jumps over the "
                    f"inner loop '{names[innermost[source]]}'; leave the inner one by its `done` handle.",
                    edge=index,
                )
            )
            continue
        for loop, mask in bodies.items():
            is_inside = mask >> source & 1, mask >> target & 1
            if is_inside == (0, 1) and index not in entries and kinds[index] == EdgeKind.FORWARD:
                message = (
                    f"The edge from '{names[source]}' to '{names[target]}' enters the body of the loop "
                    f"'{names[loop]}' from outside; lead it to the loop, or take '{names[target]}' "
                    "out of the body."
                )
            elif is_inside == (1, 0) and target != loop:
                message = (
                    f"The edge from '{names[source]}' to '{names[target]}' leaves the body of the loop "
                    f"'{names[loop]}'; lead the body back to the loop, and go on from its `done` handle."
                )
            else:
                continue
            flaws.append(Flaw("LOOP_BODY_LEAK", message, edge=index))


def _find_back_edges(
    names: Sequence[str],
    ends: Sequence[tuple[int, int]],
    outgoing: list[list[int]],
    kinds: list[EdgeKind],
    roots: Sequence[int],
    waiting: int,
    flaws: list[Flaw],
) -> None:
    """Mark edges whose target dominates their source as back edges; refuse those without a wait."""
    count = len(names)
    if len(_order(count, ends, outgoing, kinds)) == count:
        return
    dominators = _dominators(count, ends, kinds, roots)
    for index, (source, target) in enumerate(ends):
        if kinds[index] != EdgeKind.FORWARD or not dominators[source] >> target & 1:
            continue
        kinds[index] = EdgeKind.BACK
        cycle = _natural_loop(source, target, ends, kinds)
        if not cycle & waiting:
            flaws.append(_cycle(names, ends, index, "nothing in it waits"))


def _cycle(names: Sequence[str], ends: Sequence[tuple[int, int]], edge: int, why: str) -> Flaw:
    source, target = ends[edge]
    return Flaw(
        "CYCLE_DETECTED",
        f"The edge from '{names[source]}' back to '{names[target]}' closes a cycle, and {why}. Use a "
        "logic.loop node, put a waiting node (delay, wait for event, approval) into the cycle, or mark the "
        "edge with back: true.",
        edge=edge,
    )


def _natural_loop(source: int, target: int, ends: Sequence[tuple[int, int]], kinds: list[EdgeKind]) -> int:
    """Collect the nodes of the cycle that a back edge closes."""
    incoming: dict[int, list[int]] = {}
    for index, (left, right) in enumerate(ends):
        if kinds[index] != EdgeKind.BACK:
            incoming.setdefault(right, []).append(left)
    mask = 1 << target
    stack = [source]
    while stack:
        node = stack.pop()
        if mask >> node & 1:
            continue
        mask |= 1 << node
        stack.extend(incoming.get(node, ()))
    return mask


def _dominators(
    count: int, ends: Sequence[tuple[int, int]], kinds: list[EdgeKind], roots: Sequence[int]
) -> list[int]:
    """For each node the mask of nodes on every way from the roots; itself included."""
    incoming: list[list[int]] = [[] for _ in range(count)]
    for index, (source, target) in enumerate(ends):
        if kinds[index] == EdgeKind.FORWARD:
            incoming[target].append(source)
    everything = (1 << count) - 1
    starts = {node for node in range(count) if node in roots or not incoming[node]}
    found = [1 << node if node in starts else everything for node in range(count)]
    changed = True
    while changed:
        changed = False
        for node in range(count):
            if node in starts:
                continue
            mask = everything
            for source in incoming[node]:
                mask &= found[source]
            mask |= 1 << node
            if mask != found[node]:
                found[node] = mask
                changed = True
    return found


def _order(
    count: int, ends: Sequence[tuple[int, int]], outgoing: list[list[int]], kinds: list[EdgeKind]
) -> list[int]:
    """Order nodes by forward edges (Kahn); nodes on a cycle, and after one, are missing."""
    degree = [0] * count
    for index, (_, target) in enumerate(ends):
        if kinds[index] == EdgeKind.FORWARD:
            degree[target] += 1
    ready = [node for node in range(count) if not degree[node]]
    order: list[int] = []
    while ready:
        node = ready.pop()
        order.append(node)
        for edge in outgoing[node]:
            if kinds[edge] == EdgeKind.FORWARD:
                target = ends[edge][1]
                degree[target] -= 1
                if not degree[target]:
                    ready.append(target)
    return order


def _ancestors(count: int, ends: Sequence[tuple[int, int]]) -> list[int]:
    """For each node the mask of nodes with a way to it, over edges of every kind."""
    found = [0] * count
    changed = True
    while changed:
        changed = False
        for source, target in ends:
            mask = found[target] | found[source] | 1 << source
            if mask != found[target]:
                found[target] = mask
                changed = True
    return found
