from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Frame(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping[str, object]]]] = ...) -> None: ...

class Item(_message.Message):
    __slots__ = ("id", "call", "execution_id", "record", "failure")
    ID_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    id: int
    call: int
    execution_id: str
    record: bytes
    failure: Failure
    def __init__(self, id: _Optional[int] = ..., call: _Optional[int] = ..., execution_id: _Optional[str] = ..., record: _Optional[bytes] = ..., failure: _Optional[_Union[Failure, _Mapping[str, object]]] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("types", "code", "kind", "message", "details", "retry_after_s", "attributes")
    TYPES_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    types: _containers.RepeatedScalarFieldContainer[str]
    code: str
    kind: str
    message: str
    details: bytes
    retry_after_s: float
    attributes: bytes
    def __init__(self, types: _Optional[_Iterable[str]] = ..., code: _Optional[str] = ..., kind: _Optional[str] = ..., message: _Optional[str] = ..., details: _Optional[bytes] = ..., retry_after_s: _Optional[float] = ..., attributes: _Optional[bytes] = ...) -> None: ...

class Empty(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
