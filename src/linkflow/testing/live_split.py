"""A LinkFlow whose roles are servers of their own, which meet only over gRPC and HTTP, within one process.

async with split(settings) as live:
    await live.run(spec)

Each role is what `linkflow serve --roles <role>` runs: a member with pools, lines and ports of its own. So
tests of one process run unchanged over the other binding: `pytest tests/flows --binding grpc`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import aiohttp

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlDeadLetters
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.apps.installation import Installation
from linkflow.apps.serve_roles import Serving, serving_roles
from linkflow.apps.settings import Settings
from linkflow.control.accounts import Owner
from linkflow.control.plane import ControlPlane
from linkflow.nodes.registry import NodeRegistry
from linkflow.ports.cluster import ROLES
from linkflow.testing.live import Live

LOOK_S = 0.05
"""Between two looks at what no nudge crosses to the process that is asked."""

PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class SplitEngine:
    """The services of the engine, each in a member of its own."""

    frontend: Any
    history: Any
    matching: Any
    visibility: Any
    letters: SqlDeadLetters
    store: SqlHistoryStore


@dataclass(frozen=True, kw_only=True)
class SplitInstallation:
    """As much of an `Installation` as there is when it is split.

    Attributes:
        members: What serves, by role.
    """

    plane: ControlPlane
    engine: SplitEngine
    database: Database
    engine_database: Database
    owner: Owner
    members: dict[str, Serving]


@asynccontextmanager
async def split(settings: Settings, nodes: NodeRegistry | None = None) -> AsyncIterator[Live]:
    """Run every role as a server of its own, signed in as the owner, until the block is left."""
    settings = replace(settings, ports=tuple((role, 0) for role in ROLES))
    async with AsyncExitStack() as stack:
        members: dict[str, Serving] = {}
        for role in ROLES:
            members[role] = await stack.enter_async_context(serving_roles(settings, {role}, nodes=nodes))
        await _all_met(members)
        rest = members["rest"]
        assert rest.process.plane is not None, "REST has the use cases"
        assert rest.process.side is not None, "REST has the records"
        assert rest.owner is not None, "REST makes sure of the owner"
        database = members["history"].process.database
        parts = {role: member.process.parts.get(role) for role, member in members.items()}
        running = SplitInstallation(
            plane=rest.process.plane,
            engine=SplitEngine(
                frontend=parts["frontend"],
                history=parts["history"],
                matching=parts["matching"],
                visibility=parts["visibility"],
                letters=SqlDeadLetters(database),
                store=SqlHistoryStore(database),
            ),
            database=database,
            engine_database=database,
            owner=rest.owner,
            members=members,
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        address = f"http://{settings.host}:{rest.ports['rest']}"
        live = Live(address, settings.home, cast(Installation, running), http, look_s=LOOK_S)
        live.token = (await running.plane.sign_ins.issue(rest.owner.user)).access_token
        yield live


async def _all_met(members: dict[str, Serving]) -> None:
    """Wait until every member reaches every other that it needs.

    Raises:
        TimeoutError: One does not; the message says which and whom.
    """
    missing: dict[str, Any] = {}
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                lacks = {role: member.process.missing() for role, member in members.items()}
                missing = {role: roles for role, roles in lacks.items() if roles}
                if not missing:
                    return
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise TimeoutError(f"Members do not reach others: {missing}") from None
