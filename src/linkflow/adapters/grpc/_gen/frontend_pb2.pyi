from linkflow.adapters.grpc._gen import envelope_pb2 as _envelope_pb2
from linkflow.adapters.grpc._gen import execution_pb2 as _execution_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class FrontendCall(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FRONTEND_CALL_UNSPECIFIED: _ClassVar[FrontendCall]
    FRONTEND_CALL_START_WORKFLOW_EXECUTION: _ClassVar[FrontendCall]
FRONTEND_CALL_UNSPECIFIED: FrontendCall
FRONTEND_CALL_START_WORKFLOW_EXECUTION: FrontendCall
