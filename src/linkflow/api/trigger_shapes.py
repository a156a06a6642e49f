"""The JSON shapes of what starts executions: webhooks, their inbox, schedules."""

from typing import Any

from pydantic import BaseModel


class Webhook(BaseModel):
    """An address that takes calls."""

    id: str
    workspace_id: str
    workflow_id: str
    node_id: str
    url: str
    settings: dict[str, Any]
    has_secret: bool
    is_active: bool
    source: str
    created_at: str


class WebhookSecret(Webhook):
    """A webhook with its new secret, shown once."""

    secret: str


class Accepted(BaseModel):
    """A call that is durable."""

    success: bool
    status: str
    event_id: str
    execution_id: str | None
    execution_ids: list[str]
    duplicate: bool


class InboxEvent(BaseModel):
    """A request as it came."""

    id: str
    kind: str
    source_id: str
    received_at: str
    state: str
    reason: str | None
    execution_ids: list[str]
    body_bytes: int
    request: dict[str, Any]
    body: str


class Schedule(BaseModel):
    """A rule that starts executions."""

    id: str
    workspace_id: str
    workflow_id: str
    node_id: str
    name: str
    cron: str | None
    interval_s: float | None
    timezone: str
    misfire: str
    input: Any
    is_paused: bool
    disabled_reason: str | None
    next_run_at: str | None
    last_run_at: str | None
    run_count: int
    source: str
    created_at: str
