"""The records of the control plane and the repositories that keep them.

Every record belongs to a workspace; a repository never shows one to another workspace.
Instants are seconds since 1970, ids are UUID v4 unless something else is said.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from linkflow.domain.audit import AuditLine
from linkflow.domain.values import Json
from linkflow.ports.alerts import Alerts
from linkflow.ports.approvals import ApprovalLinks
from linkflow.ports.audit import AuditLog
from linkflow.ports.identity import Accounts, MailOutbox, Tenancy
from linkflow.ports.notifications import Notifications
from linkflow.ports.oauth import ApiClients
from linkflow.ports.plans import WorkspacePlans
from linkflow.ports.searches import Searches
from linkflow.ports.subscriptions import Subscriptions
from linkflow.ports.triggers import Schedules, TriggerEvents, Webhooks


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """What a person designs.

    Attributes:
        draft: The spec being worked on, canonical JSON.
        revision: Counts the drafts, from 1; the draft's ETag.
        version: Number of the published version, 0 for none.
        is_active: Its triggers start executions.
    """

    id: str
    workspace_id: str
    name: str
    draft: bytes
    revision: int = 1
    version: int = 0
    is_active: bool = False
    description: str = ""
    tags: Sequence[str] = ()
    created_at: float = 0.0
    updated_at: float = 0.0
    created_by: str = ""


class WorkflowVersion(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable, numbered edition of a workflow."""

    workspace_id: str
    workflow_id: str
    number: int
    spec: bytes
    spec_hash: str
    note: str = ""
    created_at: float = 0.0
    created_by: str = ""


class WorkflowQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which workflows to list, newest first.

    Attributes:
        search: Part of the name, any case.
        after: Cursor of the page before; empty for the first.
    """

    workspace_id: str
    search: str = ""
    tag: str = ""
    is_active: bool | None = None
    after: str = ""
    limit: int = 20


class Workflows(Protocol):
    """Workflows with their drafts and versions."""

    async def add(self, workflow: Workflow) -> None:
        """Keep a new workflow."""
        ...

    async def get(self, workspace_id: str, workflow_id: str) -> Workflow:
        """Read a workflow.

        Raises:
            NotFound: No such workflow in this workspace.
        """
        ...

    async def home(self, user_id: str, workflow_id: str) -> str:
        """Say in which of a user's workspaces a workflow is; empty for none."""
        ...

    async def list(self, query: WorkflowQuery) -> Sequence[Workflow]:
        """List workflows, newest first; one more than `limit` when there is a next page."""
        ...

    async def names(self, workspace_id: str, like: str) -> Sequence[str]:
        """List the names that begin with a text."""
        ...

    async def save(self, workflow: Workflow, expected_revision: int) -> None:
        """Replace everything but id and origin.

        Raises:
            Conflict: The revision is another one; nothing was written.
        """
        ...

    async def delete(self, workspace_id: str, workflow_id: str, at: float) -> None:
        """Hide a workflow for good; its executions stay. Safe to repeat."""
        ...

    async def add_version(self, version: WorkflowVersion) -> None:
        """Keep a new version.

        Raises:
            Conflict: The number is taken.
        """
        ...

    async def versions(self, workspace_id: str, workflow_id: str) -> Sequence[WorkflowVersion]:
        """List versions, newest first."""
        ...

    async def version(self, workspace_id: str, workflow_id: str, number: int) -> WorkflowVersion:
        """Read a version.

        Raises:
            NotFound: No such version.
        """
        ...


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A secret a team stores; what is sealed opens only through the box and for this id and workspace.

    Attributes:
        sealed: Its fields.
        access: The access token of a connected one, sealed by itself; empty for none.
        refresh: The refresh token, likewise.
        expires_at: When the access token ends; None for never.
        state: ready, unconnected (nobody agreed yet) or needs_reauth (somebody must agree again).
        created_by: Id of the user who made it.
    """

    id: str
    workspace_id: str
    name: str
    type: str
    sealed: bytes
    access: bytes = b""
    refresh: bytes = b""
    expires_at: float | None = None
    state: str = "ready"
    last_used_at: float | None = None
    created_by: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A value of the workspace that expressions read as `vars.KEY`.

    Attributes:
        value: None for a secret one.
        sealed: The value of a secret one, which expressions read as `credential.vars.KEY`.
    """

    workspace_id: str
    key: str
    value: Json
    sealed: bytes = b""


class StoredReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a request with an idempotency key was answered.

    Attributes:
        fingerprint: Digest of the request, so that one key is not used for two.
        status: HTTP status; 0 while the first request is still at work.
        body: Of an answer that a release before 0021 kept.
        sealed: The body: an answer may show a secret once.
    """

    workspace_id: str
    key: str
    fingerprint: str
    status: int = 0
    body: bytes = b""
    sealed: bytes = b""
    created_at: float = 0.0


class Ledger(Protocol):
    """Credentials, variables, the audit log and answers to repeated requests."""

    async def add_credential(self, credential: Credential) -> None:
        """Keep a credential.

        Raises:
            Conflict: The name is taken.
        """
        ...

    async def credentials(self, workspace_id: str) -> Sequence[Credential]:
        """List credentials by name."""
        ...

    async def credential(self, workspace_id: str, name_or_id: str) -> Credential:
        """Read a credential by name or id.

        Raises:
            NotFound: No such credential in this workspace.
        """
        ...

    async def locked_credential(self, workspace_id: str, credential_id: str) -> Credential:
        """Read a credential that nobody else may lock until the transaction ends.

        Raises:
            NotFound: No such credential in this workspace.
        """
        ...

    async def save_credential(self, credential: Credential) -> None:
        """Replace everything but id and origin.

        Raises:
            Conflict: The name is taken; nothing was written.
            NotFound: No such credential in this workspace.
        """
        ...

    async def credential_used(self, workspace_id: str, credential_id: str, at: float) -> None:
        """Note when a credential was last used."""
        ...

    async def delete_credential(self, workspace_id: str, credential_id: str) -> None:
        """Remove a credential.

        Raises:
            NotFound: No such credential in this workspace.
        """
        ...

    async def put_variable(self, variable: Variable) -> None:
        """Keep or replace a variable."""
        ...

    async def variables(self, workspace_id: str) -> Sequence[Variable]:
        """List variables by key."""
        ...

    async def delete_variable(self, workspace_id: str, key: str) -> None:
        """Remove a variable. Safe to repeat."""
        ...

    async def audit(self, line: AuditLine) -> None:
        """Add a line to the audit log, at the end of its workspace's chain."""
        ...

    async def claim_reply(self, reply: StoredReply, since: float) -> StoredReply | None:
        """Reserve an idempotency key; the earlier reply (younger than `since`) when it is taken."""
        ...

    async def store_reply(self, reply: StoredReply) -> None:
        """Keep what was answered; a status of 0 gives the key free again."""
        ...


class Records(Protocol):
    """Every repository; one block of `transaction` is written as a whole or not at all."""

    @property
    def workflows(self) -> Workflows:
        """Workflows, drafts, versions."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Users, sign-ins, keys."""
        ...

    @property
    def tenancy(self) -> Tenancy:
        """Workspaces, members, invitations."""
        ...

    @property
    def clients(self) -> ApiClients:
        """API clients and grants."""
        ...

    @property
    def mails(self) -> MailOutbox:
        """Letters on their way out."""
        ...

    @property
    def plans(self) -> WorkspacePlans:
        """Plans of workspaces."""
        ...

    @property
    def notifications(self) -> Notifications:
        """Messages by e-mail, to Slack and to webhooks."""
        ...

    @property
    def alerts(self) -> Alerts:
        """Alert rules and what they were told of."""
        ...

    @property
    def approval_links(self) -> ApprovalLinks:
        """Keys that sign the links of approvals."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Credentials, variables, audit, replies."""
        ...

    @property
    def audit_log(self) -> AuditLog:
        """The audit log, to be read."""
        ...

    @property
    def webhooks(self) -> Webhooks:
        """Registered webhooks."""
        ...

    @property
    def schedules(self) -> Schedules:
        """Schedules."""
        ...

    @property
    def searches(self) -> Searches:
        """What executions are searched by, and searches that are kept."""
        ...

    @property
    def subscriptions(self) -> Subscriptions:
        """Subscriptions of others, and messages to them."""
        ...

    @property
    def trigger_events(self) -> TriggerEvents:
        """What came in, accepted or not."""
        ...

    def transaction(self) -> AbstractAsyncContextManager["Records"]:
        """Open a block that is written as a whole when it is left without an error."""
        ...
