"""Errors across the wire: the whole error tree there, and the same class back."""

from collections.abc import Iterator

import grpc
import msgspec

from linkflow.adapters.grpc._gen.envelope_pb2 import Failure
from linkflow.domain.errors import (
    AlreadyStarted,
    Conflict,
    Denied,
    Invalid,
    Kind,
    LinkFlowError,
    NodeError,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
    VersionConflict,
)
from linkflow.domain.values import decode_json

FAILURE = "linkflow-failure-bin"
"""Metadata of a unary call that failed: the `Failure`."""

STATUS: tuple[tuple[type[LinkFlowError], grpc.StatusCode], ...] = (
    (VersionConflict, grpc.StatusCode.ABORTED),
    (AlreadyStarted, grpc.StatusCode.ALREADY_EXISTS),
    (Conflict, grpc.StatusCode.FAILED_PRECONDITION),
    (Invalid, grpc.StatusCode.INVALID_ARGUMENT),
    (Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (Denied, grpc.StatusCode.PERMISSION_DENIED),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (RateLimited, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
)
"""What callers that know gRPC and not LinkFlow see; the first that fits."""

_encode = msgspec.json.Encoder(enc_hook=str).encode


class LineCut(Unavailable):
    """The connection to another service was lost; whether it heard the call is not known."""


def failure_of(error: LinkFlowError) -> Failure:
    """Lay an error out for the wire; never a trace."""
    kept = {name: value for name, value in vars(error).items() if name not in ("code", "kind", "details")}
    node = kept.get("error")
    return Failure(
        types=[each.__name__ for each in type(error).__mro__ if issubclass(each, LinkFlowError)],
        code=error.code,
        kind=node.kind if isinstance(node, NodeError) else error.kind,
        message=str(error),
        details=_encode(error.details),
        retry_after_s=getattr(error, "retry_after_s", None),
        attributes=_encode(kept),
    )


def error_of(failure: Failure) -> LinkFlowError:
    """Make the error that was raised on the other side, of the same class where this side has it."""
    known = {each.__name__: each for each in _tree(LinkFlowError)}
    kind = next((known[name] for name in failure.types if name in known), LinkFlowError)
    error = kind.__new__(kind)
    LinkFlowError.__init__(error, failure.message)
    if failure.code and failure.code != kind.code:
        error.code = failure.code  # type: ignore[misc]  # one class may serve a family of codes
    error.details = decode_json(failure.details) if failure.details else {}
    kept = decode_json(failure.attributes) if failure.attributes else {}
    if isinstance(kept.get("error"), dict):
        kept["error"] = msgspec.convert(kept["error"], NodeError)
    elif failure.kind and failure.kind != kind.kind:
        error.kind = Kind(failure.kind)  # type: ignore[misc]  # of a class that this side does not have
    for name, value in kept.items():
        setattr(error, name, value)
    if failure.HasField("retry_after_s") and not hasattr(error, "retry_after_s"):
        vars(error)["retry_after_s"] = failure.retry_after_s
    return error


def status_of(error: LinkFlowError) -> grpc.StatusCode:
    """Say the status of a failed unary call."""
    return next((code for kind, code in STATUS if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


def error_of_call(error: grpc.aio.AioRpcError, callee: str) -> LinkFlowError:
    """Make the error of a failed unary call: what the callee raised, or that it did not answer."""
    for name, value in error.trailing_metadata() or ():
        if name == FAILURE and isinstance(value, bytes):
            return error_of(Failure.FromString(value))
    if error.code() is grpc.StatusCode.UNAUTHENTICATED:
        return Unauthenticated(f"{callee} refused the call: {error.details()}")
    if error.code() is grpc.StatusCode.UNIMPLEMENTED:
        return Unavailable(f"{callee} does not know this call; it is of another release.")
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unavailable(f"{callee} did not answer in time; try again.")
    return LineCut(f"{callee} cannot be reached: {error.details()}")


def _tree(kind: type[LinkFlowError]) -> Iterator[type[LinkFlowError]]:
    """Walk an error and everything below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from _tree(below)
