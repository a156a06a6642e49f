"""Errors cross the wire and come back as what they were."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from linkflow.adapters.grpc._gen.envelope_pb2 import Failure
from linkflow.adapters.grpc.failures import FAILURE, error_of, failure_of, status_of
from linkflow.adapters.grpc.servers import serving
from linkflow.adapters.grpc.surface import FRONTEND
from linkflow.adapters.grpc.trust import TOKEN, Trust
from linkflow.domain import errors
from linkflow.domain.errors import (
    ActivityError,
    AlreadyStarted,
    Kind,
    LinkFlowError,
    RateLimited,
    Unavailable,
)
from linkflow.domain.values import Json, decode_json, encode_json

TRUST = Trust(secret="s")


def tree(kind: type[LinkFlowError] = LinkFlowError) -> Iterator[type[LinkFlowError]]:
    """Walk the error tree of the domain."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith("linkflow."):
            yield from tree(below)


def raised(kind: type[LinkFlowError]) -> LinkFlowError:
    """Make an error as somebody raises it; those of other rooms say more than a message, each its own."""
    if kind is AlreadyStarted:
        return AlreadyStarted("0190f0f0-0000-8000-8000-000000000000")
    if kind.__module__ == errors.__name__:
        return kind("It went wrong.")
    error = kind.__new__(kind)
    LinkFlowError.__init__(error, "It went wrong.")
    return error


def kept(error: LinkFlowError) -> Json:
    """Say what an error keeps besides its code, as JSON."""
    return decode_json(encode_json({name: value for name, value in vars(error).items() if name != "code"}))


@pytest.mark.parametrize("kind", sorted(set(tree()), key=str))
def test_every_error_comes_back_as_itself(kind: type[LinkFlowError]) -> None:
    """Class, code, kind, message, details and whatever else it keeps survive the way."""
    error = raised(kind)
    error.details = {**error.details, "a": [1, {"b": None}]}
    back = error_of(Failure.FromString(failure_of(error).SerializeToString()))

    assert (type(error), str(error), error.code, error.kind) == (type(back), str(back), back.code, back.kind)
    assert kept(error) == kept(back)


def test_what_an_instance_says_comes_back() -> None:
    """Codes of a family, advice to wait, and a node's error as data survive the way."""
    limited = error_of(failure_of(RateLimited("Slow.", retry_after_s=7.5)))
    family = error_of(failure_of(errors.Invalid("No.", code="input.invalid", field="x")))
    failed = ActivityError("429", code="http.status", kind=Kind.RATE_LIMIT, retry_after_s=3.0, refused=True)
    node = error_of(failure_of(failed))

    assert 7.5 == limited.retry_after_s  # type: ignore[attr-defined]  # it is a RateLimited
    assert ("input.invalid", {"field": "x"}) == (family.code, family.details)
    assert isinstance(node, ActivityError)
    assert failed.error == node.error


def test_an_unknown_class_is_met_by_the_one_above() -> None:
    """An error that only the other side has comes as the nearest class that both know, with its kind."""
    failure = failure_of(Unavailable("Away."))
    failure.types[:] = ["FutureError", *failure.types]
    strange = Failure(types=["StrangeError"], code="strange", kind="rate_limit", message="?")

    assert (Unavailable, "Away.") == (type(error_of(failure)), str(error_of(failure)))
    assert (LinkFlowError, "strange", "rate_limit") == (
        type(error_of(strange)),
        error_of(strange).code,
        error_of(strange).kind,
    )


class Buggy:
    """A Frontend with a bug."""

    async def view(self, execution_id: str) -> None:
        """Raise what no service may raise."""
        raise ZeroDivisionError("a secret detail")

    def __getattr__(self, name: str) -> object:
        return self.view


async def test_a_bug_stays_where_it_is() -> None:
    """A service's own fault is Unavailable to the caller, and no trace of it crosses the wire."""
    async with (
        serving("127.0.0.1:0", {"frontend": Buggy()}, TRUST) as bound,
        grpc.aio.insecure_channel(bound.address) as channel,
    ):
        ask: Any = channel.unary_unary(FRONTEND.calls()["view"].path)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(b"", metadata=((TOKEN, TRUST.token()),))
    sent = dict(refused.value.trailing_metadata() or ())
    failure = Failure.FromString(bytes(sent[FAILURE]))

    assert (grpc.StatusCode.UNAVAILABLE, "Unavailable") == (refused.value.code(), failure.types[0])
    assert "secret" not in str(refused.value) + str(failure)


async def test_a_message_that_does_not_fit_is_refused() -> None:
    """What cannot be read as the call's arguments is the caller's fault, and said so."""
    async with (
        serving("127.0.0.1:0", {"frontend": Buggy()}, TRUST) as bound,
        grpc.aio.insecure_channel(bound.address) as channel,
    ):
        call = FRONTEND.calls()["start"]
        ask: Any = channel.unary_unary(call.path, request_serializer=call.takes.SerializeToString)
        request = call.takes(workspace_id="w", workflow_id="f", spec_hash="h", variables=b"[1]")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(request, metadata=((TOKEN, TRUST.token()),))

    assert grpc.StatusCode.INVALID_ARGUMENT == refused.value.code()
    assert "variables" in (refused.value.details() or "")


def test_statuses_fit_the_errors() -> None:
    """Callers that know only gRPC see the status that fits."""
    expected = {
        "NotFound": "NOT_FOUND",
        "Invalid": "INVALID_ARGUMENT",
        "PayloadTooLarge": "INVALID_ARGUMENT",
        "Denied": "PERMISSION_DENIED",
        "Unauthenticated": "UNAUTHENTICATED",
        "VersionConflict": "ABORTED",
        "AlreadyStarted": "ALREADY_EXISTS",
        "ExecutionClosed": "FAILED_PRECONDITION",
        "RateLimited": "RESOURCE_EXHAUSTED",
        "Overloaded": "UNAVAILABLE",
        "ActivityError": "INTERNAL",
    }

    assert expected == {name: status_of(raised(getattr(errors, name))).name for name in expected}
