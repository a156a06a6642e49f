"""The scheduler put together: duties over their stores, under one lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkflow.adapters.blobs import FileBlobStore
from linkflow.adapters.sql.coordination import SqlLeases
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.duties import SqlDutyRuns
from linkflow.adapters.sql.expiry import SqlUpkeep
from linkflow.adapters.sql.marks import SqlBlobMarks
from linkflow.adapters.sql.partitions import SqlPartitions
from linkflow.adapters.sql.retention import SqlRetention
from linkflow.adapters.sql.sealed import SqlSealedRows
from linkflow.adapters.sql.statements import Statements
from linkflow.adapters.sql.stuck import SqlStuck
from linkflow.adapters.sql.usage import SqlUsage
from linkflow.apps.settings import Settings
from linkflow.control.plane import ControlPlane
from linkflow.control.plans import Plans
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus
from linkflow.ports.retention import Kept
from linkflow.ports.vault import Rewrapping
from linkflow.scheduler.alerts import Alerts, UsageAlerts
from linkflow.scheduler.blobs import BlobSweep
from linkflow.scheduler.budgets import BudgetWatch
from linkflow.scheduler.cron import Cron
from linkflow.scheduler.duties import Duties, Duty
from linkflow.scheduler.partitions import PartitionsAhead
from linkflow.scheduler.rescue import Rescue
from linkflow.scheduler.retention import ExecutionsRetention, Expire, HardDelete, SoftDelete, Vacuum
from linkflow.scheduler.sealing import Resealing
from linkflow.scheduler.service import Scheduler, Watch
from linkflow.scheduler.usage import StorageMeasure, UsageRollUp

if TYPE_CHECKING:
    from linkflow.adapters.s3 import S3BlobStore


@dataclass(frozen=True, kw_only=True)
class SchedulerParts:
    """What the scheduler needs from the rest of the process.

    Attributes:
        control: Where the schema `control` is.
        engine: Where the schema `engine` is; often the same.
        blobs: Large values, and the archive beside them.
        kept: How long things are kept.
    """

    control: Database
    engine: Database
    blobs: "FileBlobStore | S3BlobStore"
    kept: Kept
    bus: EventBus
    clock: Clock
    ids: IdSource
    box: Rewrapping


def duty_list(parts: SchedulerParts, plans: Plans | None = None) -> Sequence[Duty]:
    """Make every duty that needs no more than the databases; with the plans where a control plane runs."""
    clock, kept, blobs = parts.clock, parts.kept, parts.blobs
    executions, upkeep = SqlRetention(parts.engine), SqlUpkeep(parts.control, parts.engine)
    return [
        PartitionsAhead(SqlPartitions(parts.engine), clock),
        SoftDelete(executions, kept, clock, plans),
        ExecutionsRetention(executions, blobs, blobs, kept, clock),
        Expire(upkeep, kept, clock),
        BlobSweep(blobs, SqlBlobMarks(parts.control, parts.engine), clock),
        UsageRollUp(SqlUsage(parts.engine)),
        StorageMeasure(blobs, SqlUsage(parts.engine), clock),
        Resealing(SqlSealedRows(Statements(parts.control.pool)), parts.box),
        HardDelete(upkeep, kept, clock),
        Vacuum(upkeep),
    ]


def kept_by(settings: Settings) -> Kept:
    """Say how long things are kept."""
    return Kept(
        executions=settings.retention_executions_days,
        audit=settings.retention_audit_days,
        ai_history=settings.retention_ai_history_days,
        deleted=settings.retention_deleted_days,
        is_archived=settings.retention_archive,
    )


def build_scheduler(parts: SchedulerParts, plane: ControlPlane) -> Scheduler:
    """Put the scheduler together."""
    cron = Cron(plane.records, plane.schedules, parts.bus, parts.clock)
    runs, holder = SqlDutyRuns(parts.control, parts.engine), parts.ids.uuid()
    stuck = SqlStuck(parts.control, parts.engine)
    rescue = Rescue(stuck, plane.executions, parts.bus, parts.clock)
    alerts = Alerts(plane.alert_look, plane.approval_letters)
    duties = Duties(
        [cron, rescue, alerts, UsageAlerts(plane.plans), *duty_list(parts, plane.plans)],
        runs,
        parts.bus,
        parts.clock,
        parts.ids,
        holder,
    )
    watches: Sequence[Watch] = [cron, BudgetWatch(plane.budgets, parts.clock)]
    return Scheduler(SqlLeases(Statements(parts.control.pool)), runs, watches, duties, parts.clock, holder)
