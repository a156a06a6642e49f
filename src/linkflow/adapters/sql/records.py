"""Every repository of the control plane over one database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from linkflow.adapters.sql.accounts import SqlAccounts
from linkflow.adapters.sql.alerts import SqlAlerts
from linkflow.adapters.sql.approvals import SqlApprovalLinks
from linkflow.adapters.sql.audit import SqlAuditLog
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.ledger import SqlLedger
from linkflow.adapters.sql.mails import SqlMailOutbox
from linkflow.adapters.sql.notifications import SqlNotifications
from linkflow.adapters.sql.oauth import SqlApiClients
from linkflow.adapters.sql.plans import SqlWorkspacePlans
from linkflow.adapters.sql.schedules import SqlSchedules
from linkflow.adapters.sql.searches import SqlSearches
from linkflow.adapters.sql.statements import Statements
from linkflow.adapters.sql.subscriptions import SqlSubscriptions
from linkflow.adapters.sql.tenancy import SqlTenancy
from linkflow.adapters.sql.webhooks import InboxWriter, SqlTriggerEvents, SqlWebhooks
from linkflow.adapters.sql.workflows import SqlWorkflows


class SqlRecords:
    """The repositories on the pool; `transaction` gives the same ones on one connection."""

    def __init__(
        self, database: Database, statements: Statements | None = None, writer: InboxWriter | None = None
    ) -> None:
        self._database = database
        self._writer = writer or InboxWriter(database)
        self.statements = sql = statements or Statements(database.pool)
        self.workflows = SqlWorkflows(sql)
        self.accounts = SqlAccounts(sql)
        self.tenancy = SqlTenancy(sql)
        self.mails = SqlMailOutbox(sql)
        self.audit_log = SqlAuditLog(sql)
        self.subscriptions = SqlSubscriptions(sql)
        self.notifications = SqlNotifications(sql)
        self.approval_links = SqlApprovalLinks(sql)
        self.alerts = SqlAlerts(sql)
        self.clients = SqlApiClients(sql)
        self.ledger = SqlLedger(sql)
        self.plans = SqlWorkspacePlans(sql)
        self.webhooks = SqlWebhooks(sql)
        self.schedules = SqlSchedules(sql)
        self.searches = SqlSearches(sql)
        self.trigger_events = SqlTriggerEvents(sql, self._writer)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["SqlRecords"]:
        """Open a block that is written as a whole; the inbox keeps its own group commit."""
        async with self._database.transaction() as connection:
            yield SqlRecords(self._database, Statements(connection, self.statements.lock), self._writer)
