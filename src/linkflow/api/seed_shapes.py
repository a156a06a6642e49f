"""The JSON shapes of seed 002's own routes: camelCase, as the seed spells them."""

from typing import Any

from pydantic import BaseModel


class SeedError(BaseModel):
    """Why something failed, as seed 002 spells it."""

    code: str
    message: str
    type: str


class NodeResult(BaseModel):
    """Seed 002's `NodeExecutionResult`."""

    nodeId: str  # noqa: N815  seed 002's name
    status: str
    output: dict[str, Any] | None = None
    error: SeedError | None = None
    durationMs: int  # noqa: N815  seed 002's name
    executedAt: str | None  # noqa: N815  seed 002's name
    attempt: int


class ExecutionLog(BaseModel):
    """Seed 002's `ExecutionLog`."""

    executionId: str  # noqa: N815  seed 002's name
    workflowId: str  # noqa: N815  seed 002's name
    workflowVersion: int  # noqa: N815  seed 002's name
    status: str
    startedAt: str  # noqa: N815  seed 002's name
    completedAt: str | None = None  # noqa: N815  seed 002's name
    durationMs: int  # noqa: N815  seed 002's name
    nodeResults: list[NodeResult]  # noqa: N815  seed 002's name
    error: SeedError | None = None


class ExecutionResult(BaseModel):
    """Seed 002's `ExecutionResult`."""

    executionId: str  # noqa: N815  seed 002's name
    status: str
    output: Any
    error: SeedError | None
    nodeResults: list[NodeResult]  # noqa: N815  seed 002's name
    durationMs: int  # noqa: N815  seed 002's name
    sessionId: str | None  # noqa: N815  seed 002's name
