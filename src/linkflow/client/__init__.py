"""The Python client: what a program needs to run workflows of a LinkFlow that runs elsewhere.

What belongs: calls of the REST API with typed answers, blocking and for asyncio. What does not: anything of
the server; this room leans on no other, so that a program may bring it along without them.

    with Client("https://linkflow.example", "lfk_…") as linkflow:
        done = linkflow.run("workflow-id", {"name": "Ada"})
        print(done.result)
"""

from linkflow.client.aio import AsyncClient
from linkflow.client.blocking import Client
from linkflow.client.errors import CallFailed, ExecutionFailed, Unreachable
from linkflow.client.shapes import Event, Execution, ExecutionPage, Failure, Import, Node, Started

__all__ = [
    "AsyncClient",
    "CallFailed",
    "Client",
    "Event",
    "Execution",
    "ExecutionFailed",
    "ExecutionPage",
    "Failure",
    "Import",
    "Node",
    "Started",
    "Unreachable",
]
