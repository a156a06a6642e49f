"""The engine's services keep their contracts called directly and over gRPC."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import pytest

from linkflow.adapters.grpc.clients import FrontendClient, VisibilityClient
from linkflow.adapters.grpc.dispatch import DispatchDesk
from linkflow.adapters.grpc.lines import Lines, lines
from linkflow.adapters.grpc.polling import PollClient
from linkflow.adapters.grpc.servers import serving
from linkflow.adapters.grpc.trust import Trust
from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.engine.matching.service import Matching
from linkflow.ports.services import History
from linkflow.testing.certificates import Authority
from linkflow.testing.engine import FakeEngine
from linkflow.testing.matching_suite import Claims, MatchingSuite
from linkflow.testing.service_suites import ExecutionSuite, FrontDoorSuite, VisibilitySuite
from linkflow.testing.split import KnownPeers, Place, Split, member, split, together

TRUST = Trust(secret="a secret of these tests")


@pytest.fixture
def engine() -> FakeEngine:
    """Make what stands behind the services."""
    found = FakeEngine(SystemClock(), SystemIds())
    found.specs["h1"] = b"{}"
    return found


@pytest.fixture
async def line(parts: Mapping[str, Any]) -> AsyncIterator[Lines]:
    """Serve the parts on a real socket, and keep lines to them."""
    async with serving("127.0.0.1:0", parts, TRUST) as bound:
        peers = KnownPeers(*(member(role, bound.address) for role in parts))
        async with lines(peers, TRUST) as found:
            yield found


class TestFrontDoorDirect(FrontDoorSuite):
    """A Frontend that is called directly."""

    @pytest.fixture
    def frontend(self, engine: FakeEngine) -> FakeEngine:
        """Call it."""
        return engine


class TestFrontDoorOverGrpc(FrontDoorSuite):
    """A Frontend in another process."""

    @pytest.fixture
    def parts(self, engine: FakeEngine) -> Mapping[str, Any]:
        """Say what is served."""
        return {"frontend": engine}

    @pytest.fixture
    def frontend(self, line: Lines) -> FrontendClient:
        """Call it over the line."""
        return FrontendClient(line, SystemIds())


class TestVisibilityDirect(VisibilitySuite):
    """A Visibility that is called directly."""

    @pytest.fixture
    def visibility(self, engine: FakeEngine) -> FakeEngine:
        """Call it."""
        return engine


class TestVisibilityOverGrpc(VisibilitySuite):
    """A Visibility in another process."""

    @pytest.fixture
    def parts(self, engine: FakeEngine) -> Mapping[str, Any]:
        """Say what is served."""
        return {"visibility": engine}

    @pytest.fixture
    def visibility(self, line: Lines) -> VisibilityClient:
        """Call it over the line."""
        return VisibilityClient(line)


class TestExecutionsDirect(ExecutionSuite):
    """An engine in one process."""

    @pytest.fixture
    async def engine(self) -> AsyncIterator[Split]:
        """Run it."""
        async with together(Place()) as found:
            yield found


class TestExecutionsOverGrpc(ExecutionSuite):
    """Two Histories, two workers and every other service, each reached over gRPC."""

    @pytest.fixture
    async def engine(self) -> AsyncIterator[Split]:
        """Run it."""
        async with split(Place()) as found:
            yield found


class TestFrontDoorOverMutualTls(FrontDoorSuite):
    """A Frontend in another process, with certificates."""

    @pytest.fixture
    async def frontend(self, engine: FakeEngine) -> AsyncIterator[FrontendClient]:
        """Call it over a line that both sides signed."""
        authority = Authority()
        signed = authority.sign()
        trust = Trust(
            secret="s", certificate=signed.certificate, key=signed.key, authority=authority.certificate
        )
        async with (
            serving("127.0.0.1:0", {"frontend": engine}, trust) as bound,
            lines(KnownPeers(member("frontend", bound.address)), trust) as found,
        ):
            yield FrontendClient(found, SystemIds())


@pytest.fixture
def claims() -> Claims:
    """Make the History of a Matching."""
    return Claims()


@pytest.fixture
async def matching(claims: Claims) -> AsyncIterator[Matching]:
    """Run a Matching."""
    found = Matching(MemoryTaskQueue())
    found.connect(cast(History, claims))
    running = asyncio.ensure_future(found.run())
    yield found
    running.cancel()


class TestMatchingDirect(MatchingSuite):
    """A Matching in the same process."""

    @pytest.fixture
    def dispatch(self, matching: Matching) -> Matching:
        """Call it."""
        return matching

    @pytest.fixture
    def poll(self, matching: Matching) -> Matching:
        """Call it."""
        return matching

    @pytest.fixture
    def another(self, matching: Matching) -> Matching:
        """Call it, too."""
        return matching


class TestMatchingOverGrpc(MatchingSuite):
    """A Matching in another process."""

    @pytest.fixture
    def parts(self, matching: Matching) -> Mapping[str, Any]:
        """Say what is served."""
        return {"matching": matching}

    @pytest.fixture
    def dispatch(self, line: Lines, claims: Claims) -> DispatchDesk:
        """Call it over the line."""
        found = DispatchDesk(line)
        found.connect(claims.sessions_lost)
        return found

    @pytest.fixture
    def poll(self, line: Lines) -> PollClient:
        """Call it over the line."""
        return PollClient(line)

    @pytest.fixture
    def another(self, line: Lines) -> PollClient:
        """Call it over the line, too."""
        return PollClient(line)
