"""Calls of the ports as messages: read from the signatures of the Protocols and from the protos.

A field of type bytes is compact JSON; every other one is what it is. A method that takes one record takes a
message with its fields, unless the message has a field of the argument's name. A method that answers a record
answers with a message of its fields; every other answer is the only field of its message.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast, get_type_hints

import msgspec
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from linkflow.domain.values import decode_json, encode_json


class _Field(NamedTuple):
    name: str
    is_json: bool
    has_presence: bool
    is_map: bool
    is_list: bool


class Layout:
    """How values lie in one kind of message."""

    def __init__(self, message: type[Message]) -> None:
        self.message = message
        self.fields = [_field(each) for each in message.DESCRIPTOR.fields]

    def pack(self, values: Mapping[str, Any]) -> Message:
        """Fill a message; what is None, or nothing at all, is left out."""
        found: dict[str, Any] = {}
        for field in self.fields:
            value = values.get(field.name)
            if value is not None and value != ():
                found[field.name] = encode_json(value) if field.is_json else value
        return self.message(**found)

    def unpack(self, message: Message) -> dict[str, Any]:
        """Read a message; what was left out and may be is not there."""
        found: dict[str, Any] = {}
        for field in self.fields:
            if field.has_presence and not message.HasField(field.name):
                continue
            value = getattr(message, field.name)
            if field.is_json:
                if value:
                    found[field.name] = decode_json(value)
            elif field.is_map:
                found[field.name] = dict(value)
            else:
                found[field.name] = list(value) if field.is_list else value
        return found


class Call:
    """A unary call: a method of a port, and the messages that carry it.

    Attributes:
        path: Of the call, as gRPC names it.
        method: Of the Protocol.
        takes: Class of its request.
        gives: Class of its response.
        takes_record: The record whose fields the request has; None for plain arguments.
        gives_record: The record whose fields the response has; None for any other answer.
    """

    def __init__(self, protocol: type, method: str, rpc: MethodDescriptor) -> None:
        function = getattr(protocol, method)
        hints = get_type_hints(function)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self.path = f"/{rpc.containing_service.full_name}/{rpc.name}"
        self.method = method
        self.takes = GetMessageClass(rpc.input_type)
        self.gives = GetMessageClass(rpc.output_type)
        self._takes, self._gives = Layout(self.takes), Layout(self.gives)
        self._names = [each.name for each in parameters]
        self._signature = inspect.Signature(parameters)
        self._result = hints["return"]
        self.gives_record: type[msgspec.Struct] | None = self._result if _is_record(self._result) else None
        record = hints[self._names[0]] if len(self._names) == 1 else None
        is_field = bool(self._names) and self._names[0] in rpc.input_type.fields_by_name
        self.takes_record: Any = (
            record if inspect.isclass(record) and not is_field and _is_record(record) else None
        )
        self._arguments: Any = self.takes_record or msgspec.defstruct(
            method, [_argument(each, hints[each.name]) for each in parameters]
        )

    def request(self, *args: Any, **kwargs: Any) -> Message:
        """Lay the arguments out."""
        if self.takes_record is not None:
            return self._takes.pack(_fields(args[0] if args else next(iter(kwargs.values()))))
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return self._takes.pack(bound.arguments)

    def arguments(self, message: Message) -> Sequence[Any]:
        """Read the arguments.

        Raises:
            msgspec.ValidationError: They are not what the method takes.
        """
        record = msgspec.convert(self._takes.unpack(message), self._arguments)
        return [record] if self.takes_record is not None else [getattr(record, name) for name in self._names]

    def reply(self, result: Any) -> Message:
        """Lay the result out."""
        if self._result is type(None):
            return self._gives.message()
        if self.gives_record is not None:
            return self._gives.pack(_fields(result))
        return self._gives.pack({self._gives.fields[0].name: result})

    def result(self, message: Message) -> Any:
        """Read the result."""
        if self._result is type(None):
            return None
        found = self._gives.unpack(message)
        if self.gives_record is not None:
            return msgspec.convert(found, self.gives_record)
        return msgspec.convert(found.get(self._gives.fields[0].name), self._result)


def _field(field: Any) -> _Field:
    is_list = bool(field.is_repeated)
    entry = field.message_type if field.type == FieldDescriptor.TYPE_MESSAGE else None
    is_map = is_list and entry is not None and entry.GetOptions().map_entry
    return _Field(
        name=field.name,
        is_json=field.type == FieldDescriptor.TYPE_BYTES,
        has_presence=field.has_presence,
        is_map=is_map,
        is_list=is_list and not is_map,
    )


def _is_record(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, msgspec.Struct)


def _fields(record: Any) -> Mapping[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def _argument(parameter: inspect.Parameter, hint: Any) -> Any:
    """Say a field for a parameter; what a message leaves out is None, when that is allowed."""
    if parameter.default is not parameter.empty:
        return (parameter.name, hint, parameter.default)
    if cast(Any, type(None)) in getattr(hint, "__args__", ()) or hint is Any:
        return (parameter.name, hint, None)
    return (parameter.name, hint)
