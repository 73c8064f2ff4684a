"""
OpenTelemetry spans of a run, for those who installed `reconciler[otel]` and set the standard OTEL_* variables.

One span for the command, below it one for each batch of reads, each change and each call, the latter named and
described by the HTTP semantic conventions. No header, no body and no secret gets into one; the trace is not passed on
to the platforms. A collector that cannot be reached is one warning at the end, and never fails a run.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from reconciler.model.span import Fact, Note
from reconciler.platforms.exchange import Exchange

FLUSH_MS = 5_000
_LONGEST = 300


class _Complaints(logging.Handler):
    """Counts what the library complains about; its words may repeat addresses and are not shown."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


class Tracing:
    """The spans of one run; `close` sends what is left."""

    def __init__(
        self, exporter: SpanExporter, environ: Mapping[str, str], *, version: str, warn: Callable[[str], None]
    ) -> None:
        self._warn = warn
        self._complaints = _Complaints()
        self._library = logging.getLogger("opentelemetry")
        self._propagates = self._library.propagate
        self._library.addHandler(self._complaints)
        self._library.propagate = False
        named = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": "reconciler"}
        resource = Resource.create({**named, "service.version": version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("reconciler", version)
        self._parent = TraceContextTextMapPropagator().extract(
            {name: environ[name.upper()] for name in ("traceparent", "tracestate") if environ.get(name.upper())}
        )
        self._command: Span | None = None
        self._token: object = None

    def begin(self, command: str, **facts: Fact) -> None:
        """Open the span of the command; the spans that follow stand below it."""
        self._command = self._tracer.start_span(command, context=self._parent, attributes=_attributes(facts))
        self._token = otel_context.attach(trace.set_span_in_context(self._command))

    @contextmanager
    def span(self, name: str, **facts: Fact) -> Iterator[Note]:
        """Mark a stretch; one that an error ends has failed."""
        with self._tracer.start_as_current_span(
            name, attributes=_attributes(facts), record_exception=False, set_status_on_exception=False
        ) as span:

            def note(*, error: str = "", **facts: Fact) -> None:
                span.set_attributes(_attributes(facts))
                if error:
                    span.set_status(Status(StatusCode.ERROR, error[:_LONGEST]))

            try:
                yield note
            except BaseException as caught:
                span.set_attribute("error.type", type(caught).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise

    def exchange(self, sent: Exchange, number: int) -> None:
        """Write a span of a call that is over."""
        end = time.time_ns()
        address = urlsplit(sent.origin)
        query = f"?{sent.query}" if sent.query else ""
        facts: dict[str, Fact] = {
            "http.request.method": sent.method,
            "url.full": f"{sent.origin}{sent.path}{query}",
            "server.address": sent.host,
            "server.port": address.port or (443 if address.scheme == "https" else 80),
            "reconciler.connection": sent.connection,
            "reconciler.request.number": number,
            "reconciler.write": sent.write,
        }
        optional: dict[str, Fact] = {
            "reconciler.key": sent.key,
            "reconciler.request.id": sent.request_id,
            "http.request.resend_count": sent.attempt - 1,
            "http.response.status_code": sent.status or 0,
        }
        facts.update({name: value for name, value in optional.items() if value})
        failed = sent.status is None or sent.status >= 400
        if failed:
            facts["error.type"] = str(sent.status or "no_answer")
        span = self._tracer.start_span(
            sent.method, kind=SpanKind.CLIENT, attributes=facts, start_time=end - int(sent.ms * 1_000_000)
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR, sent.error[:_LONGEST]))
        span.end(end)

    def close(self) -> None:
        """End the command's span and send everything, for some seconds at most; a failure is told once."""
        if self._command is None:
            return
        error = sys.exc_info()[1]
        if error is not None and not (isinstance(error, SystemExit) and not error.code):
            self._command.set_attribute("error.type", type(error).__name__)
            self._command.set_status(Status(StatusCode.ERROR))
        otel_context.detach(self._token)  # type: ignore[arg-type]
        self._command.end()
        self._command = None
        done = self._provider.force_flush(FLUSH_MS)
        self._provider.shutdown()
        self._library.removeHandler(self._complaints)
        self._library.propagate = self._propagates
        if not done or self._complaints.count:
            self._warn("not all spans of this run could be delivered; see OTEL_EXPORTER_OTLP_ENDPOINT")


def open_tracing(environ: Mapping[str, str], version: str, warn: Callable[[str], None]) -> Tracing | None:
    """Give the tracing that the variables ask for; None, with a warning, where they ask for what is not there."""
    asked = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    if asked not in ("otlp", "console"):
        warn("OTEL_TRACES_EXPORTER: there are otlp, console and none here; no spans are made")
        return None
    try:
        exporter = exporter_of(asked)
    except Exception as error:  # the library reads its variables itself, and says what it likes about them
        warn(f"the OTEL_* variables cannot be used ({type(error).__name__}); no spans are made")
        return None
    return Tracing(exporter, environ, version=version, warn=warn)


def exporter_of(asked: str) -> SpanExporter:
    """Give the exporter: OTLP over HTTP, set up by its own variables, or lines on standard error."""
    if asked == "console":
        return ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + os.linesep)
    return OTLPSpanExporter(timeout=None if os.environ.get("OTEL_EXPORTER_OTLP_TIMEOUT") else FLUSH_MS / 1000)


def _attributes(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    return {f"reconciler.{name}": value for name, value in facts.items() if value != ""}
