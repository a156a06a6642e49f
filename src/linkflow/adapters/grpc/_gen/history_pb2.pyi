from linkflow.adapters.grpc._gen import envelope_pb2 as _envelope_pb2
from linkflow.adapters.grpc._gen import execution_pb2 as _execution_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class HistoryCall(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HISTORY_CALL_UNSPECIFIED: _ClassVar[HistoryCall]
    HISTORY_CALL_START_WORKFLOW_EXECUTION: _ClassVar[HistoryCall]
    HISTORY_CALL_RESPOND_ACTIVITY_TASK_COMPLETED: _ClassVar[HistoryCall]
    HISTORY_CALL_RECORD_ACTIVITY_TASK_STARTED: _ClassVar[HistoryCall]
    HISTORY_CALL_WAKE: _ClassVar[HistoryCall]
HISTORY_CALL_UNSPECIFIED: HistoryCall
HISTORY_CALL_START_WORKFLOW_EXECUTION: HistoryCall
HISTORY_CALL_RESPOND_ACTIVITY_TASK_COMPLETED: HistoryCall
HISTORY_CALL_RECORD_ACTIVITY_TASK_STARTED: HistoryCall
HISTORY_CALL_WAKE: HistoryCall

class EndSessionsRequest(_message.Message):
    __slots__ = ("sessions",)
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sessions: _Optional[_Iterable[str]] = ...) -> None: ...

class ListLostTasksRequest(_message.Message):
    __slots__ = ("session", "held")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    session: str
    held: bytes
    def __init__(self, session: _Optional[str] = ..., held: _Optional[bytes] = ...) -> None: ...

class ListLostTasksResponse(_message.Message):
    __slots__ = ("tasks",)
    TASKS_FIELD_NUMBER: _ClassVar[int]
    tasks: bytes
    def __init__(self, tasks: _Optional[bytes] = ...) -> None: ...

class RecordChildClosedRequest(_message.Message):
    __slots__ = ("parent", "child_id", "status", "output", "error")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    CHILD_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    parent: bytes
    child_id: str
    status: str
    output: bytes
    error: bytes
    def __init__(self, parent: _Optional[bytes] = ..., child_id: _Optional[str] = ..., status: _Optional[str] = ..., output: _Optional[bytes] = ..., error: _Optional[bytes] = ...) -> None: ...

class TicketRequest(_message.Message):
    __slots__ = ("execution_id", "ticket", "reason")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    ticket: str
    reason: str
    def __init__(self, execution_id: _Optional[str] = ..., ticket: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SlotRequest(_message.Message):
    __slots__ = ("execution_id", "key", "begins_at")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    BEGINS_AT_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    key: str
    begins_at: float
    def __init__(self, execution_id: _Optional[str] = ..., key: _Optional[str] = ..., begins_at: _Optional[float] = ...) -> None: ...

class GetMutableStateRequest(_message.Message):
    __slots__ = ("execution_ids",)
    EXECUTION_IDS_FIELD_NUMBER: _ClassVar[int]
    execution_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, execution_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetMutableStateResponse(_message.Message):
    __slots__ = ("projected",)
    PROJECTED_FIELD_NUMBER: _ClassVar[int]
    projected: bytes
    def __init__(self, projected: _Optional[bytes] = ...) -> None: ...
