"""Which events a subscription means, and how its messages are signed."""

import pytest

from linkflow.domain.callback import is_genuine
from linkflow.domain.errors import Invalid
from linkflow.domain.subscription import (
    EVENTS,
    checked_events,
    checked_url,
    message_headers,
    message_id,
    next_try_s,
    wanted,
)

VECTOR = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_is_that_of_the_standard() -> None:
    """The vector of Standard Webhooks: id, time and body give this very signature."""
    headers = message_headers(
        [VECTOR], "msg_p5jXN8AQM9LWM0D4loKWxJek", "x", b'{"test": 2432232314}', 1614265330.9
    )

    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == headers["webhook-signature"]
    assert "1614265330" == headers["webhook-timestamp"]


def test_older_secrets_sign_too() -> None:
    """While two secrets are good there are two signatures, and the seeds' one is by the newest."""
    headers = message_headers(["whsec_" + "YQ==" * 1, VECTOR], "m", "x", b"{}", 1614265330.0)

    assert 2 == len(headers["webhook-signature"].split(" "))
    assert is_genuine("whsec_YQ==", headers, b"{}", 1614265330.0)


@pytest.mark.parametrize(
    ("patterns", "event", "is_meant"),
    [
        (["*"], "execution.failed", True),
        (["execution.*"], "execution.failed", True),
        (["execution.*"], "workflow.created", False),
        (["workflow.executed"], "execution.completed", True),
        (["execution.failed"], "execution.completed", False),
        (["*"], "workflow.deleted", True),
    ],
)
def test_patterns_mean_events(patterns: list[str], event: str, is_meant: bool) -> None:
    """A star, a family, a name and an older name of the seeds mean what they say."""
    assert is_meant == wanted(patterns, event)


@pytest.mark.parametrize("events", [[], ["nope"], ["nope.*"], ["execution"]])
def test_events_that_there_are_not_are_refused(events: list[str]) -> None:
    """A misspelt event would never come, so it is refused."""
    with pytest.raises(Invalid):
        checked_events(events)


def test_every_event_can_be_asked_for() -> None:
    """Each name that is offered is taken."""
    assert EVENTS == checked_events(EVENTS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x",
        "https://",
        "https://u:p@x/",
        "javascript:alert(1)",
        "http://x:99999",
        "http://x/\r\nA: b",
    ],
)
def test_addresses_that_cannot_be_are_refused(url: str) -> None:
    """Only http and https, with a host, without a password and without line breaks."""
    with pytest.raises(Invalid):
        checked_url(url)


def test_tries_are_as_the_seeds_say() -> None:
    """At once, after 1 min, 5 min, 30 min and 2 h; then never."""
    assert [60.0, 300.0, 1800.0, 7200.0, None] == [next_try_s(failed) for failed in range(1, 6)]


def test_a_message_has_one_id() -> None:
    """The same happening is the same message for a subscription, and another one for another."""
    assert message_id("a", "x") == message_id("a", "x") != message_id("b", "x")
