"""Settings that can be changed while processes run, for all of them at once (`linkflow cluster config`)."""

from collections.abc import Mapping

from linkflow.apps.setting_values import read_count, read_level
from linkflow.apps.settings import Settings
from linkflow.engine.cluster import RunTimeSetting
from linkflow.engine.frontend import MOST_PENDING, Frontend
from linkflow.telemetry import set_level


def run_time_settings(settings: Settings) -> Mapping[str, RunTimeSetting]:
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
    }
