"""Everything the control plane offers, in one value: what REST, WebSocket and the scheduler are given."""

from dataclasses import dataclass

from linkflow.control.access import Access
from linkflow.control.accounts import Accounts
from linkflow.control.alert_look import AlertLook
from linkflow.control.alerting import Alerting
from linkflow.control.alerts import Alerts
from linkflow.control.approval_letters import ApprovalLetters
from linkflow.control.approvals import Approvals
from linkflow.control.audit import AuditLogs
from linkflow.control.backlogs import Backlogs
from linkflow.control.budgets import Budgets
from linkflow.control.credential_trials import CredentialTrials
from linkflow.control.credentials import Credentials
from linkflow.control.deliveries import Deliveries
from linkflow.control.duties import Duties
from linkflow.control.elsewhere import Elsewhere
from linkflow.control.events import Events
from linkflow.control.exchange import Exchange
from linkflow.control.executions import Executions
from linkflow.control.gate import Gate
from linkflow.control.inbox import Inbox
from linkflow.control.invitations import Invitations
from linkflow.control.keys import Keys
from linkflow.control.letters import Letters
from linkflow.control.looks import Looks
from linkflow.control.members import Members
from linkflow.control.notifications import Notifications
from linkflow.control.oauth import OAuth
from linkflow.control.oauth_connections import OAuthConnections
from linkflow.control.plans import Plans
from linkflow.control.post import Post
from linkflow.control.previews import Previews
from linkflow.control.registrations import Registrations
from linkflow.control.resume import Resume
from linkflow.control.schedules import Schedules
from linkflow.control.searches import Searches
from linkflow.control.sign_ins import SignIns
from linkflow.control.subscriptions import Subscriptions
from linkflow.control.templates import Templates
from linkflow.control.test_runs import TestRuns
from linkflow.control.usage import UsageReports
from linkflow.control.variables import Variables
from linkflow.control.webhooks import Webhooks
from linkflow.control.workflows import Workflows
from linkflow.control.workspaces import Workspaces
from linkflow.domain.node import Catalog
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Cache, EventBus, Prepared, RateLimits
from linkflow.ports.records import Records
from linkflow.ports.vault import SecretBox


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The use cases, by resource.

    Attributes:
        secret: LINKFLOW_SECRET, which signs callbacks.
    """

    access: Access
    accounts: Accounts
    registrations: Registrations
    alerts: Alerts
    alerting: Alerting
    alert_look: AlertLook
    approvals: Approvals
    approval_letters: ApprovalLetters
    audit_logs: AuditLogs
    sign_ins: SignIns
    elsewhere: Elsewhere
    oauth: OAuth
    keys: Keys
    workspaces: Workspaces
    members: Members
    notifications: Notifications
    invitations: Invitations
    post: Post
    previews: Previews
    workflows: Workflows
    executions: Executions
    credentials: Credentials
    plans: Plans
    budgets: Budgets
    gate: Gate
    connections: OAuthConnections
    trials: CredentialTrials
    deliveries: Deliveries
    duties: Duties
    events: Events
    exchange: Exchange
    inbox: Inbox
    backlogs: Backlogs
    letters: Letters
    looks: Looks
    resume: Resume
    schedules: Schedules
    searches: Searches
    subscriptions: Subscriptions
    templates: Templates
    test_runs: TestRuns
    usage: UsageReports
    variables: Variables
    webhooks: Webhooks
    catalog: Catalog
    records: Records
    box: SecretBox
    bus: EventBus
    prepared: Prepared
    cache: Cache
    limits: RateLimits
    clock: Clock
    secret: str
