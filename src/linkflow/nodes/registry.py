"""The catalogue of node types: the built-in ones, and those of installed packages.

A package offers nodes through the entry point group `linkflow.nodes`; what the entry point names is a
node, a node class, or a list of either. Nothing registers itself by being imported.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import cast

from linkflow.domain.errors import Conflict, Invalid
from linkflow.domain.node import NodeClass, NodeSpec, PureNode
from linkflow.nodes.code import CODE
from linkflow.nodes.control import CONTROL
from linkflow.nodes.data import DATA
from linkflow.nodes.data_crypto import CRYPTO
from linkflow.nodes.data_dates import DATES
from linkflow.nodes.data_groups import GROUPS
from linkflow.nodes.data_lists import LISTS
from linkflow.nodes.data_values import VALUES
from linkflow.nodes.flow import FLOW
from linkflow.nodes.http import HTTP
from linkflow.nodes.logic import LOGIC
from linkflow.nodes.on_worker import PureOnWorker
from linkflow.nodes.triggers import TRIGGERS
from linkflow.nodes.webhook import WEBHOOK
from linkflow.ports.nodes import LooksUp, Node

GROUP = "linkflow.nodes"
"""The entry point group of third-party nodes."""

BUILTIN: tuple[object, ...] = (
    *TRIGGERS,
    *HTTP,
    *WEBHOOK,
    *LOGIC,
    *CONTROL,
    *FLOW,
    *DATA,
    *LISTS,
    *GROUPS,
    *VALUES,
    *DATES,
    *CRYPTO,
    *CODE,
)


class NodeRegistry:
    """Every node type that this installation knows; satisfies `Catalog` and `WorkerNodes`."""

    def __init__(
        self, builtin: Iterable[object] = BUILTIN, third_party: Mapping[str, Sequence[object]] | None = None
    ) -> None:
        """Fill the catalogue.

        Args:
            builtin: Node objects of ours.
            third_party: Node objects of others, by the name of where they come from.

        Raises:
            Conflict: `node.duplicate`: two node types have one name or alias.
            Invalid: `node.invalid`: an object is not a node.
        """
        self._specs: dict[tuple[str, int], NodeSpec] = {}
        self._latest: dict[str, NodeSpec] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._pure: dict[tuple[str, int], PureNode] = {}
        self._runners: dict[tuple[str, int], Node] = {}
        for node in builtin:
            self._add(node, "LinkFlow", is_third_party=False)
        for source, nodes in (third_party or {}).items():
            for node in nodes:
                self._add(node, source, is_third_party=True)

    @classmethod
    def discover(cls) -> "NodeRegistry":
        """Fill the catalogue with the built-in nodes and those of every installed package.

        Raises:
            Conflict: As the constructor.
            Invalid: `node.invalid`: an entry point cannot be loaded; the message names it.
        """
        found: dict[str, list[object]] = {}
        for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
            source = f"the package {entry.dist.name}" if entry.dist else f"the entry point {entry.name}"
            try:
                offered = entry.load()
            except Exception as error:
                raise Invalid(
                    f"{source} offers the node {entry.name}, which cannot be loaded: {error}. "
                    "Mend or remove the package.",
                    code="node.invalid",
                ) from error
            many = offered if isinstance(offered, list | tuple) else [offered]
            found.setdefault(source, []).extend(node() if isinstance(node, type) else node for node in many)
        return cls(third_party=found)

    def find(self, node_type: str) -> NodeSpec | None:
        """Find a node type by `group.name`, `group.name@version` or an alias; None when unknown."""
        name, _, version = node_type.partition("@")
        canonical = self._canonical(name)
        if canonical is None:
            return None
        if not version:
            return self._latest[canonical]
        return (
            self._specs.get((canonical, int(version))) if version.isdecimal() and len(version) < 6 else None
        )

    def pure(self, node_type: str, version: int = 1) -> PureNode | None:
        """Find the evaluator of a pure node type; None when it is not pure, or a third party's."""
        return self._pure.get((self._canonical(node_type) or "", version))

    def runner(self, node_type: str, version: int = 1) -> Node | None:
        """Find the node that runs a type on a worker; a pure one runs there as class idempotent."""
        return self._runners.get((self._canonical(node_type) or "", version))

    def specs(self) -> Sequence[NodeSpec]:
        """List every node type in its latest version, by type."""
        return [self._latest[name] for name in sorted(self._latest)]

    def _canonical(self, name: str) -> str | None:
        found = self._names.get(name) or self._names.get(_fold(name))
        return found[0] if found else None

    def _add(self, node: object, source: str, *, is_third_party: bool) -> None:
        spec = getattr(node, "spec", None)
        if not isinstance(spec, NodeSpec) or "." not in spec.type:
            raise Invalid(
                f"{source} offers {node!r}, which is not a node: it has no spec.", code="node.invalid"
            )
        key = (spec.type, spec.version)
        if key in self._specs:
            raise Conflict(
                f"{source} offers {spec.type}@{spec.version} a second time.", code="node.duplicate"
            )
        if spec.node_class is NodeClass.PURE:
            runner = PureOnWorker(cast(PureNode, node))
            self._runners[key] = runner
            if is_third_party:
                spec = runner.spec
            else:
                self._pure[key] = cast(PureNode, node)
        elif spec.runs_on_worker:
            self._runners[key] = _runner(node, spec, source)
        elif is_third_party:
            raise Invalid(
                f"{source} offers {spec.type} of class {spec.node_class}; only LinkFlow itself has these.",
                code="node.invalid",
            )
        self._specs[key] = spec
        if spec.type not in self._latest or spec.version > self._latest[spec.type].version:
            self._latest[spec.type] = spec
        for name in (spec.type, *spec.aliases):
            self._name(name, spec.type, source)

    def _name(self, name: str, node_type: str, source: str) -> None:
        for spelling in {name, _fold(name)}:
            held = self._names.setdefault(spelling, (node_type, source))
            if held[0] != node_type:
                raise Conflict(
                    f"{source} calls {node_type} {name!r} as well, which is {held[0]} of {held[1]}.",
                    code="node.duplicate",
                )


def _runner(node: object, spec: NodeSpec, source: str) -> Node:
    """Take an object as what its spec promises.

    Raises:
        Invalid: `node.invalid`: a method is missing.
    """
    if not isinstance(node, Node):
        raise Invalid(f"{source} offers {spec.type}, which has no `run`.", code="node.invalid")
    if spec.can_look_up and not isinstance(node, LooksUp):
        raise Invalid(f"{source} offers {spec.type}, which has no `look_up`.", code="node.invalid")
    return node


def _fold(name: str) -> str:
    """See through spellings that mean the same: `-` for `_`, `integrations.` for `integration.`."""
    folded = name.replace("-", "_")
    return f"integration.{folded[13:]}" if folded.startswith("integrations.") else folded
