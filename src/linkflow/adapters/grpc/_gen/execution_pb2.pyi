from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class StartWorkflowExecutionRequest(_message.Message):
    __slots__ = ("workspace_id", "workflow_id", "workflow_version", "spec_hash", "trigger", "trigger_kind", "input", "execution_id", "request_id", "mode", "priority", "callback_url", "parent", "origin", "depth", "timeout_ms", "overrides", "variables", "session", "wait_ms", "attributes", "budget", "metered")
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_VERSION_FIELD_NUMBER: _ClassVar[int]
    SPEC_HASH_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_KIND_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_URL_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    METERED_FIELD_NUMBER: _ClassVar[int]
    workspace_id: str
    workflow_id: str
    workflow_version: int
    spec_hash: str
    trigger: str
    trigger_kind: str
    input: bytes
    execution_id: str
    request_id: str
    mode: str
    priority: int
    callback_url: str
    parent: bytes
    origin: str
    depth: int
    timeout_ms: int
    overrides: bytes
    variables: bytes
    session: bytes
    wait_ms: int
    attributes: bytes
    budget: bytes
    metered: bytes
    def __init__(self, workspace_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., workflow_version: _Optional[int] = ..., spec_hash: _Optional[str] = ..., trigger: _Optional[str] = ..., trigger_kind: _Optional[str] = ..., input: _Optional[bytes] = ..., execution_id: _Optional[str] = ..., request_id: _Optional[str] = ..., mode: _Optional[str] = ..., priority: _Optional[int] = ..., callback_url: _Optional[str] = ..., parent: _Optional[bytes] = ..., origin: _Optional[str] = ..., depth: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., overrides: _Optional[bytes] = ..., variables: _Optional[bytes] = ..., session: _Optional[bytes] = ..., wait_ms: _Optional[int] = ..., attributes: _Optional[bytes] = ..., budget: _Optional[bytes] = ..., metered: _Optional[bytes] = ...) -> None: ...

class StartedExecution(_message.Message):
    __slots__ = ("execution_id", "status", "is_new", "result", "error", "responded")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    IS_NEW_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RESPONDED_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    status: str
    is_new: bool
    result: bytes
    error: bytes
    responded: bytes
    def __init__(self, execution_id: _Optional[str] = ..., status: _Optional[str] = ..., is_new: _Optional[bool] = ..., result: _Optional[bytes] = ..., error: _Optional[bytes] = ..., responded: _Optional[bytes] = ...) -> None: ...

class WaitForExecutionRequest(_message.Message):
    __slots__ = ("execution_id", "wait_ms")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    wait_ms: int
    def __init__(self, execution_id: _Optional[str] = ..., wait_ms: _Optional[int] = ...) -> None: ...

class SignalWorkflowExecutionRequest(_message.Message):
    __slots__ = ("execution_id", "id", "name", "match", "data")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    id: str
    name: str
    match: str
    data: bytes
    def __init__(self, execution_id: _Optional[str] = ..., id: _Optional[str] = ..., name: _Optional[str] = ..., match: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class ResolveWaitRequest(_message.Message):
    __slots__ = ("execution_id", "key", "token", "action", "data", "by", "comment")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    key: str
    token: str
    action: str
    data: bytes
    by: str
    comment: str
    def __init__(self, execution_id: _Optional[str] = ..., key: _Optional[str] = ..., token: _Optional[str] = ..., action: _Optional[str] = ..., data: _Optional[bytes] = ..., by: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class EndExecutionRequest(_message.Message):
    __slots__ = ("execution_id", "reason", "by")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    reason: str
    by: str
    def __init__(self, execution_id: _Optional[str] = ..., reason: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class ReleaseExecutionRequest(_message.Message):
    __slots__ = ("execution_id", "by")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    by: str
    def __init__(self, execution_id: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class ExecutionRequest(_message.Message):
    __slots__ = ("execution_id",)
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    def __init__(self, execution_id: _Optional[str] = ...) -> None: ...

class GetExecutionRequest(_message.Message):
    __slots__ = ("execution_id", "part")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    part: bytes
    def __init__(self, execution_id: _Optional[str] = ..., part: _Optional[bytes] = ...) -> None: ...

class GetExecutionResponse(_message.Message):
    __slots__ = ("execution_id", "workspace_id", "workflow_id", "workflow_version", "spec_hash", "status", "version", "trigger_kind", "trigger", "mode", "input", "result", "responded", "error", "error_key", "started_at", "closed_at", "deadline_at", "origin", "parent", "nodes", "logs")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_VERSION_FIELD_NUMBER: _ClassVar[int]
    SPEC_HASH_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_KIND_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RESPONDED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_KEY_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_AT_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    workspace_id: str
    workflow_id: str
    workflow_version: int
    spec_hash: str
    status: str
    version: int
    trigger_kind: str
    trigger: str
    mode: str
    input: bytes
    result: bytes
    responded: bytes
    error: bytes
    error_key: str
    started_at: float
    closed_at: float
    deadline_at: float
    origin: str
    parent: bytes
    nodes: bytes
    logs: bytes
    def __init__(self, execution_id: _Optional[str] = ..., workspace_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., workflow_version: _Optional[int] = ..., spec_hash: _Optional[str] = ..., status: _Optional[str] = ..., version: _Optional[int] = ..., trigger_kind: _Optional[str] = ..., trigger: _Optional[str] = ..., mode: _Optional[str] = ..., input: _Optional[bytes] = ..., result: _Optional[bytes] = ..., responded: _Optional[bytes] = ..., error: _Optional[bytes] = ..., error_key: _Optional[str] = ..., started_at: _Optional[float] = ..., closed_at: _Optional[float] = ..., deadline_at: _Optional[float] = ..., origin: _Optional[str] = ..., parent: _Optional[bytes] = ..., nodes: _Optional[bytes] = ..., logs: _Optional[bytes] = ...) -> None: ...

class GetHistoryRequest(_message.Message):
    __slots__ = ("execution_id", "after", "limit")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    after: int
    limit: int
    def __init__(self, execution_id: _Optional[str] = ..., after: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class GetHistoryResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: bytes
    def __init__(self, events: _Optional[bytes] = ...) -> None: ...

class DescribeExecutionResponse(_message.Message):
    __slots__ = ("execution_id", "status", "summary", "version", "drivers", "late")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DRIVERS_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    status: str
    summary: str
    version: int
    drivers: bytes
    late: bytes
    def __init__(self, execution_id: _Optional[str] = ..., status: _Optional[str] = ..., summary: _Optional[str] = ..., version: _Optional[int] = ..., drivers: _Optional[bytes] = ..., late: _Optional[bytes] = ...) -> None: ...

class ListAwaitingRequest(_message.Message):
    __slots__ = ("workspace_id", "name", "match", "after")
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    workspace_id: str
    name: str
    match: str
    after: str
    def __init__(self, workspace_id: _Optional[str] = ..., name: _Optional[str] = ..., match: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class ListAwaitingResponse(_message.Message):
    __slots__ = ("execution_ids",)
    EXECUTION_IDS_FIELD_NUMBER: _ClassVar[int]
    execution_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, execution_ids: _Optional[_Iterable[str]] = ...) -> None: ...
