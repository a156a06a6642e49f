"""Which method of a port each RPC is, and how long a caller waits for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from linkflow.adapters.grpc._gen import (
    control_plane_pb2,
    edge_pb2,
    frontend_pb2,
    history_pb2,
    matching_pb2,
    timer_pb2,
    visibility_pb2,
    worker_pb2,
)
from linkflow.adapters.grpc.records import Call
from linkflow.ports.cluster import ControlPlane
from linkflow.ports.edge import Routing
from linkflow.ports.services import (
    CredentialBroker,
    Frontend,
    History,
    Matching,
    Visibility,
    WorkerControl,
    WorkflowDirectory,
)

DEADLINE_S = 40.0
"""History tries for 30 s to get a record into a store that does not answer."""

WAIT_MARGIN_S = 10.0
"""How much longer than the wait itself a caller waits for its answer."""

_FRONT_DOOR = {
    "StartWorkflowExecution": "start",
    "WaitForExecution": "wait",
    "SignalWorkflowExecution": "signal",
    "ResolveWait": "resolve",
    "CancelWorkflowExecution": "cancel",
    "TerminateWorkflowExecution": "terminate",
    "ReleaseExecution": "release",
    "GetExecution": "view",
    "GetHistory": "events",
    "DescribeExecution": "explain",
    "ListAwaiting": "awaiting",
}


@dataclass(frozen=True)
class Service:
    """One gRPC service.

    Attributes:
        role: What a member that runs it is called in `ports.cluster`.
        module: Generated from its proto.
        name: Of the service in the proto.
        protocols: The port of each of its unary calls, in the order in which they are looked through.
        rpcs: Method of the port by RPC.
        streams: Its long-lived streams.
    """

    role: str
    module: Any
    name: str
    protocols: tuple[type, ...]
    rpcs: Mapping[str, str]
    streams: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """As gRPC names it."""
        return f"linkflow.engine.v1.{self.name}"

    def path(self, stream: str) -> str:
        """Name a stream."""
        assert stream in self.streams
        return f"/{self.full_name}/{stream}"

    def calls(self) -> Mapping[str, Call]:
        """Make its unary calls, by method of the port."""
        return _calls(self.role)


FRONTEND = Service("frontend", frontend_pb2, "FrontendService", (Frontend,), _FRONT_DOOR, ("Exchange",))
HISTORY = Service(
    "history",
    history_pb2,
    "HistoryService",
    (History,),
    {
        **_FRONT_DOOR,
        "EndSessions": "sessions_lost",
        "ListLostTasks": "lost_tasks",
        "RecordChildClosed": "child_closed",
        "RecordTicketGranted": "granted",
        "RecordTicketRefused": "refused",
        "RecordSlotPromised": "promised",
        "GetMutableState": "projected",
    },
    ("Exchange",),
)
MATCHING = Service(
    "matching",
    matching_pb2,
    "MatchingService",
    (Matching,),
    {"DescribeTaskQueues": "queues"},
    ("Dispatch", "PollTask"),
)
TIMER = Service("timer", timer_pb2, "TimerService", (), {}, ("Exchange",))
VISIBILITY = Service(
    "visibility",
    visibility_pb2,
    "VisibilityService",
    (Visibility,),
    {
        "ListExecutions": "list",
        "CountExecutions": "count",
        "ListLatestExecutions": "latest",
        "ListDeadLetters": "dead_letters",
    },
)
CONTROL_PLANE = Service(
    "control-plane",
    control_plane_pb2,
    "ControlPlaneService",
    (CredentialBroker, WorkflowDirectory, ControlPlane),
    {
        "OpenCredential": "open",
        "FindPublishedWorkflow": "published",
        "DescribeCluster": "status",
        "GetConfiguration": "config",
        "ChangeConfiguration": "configure",
    },
)
WORKER = Service(
    "worker",
    worker_pb2,
    "WorkerService",
    (WorkerControl,),
    {"DescribeWorker": "describe", "DrainWorker": "drain"},
)
EDGE = Service("edge", edge_pb2, "EdgeService", (Routing,), {"ListUpstreams": "addresses"})

SERVICES: Mapping[str, Service] = {
    each.role: each for each in (FRONTEND, HISTORY, MATCHING, TIMER, VISIBILITY, CONTROL_PLANE, WORKER, EDGE)
}


@cache
def _calls(role: str) -> Mapping[str, Call]:
    service = SERVICES[role]
    rpcs = service.module.DESCRIPTOR.services_by_name[service.name].methods_by_name
    found: dict[str, Call] = {}
    for rpc, method in service.rpcs.items():
        protocol = next(each for each in service.protocols if hasattr(each, method))
        found[method] = Call(protocol, method, rpcs[rpc])
    return found
