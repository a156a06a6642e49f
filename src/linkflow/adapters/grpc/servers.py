"""The callee's side: any object that satisfies a port, served over gRPC.

async with serving("127.0.0.1:7234", {"history": history}, trust) as bound:
    ...
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from inspect import isawaitable
from typing import Any

import grpc
import msgspec
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection  # type: ignore[import-untyped]

from linkflow import telemetry
from linkflow.adapters.grpc._gen.envelope_pb2 import Frame
from linkflow.adapters.grpc._gen.frontend_pb2 import FrontendCall
from linkflow.adapters.grpc._gen.history_pb2 import HistoryCall
from linkflow.adapters.grpc._gen.timer_pb2 import TimerCall
from linkflow.adapters.grpc.failures import FAILURE, failure_of, status_of
from linkflow.adapters.grpc.hall import Hall
from linkflow.adapters.grpc.records import Call
from linkflow.adapters.grpc.surface import MATCHING, SERVICES, Service
from linkflow.adapters.grpc.trust import OPTIONS, Tokens, Trust
from linkflow.adapters.grpc.wire import Answer, Hear, Wire
from linkflow.domain.errors import Invalid, LinkFlowError, Unavailable
from linkflow.domain.values import encode_json
from linkflow.ports.commands import ActivityReport, StartExecution, TaskId
from linkflow.telemetry import metrics

FLUSH_S = 0.5
STOP_S = 2.0
"""How long calls under way may take when the server stops."""

log = telemetry.logger("grpc")
_calls = metrics.counters("linkflow_grpc_calls_total")
_took = metrics.histograms("linkflow_grpc_call_seconds")

Accept = Callable[[Wire], Awaitable[None]]
"""Lives with one stream until it is cut."""


class Bound:
    """A server that listens.

    Attributes:
        address: Where it answers: `host:port` or `unix:path`.
    """

    def __init__(self, address: str, servicer: Any, names: list[str]) -> None:
        self.address = address
        self._health = servicer
        self._names = names

    async def say(self, *, is_serving: bool) -> None:
        """Tell probes and balancers whether to send calls here."""
        word = (
            health_pb2.HealthCheckResponse.SERVING
            if is_serving
            else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for name in ("", *self._names):
            await self._health.set(name, word)


@asynccontextmanager
async def serving(address: str, parts: Mapping[str, Any], trust: Trust) -> AsyncIterator[Bound]:
    """Serve for as long as the context lasts.

    Args:
        address: `host:port`, port 0 for a free one; or `unix:path`.
        parts: What is served, by role: an object that satisfies the role's port.
        trust: What callers must show.

    Raises:
        Invalid: The address cannot be listened on, or only with TLS.
    """
    server = grpc.aio.server(interceptors=[Tokens(trust)], options=OPTIONS)
    names: list[str] = []
    wires: set[Wire] = set()
    halls = {role: Hall(part) for role, part in parts.items() if role == MATCHING.role}
    for role, part in parts.items():
        if role not in SERVICES:
            raise Invalid(f"Nobody calls the role '{role}' over gRPC; those are: {', '.join(SERVICES)}.")
        service = SERVICES[role]
        names.append(service.full_name)
        served = halls.get(role, part)
        server.add_generic_rpc_handlers([_handlers(service, served, _streams(role, served), wires)])
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection([*names, "grpc.health.v1.Health", reflection.SERVICE_NAME], server)
    port = trust.listen(server, address)
    if not port:
        raise Invalid(f"Nobody can listen on {address}. Choose another address.", code="address.refused")
    await server.start()
    host = address.rpartition(":")[0]
    bound = Bound(address if address.startswith("unix:") else f"{host}:{port}", servicer, names)
    await bound.say(is_serving=True)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(hall.run()) for hall in halls.values()]
        try:
            with metrics.reading({"linkflow_grpc_streams": lambda: len(wires)}):
                yield bound
        finally:
            await bound.say(is_serving=False)
            await _hang_up(wires)
            await server.stop(STOP_S)
            for task in running:
                task.cancel()


async def _hang_up(wires: set[Wire]) -> None:
    """End the streams, so that nobody waits for what does not come; answers that are ready are sent."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FLUSH_S):
            await asyncio.gather(*(wire.flush() for wire in wires))
    for wire in wires:
        wire.close()


def _handlers(
    service: Service, part: Any, accepts: Mapping[str, Accept], wires: set[Wire]
) -> grpc.GenericRpcHandler:
    """Make the handlers of one service."""
    methods: dict[str, Any] = {}
    for call in service.calls().values():
        methods[call.path.rpartition("/")[2]] = _unary(call, part)
    for stream, accept in accepts.items():
        methods[stream] = grpc.stream_stream_rpc_method_handler(
            _stream(accept, wires),
            request_deserializer=Frame.FromString,
            response_serializer=Frame.SerializeToString,
        )
    return grpc.method_handlers_generic_handler(service.full_name, methods)


# ---------------------------------------------------------------- unary


def _unary(call: Call, part: Any) -> Any:
    method = getattr(part, call.method)
    name = call.path.rpartition(".")[2]

    async def handle(request: Any, context: Any) -> Any:
        began_at, outcome = time.perf_counter(), "failed"
        try:
            result = method(*call.arguments(request))
            reply = call.reply(await result if isawaitable(result) else result)
            outcome = "ok"
            return reply
        except LinkFlowError as error:
            outcome = "refused"
            await _abort(context, error)
        except msgspec.ValidationError as error:
            outcome = "refused"
            await _abort(context, Invalid(f"The message does not fit {call.path}: {error}"))
        except Exception:  # a bug of ours: loud here, and no trace across
            log.exception("call failed", call=call.path)
            await _abort(context, Unavailable("The service met a fault of its own; its log says which."))
        finally:
            _calls[name, outcome].inc()
            _took[name].observe(time.perf_counter() - began_at)

    return grpc.unary_unary_rpc_method_handler(
        handle,
        request_deserializer=call.takes.FromString,
        response_serializer=call.gives.SerializeToString,
    )


async def _abort(context: Any, error: LinkFlowError) -> None:
    await context.abort(
        status_of(error), str(error), trailing_metadata=((FAILURE, failure_of(error).SerializeToString()),)
    )


# ---------------------------------------------------------------- streams


def _stream(accept: Accept, wires: set[Wire]) -> Any:
    async def handle(requests: Any, context: Any) -> None:
        await context.send_initial_metadata(())  # says that the stream was accepted
        wire = Wire(context, context.peer())
        wires.add(wire)
        try:
            await accept(wire)
        finally:
            wires.discard(wire)
        if wire.is_broken:
            raise asyncio.CancelledError  # gRPC would send a status to nobody, and log that it cannot

    return handle


def _streams(role: str, part: Any) -> Mapping[str, Accept]:
    if role == "matching":
        return {"Dispatch": part.dispatch, "PollTask": part.poll}
    if role == "timer":
        return {"Exchange": _hearing({TimerCall.TIMER_CALL_SCHEDULE: _schedule(part)})}
    if role == "frontend":
        return {"Exchange": _answering({FrontendCall.FRONTEND_CALL_START_WORKFLOW_EXECUTION: _start(part)})}
    if role == "history":
        return {
            "Exchange": _answering(
                {
                    HistoryCall.HISTORY_CALL_START_WORKFLOW_EXECUTION: _start(part),
                    HistoryCall.HISTORY_CALL_RESPOND_ACTIVITY_TASK_COMPLETED: _respond(part),
                    HistoryCall.HISTORY_CALL_RECORD_ACTIVITY_TASK_STARTED: _claim(part),
                    HistoryCall.HISTORY_CALL_WAKE: _wake(part),
                }
            )
        }
    return {}


def _answering(calls: Mapping[int, Answer]) -> Accept:
    async def accept(wire: Wire) -> None:
        await wire.run(calls=calls)

    return accept


def _hearing(notes: Mapping[int, Hear]) -> Accept:
    async def accept(wire: Wire) -> None:
        await wire.run(notes=notes)

    return accept


def _start(part: Any) -> Answer:
    decode = msgspec.json.Decoder(StartExecution).decode

    async def answer(execution_id: str, record: bytes) -> bytes:
        return encode_json(await part.start(decode(record)))

    return answer


def _respond(part: Any) -> Answer:
    decode = msgspec.json.Decoder(ActivityReport).decode

    async def answer(execution_id: str, record: bytes) -> bytes:
        return encode_json((await part.respond([decode(record)]))[0])

    return answer


def _claim(part: Any) -> Answer:
    decode = msgspec.json.Decoder(tuple[TaskId, str]).decode

    async def answer(execution_id: str, record: bytes) -> bytes:
        return encode_json(await part.claim(*decode(record)))

    return answer


def _wake(part: Any) -> Answer:
    decode = msgspec.json.Decoder(list[str]).decode

    async def answer(execution_id: str, record: bytes) -> bytes:
        await part.wake(decode(record))
        return b""

    return answer


def _schedule(part: Any) -> Hear:
    decode = msgspec.json.Decoder(tuple[str, float]).decode

    def hear(record: bytes) -> None:
        part.schedule(*decode(record))

    return hear
