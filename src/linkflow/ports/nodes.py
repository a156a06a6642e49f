"""What a node that runs on a worker is, and what it is handed."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from linkflow.domain.node import Completion, NodeSpec
from linkflow.domain.values import Json
from linkflow.ports.outbound import BlobStore, CodeRunner, HttpClient


class NodeContext(Protocol):
    """What one attempt of an activity may use. Everything a node needs comes from here."""

    @property
    def config(self) -> Mapping[str, Json]:
        """The node's config with every expression resolved, the same bytes for every attempt."""
        ...

    @property
    def input(self) -> Json:
        """The output of the one taken predecessor; with several, an object by source node id."""
        ...

    @property
    def execution_id(self) -> str:
        """The execution this attempt belongs to."""
        ...

    @property
    def workspace_id(self) -> str:
        """The workspace the execution belongs to."""
        ...

    @property
    def key(self) -> str:
        """The node's key in the execution, such as `send#3`."""
        ...

    @property
    def attempt(self) -> int:
        """Which try this is, from 1."""
        ...

    @property
    def effect_key(self) -> str:
        """A key for receivers that do a thing once: the same over all attempts."""
        ...

    @property
    def timeout_s(self) -> float:
        """Seconds this attempt may take in all."""
        ...

    @property
    def now(self) -> float:
        """Seconds since 1970 when the activity was scheduled, the same for every attempt."""
        ...

    @property
    def http(self) -> HttpClient:
        """Guarded HTTP."""
        ...

    @property
    def code(self) -> CodeRunner:
        """Sandboxed user code."""
        ...

    @property
    def blobs(self) -> BlobStore:
        """Large values."""
        ...

    def evaluate(self, expression: str, **names: Json) -> Json:
        """Evaluate an expression of a raw parameter with extra names in scope, such as `item`.

        Raises:
            ExpressionError: It names what is not there, uses a wrong type, or is over the budget.
        """
        ...

    async def secret(self, name: str) -> Mapping[str, Json]:
        """Open a credential of the workspace by name or id: an object of its fields.

        Raises:
            NotFound: No such credential in this workspace.
        """
        ...

    def log(self, message: str, *, level: str = "info", data: Json = None) -> None:
        """Add a line to the execution's log; it becomes visible with the result. A sign of life, too."""
        ...

    async def heartbeat(self, progress: Json = None) -> None:
        """Say that the attempt is alive, with progress for people; the last one stays with the result.

        An attempt that says nothing for as long as its node's `heartbeatTimeout` ends as
        `node.heartbeat_timeout`.

        Raises:
            asyncio.CancelledError: The attempt was cancelled.
        """
        ...


@runtime_checkable
class Node(Protocol):
    """A node type that runs on a worker."""

    spec: NodeSpec

    async def run(self, context: NodeContext) -> Completion:
        """Run one attempt.

        Returns:
            The output and the handle taken.

        Raises:
            LinkFlowError: The attempt failed; code and kind decide whether it is tried again.
        """
        ...


@runtime_checkable
class LooksUp(Protocol):
    """A node type whose receiver can be asked what became of an attempt; its spec says `can_look_up`."""

    async def look_up(self, context: NodeContext) -> Completion:
        """Ask what became of the effect that has this context's effect key. Safe to repeat.

        Returns:
            How the effect ended when it happened, as `run` would have; `NOT_DONE` when it did not happen and
            cannot any more: then it may be tried again.

        Raises:
            LinkFlowError: Nobody knows yet; asked again a few times, then a person decides.
        """
        ...


class WorkerNodes(Protocol):
    """The nodes a worker can run."""

    def runner(self, node_type: str, version: int = 1) -> Node | None:
        """Find the node that runs a type; None when it does not run on a worker."""
        ...
