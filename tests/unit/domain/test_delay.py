"""How long a delay lasts."""

import pytest

from linkflow.domain.delay import delay_s, instant
from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json

NOW = 1_900_000_000.0


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"duration": 5}, 5.0),
        ({"duration": "1.5", "unit": "h"}, 5_400.0),
        ({"duration": 250, "unit": "ms"}, 0.25),
        ({"amount": 3, "unit": "Days"}, 259_200.0),
        ({"duration": 2, "unit": "weeks"}, 1_209_600.0),
        ({"minutes": 1, "seconds": 30}, 90.0),
        ({"milliseconds": 1500}, 1.5),
        ({"duration": 0}, 0.0),
        ({"until": NOW + 60}, 60.0),
        ({"until": (NOW + 60) * 1000}, 60.0),
        ({"until": "2030-03-17T17:47:40Z"}, 60.0),
        ({"until": "2030-03-17T20:47:40", "timezone": "Africa/Nairobi"}, 60.0),
        ({"until": "2001-01-01"}, 0.0),
        ({"until": NOW + 5, "duration": 99}, 5.0),
    ],
)
def test_delay(config: Json, expected: float) -> None:
    """A delay is a duration with a unit, a sum of fields, or an instant; one in the past is over at once."""
    assert expected == pytest.approx(delay_s(config, NOW))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"duration": -1},
        {"duration": "long"},
        {"duration": float("nan")},
        {"duration": float("inf")},
        {"duration": 1, "unit": "moons"},
        {"duration": 9_999, "unit": "days"},
        {"until": "tomorrow"},
        {"until": "nan"},
        {"until": True},
        {"until": "2030-01-01", "timezone": "Mars/Olympus"},
        {"until": "9999-01-01"},
    ],
)
def test_refusals(config: Json) -> None:
    """A delay that says nothing, cannot be read or lasts beyond reason is refused."""
    with pytest.raises(Invalid) as raised:
        delay_s(config, NOW)

    assert "node.config" == raised.value.code


def test_instants_in_time_zones() -> None:
    """An offset in the text wins over the time zone."""
    assert instant("2030-01-01T00:00:00+03:00", "UTC") == instant("2030-01-01T00:00:00", "Africa/Nairobi")
