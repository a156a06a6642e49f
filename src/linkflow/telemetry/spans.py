"""Spans made by OpenTelemetry and sent over OTLP/HTTP; imported only while traces are on (see `tracing`)."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace import Span as OpenSpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from linkflow.telemetry.tracing import Span

LAST_64 = (1 << 64) - 1
PATH = "/v1/traces"
CARRIED = TraceContextTextMapPropagator()

_chosen: ContextVar[tuple[int, int] | None] = ContextVar("linkflow_chosen_ids", default=None)


def trace_of(execution_id: str) -> SpanContext:
    """Say the trace of an execution and its first span."""
    number = UUID(execution_id).int
    return SpanContext(number, number & LAST_64, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


class _Ids(RandomIdGenerator):
    """Gives a span the ids that were chosen for it, else any."""

    def generate_trace_id(self) -> int:
        """The trace of a span without a parent."""
        chosen = _chosen.get()
        return chosen[0] if chosen else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """A span's own."""
        chosen = _chosen.get()
        return chosen[1] if chosen else super().generate_span_id()


class Spans:
    """Makes spans; see `tracing` for what each is for."""

    def __init__(self, url: str, service: str, release: str) -> None:
        endpoint = url if url.rstrip("/").endswith(PATH) else url.rstrip("/") + PATH
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service, "service.version": release}).merge(
                OTELResourceDetector().detect()
            ),
            id_generator=_Ids(),
            sampler=DEFAULT_ON,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        self._tracer = self._provider.get_tracer("linkflow", release)

    def close(self) -> None:
        """Send what is left; waits for the receiver."""
        self._provider.shutdown()

    def record(
        self,
        execution_id: str,
        name: str,
        took_s: float,
        ended_at: float | None,
        kind: str,
        error: str,
        facts: Mapping[str, Any],
    ) -> None:
        """Note what is over."""
        end = time.time_ns() if ended_at is None else _ns(ended_at)
        span = self._tracer.start_span(
            name,
            _below(execution_id),
            SpanKind[kind.upper()],
            _named(execution_id, facts),
            start_time=end - _ns(took_s),
        )
        _finish(span, error, end)

    def closed(
        self, execution_id: str, began_at: float, ended_at: float, error: str, facts: Mapping[str, Any]
    ) -> None:
        """Note that an execution is over."""
        trace = trace_of(execution_id)
        before = _chosen.set((trace.trace_id, trace.span_id))
        try:
            span = self._tracer.start_span(
                "execution", Context(), attributes=_named(execution_id, facts), start_time=_ns(began_at)
            )
        finally:
            _chosen.reset(before)
        _finish(span, error, _ns(ended_at))

    def requested(
        self, method: str, route: str, status: int, took_s: float, traceparent: str, execution_id: str
    ) -> None:
        """Note that a request was answered."""
        end = time.time_ns()
        caller = CARRIED.extract({"traceparent": traceparent} if traceparent else {}, Context())
        is_called = get_current_span(caller).get_span_context().is_valid
        span = self._tracer.start_span(
            f"{method} {route}",
            _below(execution_id) if execution_id and not is_called else caller,
            SpanKind.SERVER,
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                **_named(execution_id, {}),
            },
            [Link(trace_of(execution_id))] if execution_id and is_called else [],
            start_time=end - _ns(took_s),
        )
        _finish(span, f"answered with {status}" if status >= 500 else "", end)

    @contextlib.contextmanager
    def span(self, name: str, execution_id: str, kind: str, facts: Mapping[str, Any]) -> Iterator[Span]:
        """Note what happens within."""
        if not execution_id and not get_current_span().get_span_context().is_valid:
            yield Span()
            return
        began = self._tracer.start_span(
            name,
            _below(execution_id) if execution_id else None,
            SpanKind[kind.upper()],
            _named(execution_id, facts),
        )
        with use_span(began, end_on_exit=False, record_exception=False, set_status_on_exception=False):
            headers: dict[str, str] = {}
            CARRIED.inject(headers)
            found = Span(headers)
            try:
                yield found
            except BaseException as error:
                found.error = found.error or type(error).__name__  # its text may hold what is secret
                raise
            finally:
                _finish(began, found.error, None)


def _below(execution_id: str) -> Context:
    """Stand below the first span of an execution."""
    return set_span_in_context(NonRecordingSpan(trace_of(execution_id)), Context())


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)


def _finish(span: OpenSpan, error: str, end: int | None) -> None:
    if error:
        span.set_status(Status(StatusCode.ERROR, error[:200]))
    span.end(end)


def _named(execution_id: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Name attributes."""
    found = {f"linkflow.{name}": value for name, value in facts.items()}
    return found | {"linkflow.execution_id": execution_id} if execution_id else found
