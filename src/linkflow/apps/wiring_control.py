"""The control plane put together: records, secrets, use cases, the application."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from linkflow.adapters.http import GuardedHttpClient
from linkflow.adapters.probe import GuardedProbe
from linkflow.adapters.sql.alerts import SqlAlertSources
from linkflow.adapters.sql.approvals import SqlApprovalBoard
from linkflow.adapters.sql.backlogs import SqlBacklogs
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.duties import SqlDutyRuns
from linkflow.adapters.sql.followed import SqlFollowedExecutions
from linkflow.adapters.sql.records import SqlRecords
from linkflow.adapters.sql.samples import CONTROL, control_samples
from linkflow.adapters.sql.usage import SqlUsage
from linkflow.adapters.vault import AesSecretBox, keep_key, key_source
from linkflow.apps.brokers import Coordination, open_blobs
from linkflow.apps.secret_files import SIGNING_SECRET
from linkflow.apps.settings import Settings
from linkflow.apps.wiring_identity import IdentityNeeds, build_identity, mailer
from linkflow.apps.wiring_scheduler import SchedulerParts, build_scheduler, kept_by
from linkflow.control.accounts import Owner
from linkflow.control.activation import Activation
from linkflow.control.actor import Audit
from linkflow.control.alert_look import AlertLook
from linkflow.control.alerting import Alerting
from linkflow.control.alerts import Alerts
from linkflow.control.approval_letters import ApprovalLetters
from linkflow.control.approvals import Approvals
from linkflow.control.arming import Arming
from linkflow.control.audit import AuditLogs
from linkflow.control.backlogs import Backlogs
from linkflow.control.broker import Broker
from linkflow.control.budgets import Budgets
from linkflow.control.credential_trials import CredentialTrials
from linkflow.control.credentials import Credentials
from linkflow.control.deliveries import Deliveries
from linkflow.control.duties import Duties
from linkflow.control.events import Events
from linkflow.control.exchange import Exchange
from linkflow.control.executables import Executables
from linkflow.control.executions import Executions
from linkflow.control.gate import Gate
from linkflow.control.inbox import Inbox
from linkflow.control.letters import Letters
from linkflow.control.looks import Looks
from linkflow.control.notices import Notices
from linkflow.control.notifications import Notifications
from linkflow.control.oauth_connections import OAuthConnections
from linkflow.control.oauth_tokens import OAuthTokens
from linkflow.control.plane import ControlPlane
from linkflow.control.plans import Plans
from linkflow.control.previews import Previews
from linkflow.control.resume import Resume
from linkflow.control.schedules import Schedules
from linkflow.control.searches import Searches
from linkflow.control.subscriptions import Subscriptions
from linkflow.control.templates import Templates
from linkflow.control.test_runs import TestRuns
from linkflow.control.usage import UsageReports
from linkflow.control.variables import Variables
from linkflow.control.webhooks import Webhooks
from linkflow.control.workflows import Workflows
from linkflow.domain.node import Catalog
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus
from linkflow.ports.outbound import BlobStore, HttpClient
from linkflow.ports.services import Frontend, Visibility
from linkflow.ports.stores import DeadLetters, SpecStore
from linkflow.telemetry import metrics

PACKAGE = Path(__file__).resolve().parents[1]
EXAMPLES = PACKAGE / "examples" if (PACKAGE / "examples").is_dir() else PACKAGE.parents[1] / "examples"
"""In the package once it is installed, beside `src` in a checkout."""
OWNER_EMAIL = "owner@localhost"


@dataclass(frozen=True, kw_only=True)
class EngineSide:
    """What the control plane needs of the engine."""

    frontend: Frontend
    visibility: Visibility
    specs: SpecStore
    letters: DeadLetters
    blobs: BlobStore


@dataclass(frozen=True, kw_only=True)
class ControlSide:
    """What the engine needs of the control plane; made before the engine is.

    Attributes:
        engine: Where the schema `engine` is; often the same database.
        secret: Signs callbacks and tokens (LINKFLOW_SECRET).
        broker: Opens credentials for workers.
        outside: Calls what credentials are for; `tokens` closes it.
        executables: The engine's `WorkflowDirectory`.
    """

    settings: Settings
    database: Database
    engine: Database
    records: SqlRecords
    box: AesSecretBox
    broker: Broker
    tokens: OAuthTokens
    plans: Plans
    outside: HttpClient
    executables: Executables
    catalog: Catalog
    bus: EventBus
    shared: Coordination
    secret: str
    clock: Clock
    ids: IdSource


def open_control(
    settings: Settings,
    database: Database,
    specs: SpecStore,
    catalog: Catalog,
    clock: Clock,
    ids: IdSource,
    *,
    shared: Coordination | None = None,
    engine_database: Database | None = None,
) -> ControlSide:
    """Open records and keys; keys are made at the first start.

    Args:
        settings: What a person set.
        database: Where records are.
        specs: Where the engine finds specs.
        catalog: Which nodes there are.
        clock: Time.
        ids: Identities.
        shared: Between processes; by default within this one.
        engine_database: Where the engine keeps its tables, if not in the same database.
    """
    shared = shared or Coordination()
    keys = settings.home / "keys"
    read_keys = key_source(keys, settings.sealing_keys, settings.sealing_command)
    box = AesSecretBox(*read_keys(), read_keys)
    records, audit = SqlRecords(database), Audit(clock, ids)
    outside = GuardedHttpClient(settings.outbound_allow)
    notices = Notices(box, shared.bus, clock, ids)
    tokens = OAuthTokens(records, box, outside, audit, notices, clock)
    return ControlSide(
        settings=settings,
        database=database,
        engine=engine_database or database,
        records=records,
        box=box,
        broker=Broker(records, box, audit, clock, tokens),
        tokens=tokens,
        plans=Plans(
            SqlUsage(engine_database or database),
            records,
            shared.prepared,
            audit,
            notices,
            clock,
            default=settings.plan,
        ),
        outside=outside,
        executables=Executables(records, specs, catalog, shared.prepared, shared.cache),
        catalog=catalog,
        bus=shared.bus,
        shared=shared,
        secret=keep_key(keys, SIGNING_SECRET, given=settings.secret),
        clock=clock,
        ids=ids,
    )


def build_control(side: ControlSide, engine: EngineSide) -> ControlPlane:
    """Put the use cases together."""
    records, bus, clock, ids = side.records, side.bus, side.clock, side.ids
    shared, prepared = side.shared, side.shared.prepared
    followed = SqlFollowedExecutions(side.engine)
    executables, catalog = side.executables, side.catalog
    audit = Audit(clock, ids)
    variables = Variables(records, prepared, side.box, audit, side.plans)
    inbox = Inbox(records, engine.frontend, variables, shared.cache, bus, clock, side.plans, shared.fan_out)
    activation = Activation(catalog, side.box, prepared, bus, clock, ids)
    workflows = Workflows(records, executables, activation, audit, bus, clock, ids, side.plans)
    executions = Executions(
        engine.frontend,
        engine.visibility,
        engine.specs,
        records,
        executables,
        variables,
        engine.blobs,
        ids,
        side.plans,
    )
    public_url = side.settings.public_url or f"http://{side.settings.host}:{side.settings.port}"
    board = SqlApprovalBoard(side.engine)
    notifications = Notifications(
        records, mailer(side.settings), side.outside, side.broker, side.box, bus, clock
    )
    sources = SqlAlertSources(side.engine)
    alerting = Alerting(records, sources, notifications, side.box, prepared, clock, public_url=public_url)
    arming = Arming(records, executables, side.broker, side.box, prepared, ids)
    identity = build_identity(
        IdentityNeeds(
            settings=side.settings,
            records=records,
            box=side.box,
            bus=bus,
            prepared=prepared,
            limits=shared.limits,
            cache=shared.cache,
            audit=audit,
            plans=side.plans,
            clock=clock,
            ids=ids,
            secret=side.secret,
        )
    )
    return ControlPlane(
        access=identity.access,
        accounts=identity.accounts,
        registrations=identity.registrations,
        alerts=Alerts(records, followed, notifications, side.box, audit, clock, ids),
        alerting=alerting,
        alert_look=AlertLook(records, alerting, sources, engine.letters, clock),
        approvals=Approvals(records, board, engine.frontend, executions, side.box, audit, clock),
        approval_letters=ApprovalLetters(
            records, board, notifications, alerting, side.box, clock, ids, public_url=public_url
        ),
        notifications=notifications,
        audit_logs=AuditLogs(records, audit, side.plans),
        sign_ins=identity.sign_ins,
        elsewhere=identity.elsewhere,
        oauth=identity.oauth,
        keys=identity.keys,
        workspaces=identity.workspaces,
        members=identity.members,
        invitations=identity.invitations,
        post=identity.post,
        plans=side.plans,
        budgets=Budgets(
            records,
            side.plans,
            engine.frontend,
            engine.visibility,
            audit,
            Notices(side.box, bus, clock, ids),
            clock,
        ),
        gate=Gate(shared.limits, side.plans),
        credentials=Credentials(records, side.box, audit, side.plans, clock, ids),
        connections=OAuthConnections(
            records,
            side.tokens,
            shared.cache,
            side.box,
            audit,
            clock,
            ids,
            public_url=public_url,
        ),
        trials=CredentialTrials(
            records, side.broker, side.outside, GuardedProbe(side.settings.outbound_allow), audit, clock
        ),
        deliveries=Deliveries(
            records,
            followed,
            side.outside,
            side.box,
            Notices(side.box, bus, clock, ids),
            alerting,
            bus,
            clock,
        ),
        duties=Duties(SqlDutyRuns(side.database, side.engine), records, bus, audit, clock, ids),
        events=Events(records, engine.frontend, inbox, catalog, prepared, clock, ids, side.plans),
        exchange=Exchange(records, workflows, executables, catalog, audit, clock, ids),
        executions=executions,
        inbox=inbox,
        backlogs=Backlogs(SqlBacklogs(side.database, side.engine), records, bus, audit, clock),
        letters=Letters(engine.letters, engine.frontend, executions, records, audit, clock),
        looks=Looks(executions, engine.frontend, prepared),
        previews=Previews(
            records, executables, executions, catalog, variables, engine.blobs, prepared, clock
        ),
        resume=Resume(engine.frontend),
        searches=Searches(records, engine.visibility, prepared, clock, ids),
        schedules=Schedules(records, executables, executions, activation, audit, clock, ids, side.plans),
        subscriptions=Subscriptions(records, followed, side.box, audit, bus, clock, ids, side.plans),
        templates=Templates(EXAMPLES),
        test_runs=TestRuns(
            engine.frontend, records, executables, executions, variables, engine.blobs, side.plans
        ),
        usage=UsageReports(SqlUsage(side.engine), clock),
        variables=variables,
        webhooks=Webhooks(records, activation, arming, inbox, audit, prepared, clock, ids, side.plans),
        workflows=workflows,
        catalog=catalog,
        records=records,
        box=side.box,
        bus=bus,
        prepared=prepared,
        cache=shared.cache,
        limits=shared.limits,
        clock=clock,
        secret=side.secret,
    )


async def ensure_owner(settings: Settings, plane: ControlPlane) -> Owner:
    """Make the owner at the first start; the password is in the answer when nobody chose one."""
    return await plane.accounts.ensure_owner(
        settings.owner_email or OWNER_EMAIL, settings.owner_password, secrets.token_urlsafe(12)
    )


@asynccontextmanager
async def background(
    side: ControlSide, plane: ControlPlane, roles: Set[str] = frozenset({"rest", "scheduler"})
) -> AsyncIterator[None]:
    """Run what the control plane does by itself: the inbox and the post (rest), the scheduler."""
    async with asyncio.TaskGroup() as group:
        runs = [plane.inbox.run(), plane.post.run(), plane.deliveries.run()] if "rest" in roles else []
        if "rest" in roles:
            runs.append(plane.notifications.run([plane.approval_letters.tell, plane.alerting.gather]))
        if "scheduler" in roles:
            parts = SchedulerParts(
                control=side.database,
                engine=side.engine,
                blobs=await open_blobs(side.settings),
                kept=kept_by(side.settings),
                bus=side.bus,
                clock=side.clock,
                ids=side.ids,
                box=side.box,
            )
            runs.append(build_scheduler(parts, plane).run())
        tasks = [group.create_task(run) for run in runs]
        try:
            with metrics.sampling(CONTROL, lambda: control_samples(side.records.statements)):
                yield
        finally:
            for task in tasks:
                task.cancel()
            await plane.elsewhere.close()
            await side.tokens.close()
