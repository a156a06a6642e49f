"""When schedules fire."""

from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.domain.errors import Invalid
from linkflow.domain.schedule import MAX_MISSED, Misfire, Schedule, check_schedule, due, fires, next_fire


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def said(found: list[float]) -> list[str]:
    return [datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S") for moment in found]


NEXT = [
    (Schedule(cron="0 9 * * 1-5"), "2026-11-20T09:00:00+00:00", "2026-11-23T09:00:00+00:00"),
    (Schedule(cron="@daily"), "2026-11-20T09:00:00+00:00", "2026-11-21T00:00:00+00:00"),
    (Schedule(cron="@HOURLY"), "2026-11-20T09:59:59.9+00:00", "2026-11-20T10:00:00+00:00"),
    (Schedule(cron="*/10 * * * * *"), "2026-11-20T09:00:05+00:00", "2026-11-20T09:00:10+00:00"),
    (Schedule(cron="0 0 29 2 *"), "2026-01-01T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
    (
        Schedule(cron="0 9 * * *", timezone="Africa/Nairobi"),
        "2026-11-20T00:00:00+00:00",
        "2026-11-20T06:00:00+00:00",
    ),
    (Schedule(cron="0 0 L * *"), "2026-02-01T00:00:00+00:00", "2026-02-28T00:00:00+00:00"),
    (Schedule(interval_s=90), "1970-01-01T00:01:30+00:00", "1970-01-01T00:03:00+00:00"),
    (Schedule(interval_s=60, anchor=10), "1970-01-01T00:00:00+00:00", "1970-01-01T00:00:10+00:00"),
    (Schedule(interval_s=60, starts_at=600), "1970-01-01T00:00:00+00:00", "1970-01-01T00:10:00+00:00"),
]


@pytest.mark.parametrize(("schedule", "after", "expected"), NEXT)
def test_the_next_fire(schedule: Schedule, after: str, expected: str) -> None:
    """Cron with five and six fields, aliases and intervals fire next when they say (A10)."""
    assert at(expected) == next_fire(schedule, at(after))


def test_a_local_time_in_the_gap_fires_after_it() -> None:
    """A daily fire at a local time that a change to summer time skips is not lost."""
    schedule = Schedule(cron="30 2 * * *", timezone="Europe/Berlin")

    found = said(fires(schedule, at("2026-03-28T00:00:00+00:00"), 3))

    assert ["2026-03-28T01:30:00", "2026-03-29T01:00:00", "2026-03-30T00:30:00"] == found


def test_a_local_time_that_comes_twice_fires_once() -> None:
    """A daily fire at a local time that a change to winter time repeats comes once."""
    schedule = Schedule(cron="30 2 * * *", timezone="Europe/Berlin")

    found = said(fires(schedule, at("2026-10-24T12:00:00+00:00"), 2))

    assert ["2026-10-25T00:30:00", "2026-10-26T01:30:00"] == found


def test_an_hourly_fire_keeps_its_pace_over_the_change() -> None:
    """A fire every hour comes every hour of real time, whatever the local clock does."""
    schedule = Schedule(cron="0 * * * *", timezone="Europe/Berlin")

    found = fires(schedule, at("2026-10-24T22:00:00+00:00"), 5)

    assert [3600.0] * 4 == [later - sooner for sooner, later in pairwise(found)]


def test_a_schedule_ends() -> None:
    """After its end a schedule fires no more."""
    schedule = Schedule(interval_s=60, ends_at=120)

    assert ([60.0, 120.0], None) == (fires(schedule, 0, 9), next_fire(schedule, 120))


MISSED = [
    (Misfire.SKIP, []),
    (Misfire.ONCE, [600.0]),
    (Misfire.ALL, [240.0, 300.0, 360.0, 420.0, 480.0, 540.0, 600.0]),
]


@pytest.mark.parametrize(("misfire", "expected"), MISSED)
def test_missed_fires_follow_the_policy(misfire: Misfire, expected: list[float]) -> None:
    """After a pause none, the last, or each missed fire starts something."""
    schedule = Schedule(interval_s=60, misfire=misfire)

    assert expected == due(schedule, last=180, now=650, grace_s=10)


@pytest.mark.parametrize("misfire", list(Misfire))
def test_a_fire_on_time_always_counts(misfire: Misfire) -> None:
    """A fire within the grace is on time under every policy, and dealt with once."""
    schedule = Schedule(cron="* * * * *", misfire=misfire)

    assert ([60.0], []) == (due(schedule, last=0, now=61), due(schedule, last=60, now=62))


@pytest.mark.parametrize(
    "schedule", [Schedule(cron="* * * * * *"), Schedule(interval_s=1), Schedule(cron="*/5 * * * *")]
)
def test_a_long_pause_is_made_up_for_in_part(schedule: Schedule) -> None:
    """After years without a fire the last hundred are made up for, at once and in order."""
    now = at("2026-11-21T08:30:00+00:00")
    found = due(msgspec.structs.replace(schedule, misfire=Misfire.ALL), last=0, now=now)

    assert (MAX_MISSED, now, sorted(found)) == (len(found), found[-1], found)


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(),
        Schedule(cron="* * * * *", interval_s=5),
        Schedule(interval_s=0.5),
        Schedule(interval_s=1e12),
        Schedule(cron="61 * * * *"),
        Schedule(cron="* * *"),
        Schedule(cron="0 0 30 2 *"),
        Schedule(cron="soon"),
        Schedule(cron="* " * 200),
        Schedule(cron="@reboot"),
        Schedule(cron="* * * * *", timezone="Nowhere/City"),
        Schedule(cron="* * * * *", timezone="../../etc/passwd"),
        Schedule(interval_s=60, starts_at=10, ends_at=5),
    ],
)
def test_a_schedule_that_cannot_fire_is_refused(schedule: Schedule) -> None:
    """Wrong expressions, zones, intervals and windows are refused in words when they are stored."""
    with pytest.raises(Invalid) as raised:
        check_schedule(schedule)

    assert "schedule.invalid" == raised.value.code


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(["0", "5", "*", "*/2", "1-5", "L", "7#2", "MON", ",", "/", "-"]), max_size=8
    ).map(" ".join)
)
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    """Whatever the text, it fires later than asked or is refused."""
    schedule = Schedule(cron=text or "*", timezone="Europe/Berlin")
    try:
        check_schedule(schedule)
        found = next_fire(schedule, 1_795_249_800.0)
    except Invalid:
        return

    assert found is None or found > 1_795_249_800.0


@given(st.floats(0, 4e9), st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 0 1 * *"]))
def test_fires_go_forward(after: float, cron: str) -> None:
    """Each fire is later than the one before it, in any zone."""
    schedule = Schedule(cron=cron, timezone="America/New_York")
    first = next_fire(schedule, after)

    assert first is not None and first > after
    assert fires(schedule, first, 1) == fires(schedule, after, 2)[1:]
