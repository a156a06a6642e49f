"""Node types that are only described here: triggers and what the decider interprets itself."""

from dataclasses import dataclass

from linkflow.domain.node import NodeSpec


@dataclass(frozen=True)
class Declared:
    """A node type without code of its own."""

    spec: NodeSpec
