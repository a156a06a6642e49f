from linkflow.adapters.grpc._gen import envelope_pb2 as _envelope_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class DispatchCall(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISPATCH_CALL_UNSPECIFIED: _ClassVar[DispatchCall]
    DISPATCH_CALL_ADD_TASK: _ClassVar[DispatchCall]
    DISPATCH_CALL_DELIVER_TASK: _ClassVar[DispatchCall]
    DISPATCH_CALL_CANCEL_TASK: _ClassVar[DispatchCall]
    DISPATCH_CALL_RETURN_CREDITS: _ClassVar[DispatchCall]
    DISPATCH_CALL_REPORT_CREDITS: _ClassVar[DispatchCall]
    DISPATCH_CALL_GRANT_CREDITS: _ClassVar[DispatchCall]
    DISPATCH_CALL_LIMIT_CREDITS: _ClassVar[DispatchCall]
    DISPATCH_CALL_CLOSE_SESSION: _ClassVar[DispatchCall]

class PollCall(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POLL_CALL_UNSPECIFIED: _ClassVar[PollCall]
    POLL_CALL_OPEN: _ClassVar[PollCall]
    POLL_CALL_COMPLETE_TASKS: _ClassVar[PollCall]
    POLL_CALL_HEARTBEAT: _ClassVar[PollCall]
    POLL_CALL_DRAIN: _ClassVar[PollCall]
    POLL_CALL_LEAVE: _ClassVar[PollCall]
    POLL_CALL_TASK: _ClassVar[PollCall]
    POLL_CALL_STOP: _ClassVar[PollCall]
    POLL_CALL_IDLE: _ClassVar[PollCall]
    POLL_CALL_RESIZE: _ClassVar[PollCall]
DISPATCH_CALL_UNSPECIFIED: DispatchCall
DISPATCH_CALL_ADD_TASK: DispatchCall
DISPATCH_CALL_DELIVER_TASK: DispatchCall
DISPATCH_CALL_CANCEL_TASK: DispatchCall
DISPATCH_CALL_RETURN_CREDITS: DispatchCall
DISPATCH_CALL_REPORT_CREDITS: DispatchCall
DISPATCH_CALL_GRANT_CREDITS: DispatchCall
DISPATCH_CALL_LIMIT_CREDITS: DispatchCall
DISPATCH_CALL_CLOSE_SESSION: DispatchCall
POLL_CALL_UNSPECIFIED: PollCall
POLL_CALL_OPEN: PollCall
POLL_CALL_COMPLETE_TASKS: PollCall
POLL_CALL_HEARTBEAT: PollCall
POLL_CALL_DRAIN: PollCall
POLL_CALL_LEAVE: PollCall
POLL_CALL_TASK: PollCall
POLL_CALL_STOP: PollCall
POLL_CALL_IDLE: PollCall
POLL_CALL_RESIZE: PollCall

class DescribeTaskQueuesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeTaskQueuesResponse(_message.Message):
    __slots__ = ("queues",)
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    queues: bytes
    def __init__(self, queues: _Optional[bytes] = ...) -> None: ...
