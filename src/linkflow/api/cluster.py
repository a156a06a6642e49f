"""The cluster: which processes there are, how they are, and settings of all of them at run time."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from linkflow import __version__
from linkflow.api import render
from linkflow.api.deps import Answer, Ask, Shape, StrictRoute
from linkflow.api.queues import Look
from linkflow.domain.errors import Invalid, Unavailable
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.cluster import ROLES, ClusterStatus, Config, ControlPlane, Member
from linkflow.ports.views import QueueView

router = APIRouter(prefix="/api/v1/admin/cluster", tags=["cluster"], route_class=StrictRoute)


class Process(BaseModel):
    """One process."""

    id: str
    roles: list[str]
    state: str
    release: str
    addresses: dict[str, str]
    active: list[str]
    waits_for: str | None
    started_at: str
    seen_at: str
    silent_s: float
    config_version: int


class Configuration(BaseModel):
    """What was said to all processes at run time, and what can be."""

    version: int
    values: dict[str, str]
    settings: dict[str, str]


class Waiting(BaseModel):
    """What waits for workers, over all queues; `unserved` are queues with tasks and no worker."""

    tasks: int
    oldest_s: float
    in_flight: int
    workers: int
    unserved: list[str]


class Cluster(BaseModel):
    """How the cluster is; `waiting` is null while nobody can say."""

    ok: bool
    problems: list[str]
    members: list[Process]
    missing: list[str]
    releases: list[str]
    config: Configuration
    behind: list[str]
    waiting: Waiting | None


class Alone:
    """The cluster of a LinkFlow that is one process; it has nothing to say to others."""

    def __init__(self, clock: Clock) -> None:
        self._member = Member(id="linkflow", roles=ROLES, release=__version__)
        self._clock = clock
        self._began_at = clock.now()

    async def status(self) -> ClusterStatus:
        """Say that all is in this process."""
        me = msgspec.structs.replace(self._member, started_at=self._began_at, seen_at=self._clock.now())
        return ClusterStatus(
            members=[me], missing=[], problems=[], releases=[me.release], config=Config(), behind=[]
        )

    async def config(self) -> Config:
        """Read nothing: one process is set by its settings."""
        return Config()

    async def configure(self, values: Mapping[str, str | None]) -> Config:
        """Refuse: one process is set by its settings.

        Raises:
            Invalid: Always.
        """
        raise Invalid(
            "This LinkFlow is one process; change its settings and start it again.", code="cluster.alone"
        )

    def settings(self) -> Mapping[str, str]:
        """List nothing."""
        return {}


def shown(member: Member) -> Json:
    """Say a process."""
    return {
        "id": member.id,
        "roles": list(member.roles),
        "state": member.state,
        "release": member.release,
        "addresses": dict(member.addresses),
        "active": sorted(member.leads),
        "waits_for": member.waits_for or None,
        "started_at": render.instant(member.started_at),
        "seen_at": render.instant(member.seen_at),
        "silent_s": round(member.silent_s, 3),
        "config_version": member.config_version,
    }


def configuration(found: Config, cluster: ControlPlane) -> Json:
    """Say the configuration."""
    return {**msgspec.to_builtins(found), "settings": dict(cluster.settings())}


def waiting(queues: Sequence[QueueView]) -> Json:
    """Sum up what waits for workers."""
    return {
        "tasks": sum(queue.depth for queue in queues),
        "oldest_s": round(max((queue.oldest_s for queue in queues), default=0.0), 3),
        "in_flight": sum(queue.in_flight for queue in queues),
        "workers": max((queue.workers for queue in queues), default=0),
        "unserved": [queue.name for queue in queues if queue.depth and not queue.workers],
    }


def status(found: ClusterStatus, cluster: ControlPlane, queues: Sequence[QueueView] | None) -> Json:
    """Say how the cluster is.

    Args:
        found: Its processes.
        cluster: Says what can be set.
        queues: How the task queues stand; None while nobody can say.
    """
    problems = [*found.problems, *_unserved(queues or ())]
    return {
        "ok": not problems,
        "problems": problems,
        "members": [shown(each) for each in found.members],
        "missing": list(found.missing),
        "releases": list(found.releases),
        "config": configuration(found.config, cluster),
        "behind": list(found.behind),
        "waiting": None if queues is None else waiting(queues),
    }


def _unserved(queues: Sequence[QueueView]) -> list[str]:
    """Say of each queue that has tasks and no worker what would help."""
    return [
        f"{queue.depth} task(s) wait in the queue {queue.name!r}, the first for {queue.oldest_s:.0f} s, and "
        "no worker takes from it: start one (linkflow serve --roles worker)."
        for queue in queues
        if queue.depth and not queue.workers
    ]


async def _of_operator(ask: Ask) -> ControlPlane:
    """Let the operator of the installation in, and nobody else."""
    (await ask.actor()).require_operator()
    cluster: ControlPlane = ask.request.app.state.cluster
    return cluster


@router.get("", responses={200: {"model": Cluster}}, summary="Read the cluster")
async def read(ask: Ask) -> Response:
    """Say which processes there are, what is missing and who is behind; for the operator."""
    cluster = await _of_operator(ask)
    look: Look = ask.request.app.state.queues
    try:
        queues: Sequence[QueueView] | None = await look()
    except Unavailable:  # what is missing for it is among the problems
        queues = None
    return Answer(status(await cluster.status(), cluster, queues))


@router.get("/config", responses={200: {"model": Configuration}}, summary="Read the cluster's settings")
async def read_config(ask: Ask) -> Response:
    """Say what was said to all processes at run time, and what can be."""
    cluster = await _of_operator(ask)
    return Answer(configuration(await cluster.config(), cluster))


class ConfigBody(Shape):
    """Settings by name; null takes one back."""

    values: dict[str, str | None]


@router.put("/config", responses={200: {"model": Configuration}}, summary="Change the cluster's settings")
async def write_config(ask: Ask, body: ConfigBody) -> Response:
    """Change settings of all processes while they run; each applies them within seconds."""
    cluster = await _of_operator(ask)
    values: dict[str, Any] = dict(body.values)
    return Answer(configuration(await cluster.configure(values), cluster))
