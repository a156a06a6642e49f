"""What an expression sees while it is evaluated, and how much it may do."""

from collections.abc import Iterable
from typing import Any, NoReturn, Protocol

import msgspec

from linkflow.domain.values import OUTPUT_BYTES, Json
from linkflow.domain.workflow.template.errors import OverBudget, WrongType


class Scope(Protocol):
    """What an expression can see. Values are plain JSON: dict, list, str, int, float, bool, None."""

    @property
    def now(self) -> float:
        """Seconds since 1970, the time that `now()` gives."""
        ...

    def root(self, name: str) -> Json:
        """Find a root by name: `trigger`, `input`, `loop`, `vars`, or an extra name such as `item`.

        Raises:
            KeyError: Nothing of this name is visible.
        """
        ...

    def node(self, ref: str) -> Json:
        """Find the output of a node by its id, written `<id>` or `node_<id>`.

        Raises:
            KeyError: No such node, or it has not finished in this scope.
        """
        ...

    def labelled(self, label: str) -> Json:
        """Find the output of a node by its label.

        Raises:
            KeyError: No such node, or it has not finished in this scope.
        """
        ...

    def names(self) -> Iterable[str]:
        """List everything visible, for the nearest name in an error."""
        ...

    def draw(self) -> float:
        """Draw from [0, 1); the same sequence for the same (execution, key)."""
        ...


class Budget(msgspec.Struct, frozen=True):
    """How much one rendering may do.

    Attributes:
        steps: Evaluations inside loops, and elements and characters looked at by functions (32 to a step).
        bytes: Characters and list elements produced, over the whole rendering.
        values: Nodes of a value that an expression built; shared parts count each time.
    """

    steps: int = 50_000
    bytes: int = 1_000_000
    values: int = 100_000


DEFAULT_BUDGET = Budget()

_DEEPEST = 200
"""How deep a built value may nest, so that it can always be written as JSON."""

_NUMBERS = (int, float, bool)


class Meter:
    """One rendering: the scope, the values of loop variables and what is left of the budget."""

    __slots__ = ("budget", "bytes", "locals", "scope", "steps")

    def __init__(self, scope: Scope, budget: Budget) -> None:
        self.scope = scope
        self.budget = budget
        self.steps = budget.steps
        self.bytes = budget.bytes
        self.locals: dict[int, Any] = {}

    def step(self, count: int = 1) -> None:
        """Take steps from the budget.

        Raises:
            OverBudget: None are left.
        """
        self.steps -= count
        if self.steps < 0:
            over("steps", self.budget.steps)

    def look(self, size: int) -> None:
        """Take what looking at `size` characters or elements costs, one step and one for each 32."""
        self.step(1 + size // 32)

    def produce(self, size: int) -> None:
        """Take bytes from the budget, before they are allocated.

        Raises:
            OverBudget: None are left.
        """
        self.bytes -= size
        if self.bytes < 0:
            over("bytes", self.budget.bytes)


def over(what: str, limit: int) -> NoReturn:
    """Refuse to go on."""
    raise OverBudget(
        f"The expression needs more than {limit} {what}; do the work in a node, or on less data.",
        budget=what,
        limit=limit,
    )


def weigh(value: Json, budget: Budget = DEFAULT_BUDGET, *, is_plain: bool = False) -> int:
    """Count the characters a value needs as JSON, roughly, and refuse one that has grown out of hand.

    Parts that occur several times count each time, because that is how they will be written.

    Args:
        value: JSON, possibly with seals in it.
        budget: Its `values` count.
        is_plain: Refuse seals as well.

    Returns:
        A lower bound of the JSON's size.

    Raises:
        OverBudget: More than `budget.values` nodes, 10 MB of text, or 200 levels.
        WrongType: A seal where none may be.
    """
    total = nodes = 0
    pending: list[tuple[Any, int]] = [([value], 0)]
    while pending:
        box, depth = pending.pop()
        nodes += len(box)
        if type(box) is dict:
            total += sum(len(key) + 4 for key in box)
        for item in box.values() if type(box) is dict else box:
            kind = type(item)
            if kind is str:
                total += len(item) + 3
            elif kind is dict or kind is list:
                total += 3
                pending.append((item, depth + 1))
            else:
                if is_plain and item is not None and kind not in _NUMBERS:
                    raise WrongType(
                        "A credential cannot be part of a calculation; place it alone or in text."
                    )
                total += 2
        if nodes > budget.values:
            over("values", budget.values)
        if depth > _DEEPEST:
            over("levels", _DEEPEST)
        if total > OUTPUT_BYTES:
            over("bytes", OUTPUT_BYTES)
    return total
