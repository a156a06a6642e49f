from linkflow.adapters.grpc._gen import envelope_pb2 as _envelope_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class TimerCall(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIMER_CALL_UNSPECIFIED: _ClassVar[TimerCall]
    TIMER_CALL_SCHEDULE: _ClassVar[TimerCall]
TIMER_CALL_UNSPECIFIED: TimerCall
TIMER_CALL_SCHEDULE: TimerCall
