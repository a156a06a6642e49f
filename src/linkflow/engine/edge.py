"""The Edge service's policy: which of the processes that serve the API takes a request. No I/O.

               probe says yes                     BREAKS_IN_A_ROW broken
    down ──────────────────────▶ ready ─────────────────────────────────▶ resting ──rest over──▶ ready
     ▲                             │
     └── probe says no, or nobody ─┘
         takes the connection

A request goes to the ready one with the fewest under way; among equals they take turns. One that answers its
probes and still breaks off requests rests for a while, longer each time. When all that are ready rest, they
are used all the same: a bad answer is no worse than none.
What fails: an upstream that died is down from its first refused connection until its next good probe.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from linkflow.ports.edge import Outcome

BREAKS_IN_A_ROW = 3
REST_S = 2.0
LONGEST_REST_S = 60.0


class _Upstream(msgspec.Struct):
    """What is known of one upstream; the unknown is hoped to be ready until it is asked."""

    is_up: bool = True
    under_way: int = 0
    breaks: int = 0
    rests: int = 0
    rests_until: float = 0.0
    turn: int = 0


class Balance:
    """Chooses upstreams; see `ports.edge.Routing`.

    Args:
        known: Lists the addresses that there are now.
        monotonic: Seconds that only grow.
    """

    def __init__(self, known: Callable[[], Sequence[str]], monotonic: Callable[[], float]) -> None:
        self._known, self._monotonic = known, monotonic
        self._upstreams: dict[str, _Upstream] = {}
        self._turn = 0

    def addresses(self) -> Sequence[str]:
        """List every upstream that is known, and forget those that are gone and have nothing under way."""
        found = self._known()
        for address in found:
            self._upstreams.setdefault(address, _Upstream())
        for address in self._upstreams.keys() - set(found):
            if not self._upstreams[address].under_way:
                del self._upstreams[address]
        return found

    def choose(self, avoid: Collection[str] = ()) -> str | None:
        """Choose the ready one with the fewest under way."""
        up = [each for each in self.addresses() if each not in avoid and self._upstreams[each].is_up]
        now = self._monotonic()
        rested = [each for each in up if self._upstreams[each].rests_until <= now]
        address = min(rested or up, key=self._load, default=None)
        if address is not None:
            self._turn += 1
            chosen = self._upstreams[address]
            chosen.under_way += 1
            chosen.turn = self._turn
        return address

    def _load(self, address: str) -> tuple[int, int]:
        """Say how busy an upstream is, then how lately it had a turn."""
        found = self._upstreams[address]
        return found.under_way, found.turn

    def done(self, address: str, outcome: Outcome) -> None:
        """Say how a request went."""
        found = self._upstreams.get(address)
        if found is None:
            return
        found.under_way = max(0, found.under_way - 1)
        if outcome is Outcome.UNREACHABLE:
            found.is_up = False
        elif outcome is Outcome.BROKEN:
            found.breaks += 1
            if found.breaks >= BREAKS_IN_A_ROW:
                found.rests_until = self._monotonic() + min(LONGEST_REST_S, REST_S * 2**found.rests)
                found.breaks, found.rests = 0, found.rests + 1
        elif outcome is Outcome.ANSWERED:
            found.breaks = found.rests = 0

    def probed(self, address: str, *, is_ready: bool) -> None:
        """Say what an upstream answered to a probe."""
        found = self._upstreams.get(address)
        if found is not None:
            found.is_up = is_ready

    def counts(self) -> Mapping[str, int]:
        """Count upstreams and requests: `{"known", "ready", "under_way"}`."""
        known = self.addresses()
        return {
            "known": len(known),
            "ready": sum(self._upstreams[each].is_up for each in known),
            "under_way": sum(each.under_way for each in self._upstreams.values()),
        }
