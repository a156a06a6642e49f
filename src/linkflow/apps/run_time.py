"""Settings that can be changed while processes run, for all of them at once (`linkflow cluster config`)."""

from collections.abc import Mapping
from typing import Protocol

from linkflow.apps.setting_values import read_count, read_level, read_rate
from linkflow.apps.settings import Settings
from linkflow.engine.cluster import RunTimeSetting
from linkflow.engine.frontend import MOST_PENDING, Frontend
from linkflow.engine.worker.service import Worker
from linkflow.telemetry import set_level


class LimitsRate(Protocol):
    """Holds callers to a rate.

    Attributes:
        per_minute: Requests that one caller may send, 0 for any number.
    """

    per_minute: int


class Told:
    """What a process was told at run time, for its parts that are there and those that come later.

    Attributes:
        worker_slots: Attempts at once.
        worker: Is told how many; None where there is none.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.worker_slots = settings.worker_slots
        self.worker: Worker | None = None
        self._per_minute = settings.edge_requests_per_minute
        self._door: LimitsRate | None = None

    def meet(self, door: LimitsRate) -> None:
        """Tell the edge's door now and whenever it changes."""
        self._door = door
        door.per_minute = self._per_minute

    def resize(self, slots: int | None) -> None:
        """Let the worker run another number of attempts at once; those under way go on."""
        self.worker_slots = slots or self._settings.worker_slots
        if self.worker is not None:
            self.worker.resize(self.worker_slots)

    def limit(self, per_minute: int | None) -> None:
        """Hold callers of the edge to another rate."""
        self._per_minute = self._settings.edge_requests_per_minute if per_minute is None else per_minute
        if self._door is not None:
            self._door.per_minute = self._per_minute


def run_time_settings(settings: Settings, told: Told) -> Mapping[str, RunTimeSetting]:
    """List them; taken back, what this process was started with counts again."""

    def shed_above(count: int | None) -> None:
        Frontend.most_pending = count or MOST_PENDING

    return {
        "log_level": RunTimeSetting(
            "How much to log: debug, info, warning or error.",
            read_level,
            lambda level: set_level(level or settings.log_level),
        ),
        "most_pending": RunTimeSetting(
            "Executions being decided or committed above which Frontend takes no further start.",
            read_count,
            shed_above,
        ),
        "worker_slots": RunTimeSetting(
            "Attempts that run at once in each process with the role worker.", read_count, told.resize
        ),
        "edge_requests_per_minute": RunTimeSetting(
            "Requests that one address may send through the edge in a minute, 0 for any number.",
            read_rate,
            told.limit,
        ),
    }
