"""Which of the processes that serve the API takes a request."""

from linkflow.engine.edge import BREAKS_IN_A_ROW, REST_S, Balance
from linkflow.ports.edge import Outcome

A, B, C = "http://a:8000", "http://b:8000", "http://c:8000"


class Turned:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Say the time."""
        return self.now


def balance(*addresses: str) -> tuple[Balance, Turned, list[str]]:
    """Make a balance over a list that the test may change."""
    known, clock = list(addresses), Turned()
    return Balance(lambda: known, clock), clock, known


def break_off(of: Balance, times: int) -> None:
    """Let as many requests break off."""
    for _ in range(times):
        address = of.choose()
        assert address is not None
        of.done(address, Outcome.BROKEN)


def test_the_least_busy_is_chosen() -> None:
    """C8r: a request goes where the fewest are under way, and equals take turns."""
    of, _, _ = balance(A, B, C)
    first = [of.choose() for _ in range(3)]
    of.done(B, Outcome.ANSWERED)

    assert ([A, B, C], B) == (first, of.choose())


def test_turns() -> None:
    """Where nobody is busy, requests one after the other go round."""
    of, _, _ = balance(A, B)
    found = []
    for _ in range(4):
        address = of.choose()
        assert address is not None
        of.done(address, Outcome.ANSWERED)
        found.append(address)

    assert [A, B, A, B] == found


def test_what_was_tried_is_avoided() -> None:
    """A second try goes elsewhere, or nowhere."""
    of, _, _ = balance(A, B)

    assert (B, None) == (of.choose({A}), of.choose({A, B}))


def test_a_probe_decides() -> None:
    """One that is not ready gets nothing until its probe says that it is."""
    of, _, _ = balance(A, B)
    of.addresses()
    of.probed(A, is_ready=False)
    while_down = [of.choose() for _ in range(3)]
    of.probed(A, is_ready=True)

    assert ([B, B, B], A) == (while_down, of.choose())


def test_a_refused_connection_is_enough() -> None:
    """One that takes no connection is down until its next good probe."""
    of, clock, _ = balance(A)
    of.choose()
    of.done(A, Outcome.UNREACHABLE)
    clock.now += 3600
    while_down = of.choose()
    of.probed(A, is_ready=True)

    assert (None, A) == (while_down, of.choose())


def test_one_that_breaks_rests() -> None:
    """One that breaks off requests in a row rests, each time twice as long, though its probes are good."""
    of, clock, known = balance(A)
    break_off(of, BREAKS_IN_A_ROW)
    known.append(B)
    resting = {of.choose() for _ in range(4)}
    clock.now += REST_S + 0.1
    back = of.choose()
    for _ in range(BREAKS_IN_A_ROW):
        of.done(A, Outcome.BROKEN)
    clock.now += REST_S + 0.1
    again = of.choose()

    assert ({B}, A, B) == (resting, back, again)


def test_answers_are_forgiving() -> None:
    """A break now and then between answers never makes one rest; a caller who leaves says nothing."""
    of, _, _ = balance(A, B)
    for outcome in (Outcome.BROKEN, Outcome.ANSWERED, Outcome.ABANDONED) * 5:
        of.choose({B})
        of.done(A, outcome)

    assert A == of.choose({B})


def test_better_a_bad_one_than_none() -> None:
    """When all that are ready rest, they are used all the same."""
    of, _, _ = balance(A)
    break_off(of, BREAKS_IN_A_ROW)

    assert A == of.choose()


def test_members_come_and_go() -> None:
    """New addresses get requests at once; one that left gets none and is forgotten when it is done."""
    of, _, known = balance(A)
    of.choose()
    known[:] = [B]
    found = of.choose()
    of.done(A, Outcome.ANSWERED)

    assert (B, {"known": 1, "ready": 1, "under_way": 1}) == (found, dict(of.counts()))
