"""OpenTelemetry spans: which there are, how they stand to each other, and that no secret is in them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kinds import LINKEDIN, SALESFORCE, X_ADS
from laboratory import ENVIRONMENT, Lab
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Tracing that is asked for, with what it exports kept in memory."""
    from reconciler import telemetry

    exporter = InMemorySpanExporter()
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setattr(telemetry, "exporter_of", lambda asked: exporter)
    return exporter


def test_spans_of_an_apply(lab: Lab, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    for case in (LINKEDIN, X_ADS, SALESFORCE):
        lab.manifest(case.kind, case.spec)
    lab.apply()
    made = spans.get_finished_spans()
    by_id = {span.context.span_id: span for span in made}
    (command,) = [span for span in made if span.name == "reconciler apply"]
    assert f"{command.context.trace_id:x}" == "af7651916cd43dd8448eb211c80319c", "below that of the CI system"
    assert {span.context.trace_id for span in made} == {command.context.trace_id}
    reads = [span for span in made if span.name == "read"]
    assert {span.attributes["reconciler.connection"] for span in reads} == {"linkedin", "x", "crm"}
    changes = {span.attributes["reconciler.key"]: span for span in made if span.name == "change"}
    assert set(changes) == {f"{case.kind}/a" for case in (LINKEDIN, X_ADS, SALESFORCE)}
    assert all(span.parent.span_id == command.context.span_id for span in (*reads, *changes.values()))
    calls = [span for span in made if "http.request.method" in span.attributes]
    assert len(calls) == len(lab.requests)
    writes = [span for span in calls if span.attributes["reconciler.write"]]
    assert len(writes) == len(lab.writes)
    for span in writes:
        assert by_id[span.parent.span_id] is changes[span.attributes["reconciler.key"]]
        assert 200 <= span.attributes["http.response.status_code"] < 300 and span.kind.name == "CLIENT"
        assert span.attributes["url.full"].startswith(lab.server.base_url("linkedin").rsplit("/", 1)[0])
        assert span.start_time <= span.end_time
    shown = " ".join(span.to_json() for span in made)
    assert not [name for name, value in ENVIRONMENT.items() if value in shown]
    assert not [word for word in ("trafficWeight", "oauth_signature", "Bearer") if word in shown]


def test_what_fails_is_marked(lab: Lab, spans: InMemorySpanExporter) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.faults(
        {"match": {"method": "POST"}, "do": {"status": 400, "body": {"errors": [{"code": "NO", "message": "no"}]}}}
    )
    lab.apply(code=1)
    made = spans.get_finished_spans()
    failed = {span.name for span in made if span.status.status_code is StatusCode.ERROR}
    assert failed == {"POST", "change"}
    (call,) = [span for span in made if span.name == "POST"]
    assert call.attributes["error.type"] == "400"


@pytest.mark.parametrize(
    "environ", [{}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}]
)
def test_nothing_is_traced_unasked(
    lab: Lab, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.delenv("OTEL_TRACES_EXPORTER")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    lab.manifest(X_ADS.kind, X_ADS.spec)
    lab.plan()
    assert spans.get_finished_spans() == ()


def test_without_the_extra_a_run_goes_on(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setitem(sys.modules, "reconciler.telemetry", None)
    lab.manifest(X_ADS.kind, X_ADS.spec)
    assert "reconciler[otel]" in lab.run("--verbose", "plan").must(0).err
    assert "otel" not in lab.run("plan").must(0).err


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A collector that takes OTLP over HTTP; gives the spans that it was sent."""
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces" and self.headers["x-team-key"] == "canary-otel"
            request = ExportTraceServiceRequest.FromString(body)
            taken.extend(request.resource_spans)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team-key=canary-otel")
    yield taken
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_collector_gets_them(lab: Lab, collector: list[Any]) -> None:
    lab.manifest(X_ADS.kind, X_ADS.spec)
    ran = lab.apply()
    names = {span.name for group in collector for scope in group.scope_spans for span in scope.spans}
    assert {"reconciler apply", "read", "change", "POST", "GET"} <= names
    resource = {item.key: item.value.string_value for item in collector[0].resource.attributes}
    assert resource["service.name"] == "reconciler" and resource["service.version"]
    assert "canary" not in ran.out + ran.err and "spans" not in ran.err


def test_a_collector_that_cannot_be_reached_is_a_warning(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:canary-password@127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    lab.manifest(X_ADS.kind, X_ADS.spec)
    ran = lab.apply()
    assert ran.err.count("could be delivered") == 1 and "canary" not in ran.err


@pytest.mark.parametrize("exporter", ["zipkin", "console"])
def test_other_exporters(lab: Lab, monkeypatch: pytest.MonkeyPatch, exporter: str) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", exporter)
    lab.manifest(X_ADS.kind, X_ADS.spec)
    ran = lab.run("plan", "--format", "json").must(0)
    assert ran.json["summary"]["create"] == 1, "stdout stays data"
    assert ("no spans are made" in ran.err) == (exporter == "zipkin")
