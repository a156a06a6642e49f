"""The scheduler put together: duties over their stores, under one lease."""

from collections.abc import Sequence
from dataclasses import dataclass

from linkflow.adapters.sql.coordination import SqlLeases
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.duties import SqlDutyRuns
from linkflow.adapters.sql.partitions import SqlPartitions
from linkflow.adapters.sql.statements import Statements
from linkflow.control.plane import ControlPlane
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus
from linkflow.scheduler.cron import Cron
from linkflow.scheduler.duties import Duties, Duty
from linkflow.scheduler.partitions import PartitionsAhead
from linkflow.scheduler.service import Scheduler


@dataclass(frozen=True, kw_only=True)
class SchedulerParts:
    """What the scheduler needs from the rest of the process.

    Attributes:
        control: Where the schema `control` is.
        engine: Where the schema `engine` is; often the same.
    """

    control: Database
    engine: Database
    bus: EventBus
    clock: Clock
    ids: IdSource


def duty_list(parts: SchedulerParts) -> Sequence[Duty]:
    """Make every duty that needs no more than the databases."""
    return [PartitionsAhead(SqlPartitions(parts.engine), parts.clock)]


def build_scheduler(parts: SchedulerParts, plane: ControlPlane) -> Scheduler:
    """Put the scheduler together."""
    cron = Cron(plane.records, plane.schedules, parts.bus, parts.clock)
    runs, holder = SqlDutyRuns(parts.control, parts.engine), parts.ids.uuid()
    duties = Duties([cron, *duty_list(parts)], runs, parts.bus, parts.clock, parts.ids, holder)
    return Scheduler(SqlLeases(Statements(parts.control.pool)), runs, [cron], duties, parts.clock, holder)
