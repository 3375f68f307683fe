"""OTLP over HTTP: encodings, answers, keys, bounds, and what reaches the topic."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import requests
from google.rpc.error_details_pb2 import BadRequest  # type: ignore[import-untyped]  # stubs without py.typed
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # stubs without py.typed
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from runledger.producers.gateway.body import MAX_BATCH_BYTES
from runledger.producers.otlp.spans import MAX_SPANS
from runledger.schemas.run_events import AnyRunEvent, RunEnded, RunStarted
from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.events import read_run_events
from tests.integration.producers.gateway.serving import serving
from tests.unit.producers.otlp.requests import ROOT, Document, as_json, as_protobuf, raw_span, request

pytestmark = pytest.mark.integration
JSON = "application/json"
PROTOBUF = "application/x-protobuf"
AGENT = {"openinference.span.kind": "AGENT", "agent.name": "scout"}
CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 7}
TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "a1B2c3"


class Exporter:
    """Send spans as an exporter does."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = f"{url}/v1/traces"
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    def send(self, body: bytes, media_type: str = JSON, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = self._headers | {"Content-Type": media_type} | named
        return requests.post(self._url, data=body, headers=sent, timeout=30)


@pytest.fixture
def acme(url: str, keys: dict[str, str]) -> Exporter:
    """An exporter with the key of project acme."""
    return Exporter(url, keys["acme"])


@pytest.fixture
def trace_id() -> str:
    """A trace of the test's own."""
    return uuid4().hex


def a_run(trace_id: str, *more: Document) -> Document:
    return request(
        raw_span(CALL, trace_id=trace_id), *more, raw_span(AGENT, trace_id=trace_id, span_id=ROOT, parent=None)
    )


def told(settings: ConnectionSettings, trace_id: str) -> list[AnyRunEvent]:
    return [event for event in read_run_events(settings) if event.run_id == UUID(trace_id)]


@pytest.mark.parametrize("media_type", [JSON, PROTOBUF], ids=["json", "protobuf"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_spans_become_events_in_either_encoding(
    acme: Exporter, settings: ConnectionSettings, trace_id: str, media_type: str, coding: str
) -> None:
    body = as_json(a_run(trace_id)) if media_type == JSON else as_protobuf(a_run(trace_id))
    packed = gzip.compress(body) if coding == "gzip" else body
    answer = acme.send(packed, media_type, Content_Encoding=coding)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
    assert answer.content == (b"{}" if media_type == JSON else b"")
    events = told(settings, trace_id)
    assert sorted(event.type.split(".")[1] for event in events) == ["run", "run", "usage"]
    assert {event.project_key for event in events} == {"acme"}
    assert {event.agent_id for event in events if isinstance(event, RunStarted | RunEnded)} == {"scout"}


def test_media_types_are_read_without_regard_to_case_or_parameters(acme: Exporter) -> None:
    for media_type in ("Application/X-Protobuf", "application/x-protobuf; charset=binary"):
        answer = acme.send(as_protobuf(request()), media_type)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, PROTOBUF)
    assert acme.send(b"{}", "Application/JSON; charset=utf-8").headers["Content-Type"] == JSON


def test_no_attribute_chooses_another_project(acme: Exporter, settings: ConnectionSettings, trace_id: str) -> None:
    names = ("project", "project_key", "runledger.project", "runledger.project_key", "openinference.project.name")
    others = dict.fromkeys(names, "default")
    document = request(
        raw_span({**CALL, **others}, trace_id=trace_id),
        raw_span({**AGENT, **others}, trace_id=trace_id, span_id=ROOT, parent=None),
        resource={"service.name": "sage", **others},
    )
    assert acme.send(as_json(document), X_Project="default", Openinference_Project_Name="default").status_code == 200
    assert {event.project_key for event in told(settings, trace_id)} == {"acme"}


def test_an_empty_request_is_a_success(acme: Exporter) -> None:
    assert acme.send(b"{}").content == b"{}"
    assert acme.send(b"", PROTOBUF).status_code == 200


def test_spans_sent_again_have_the_same_ids(acme: Exporter, settings: ConnectionSettings, trace_id: str) -> None:
    for _ in range(2):
        assert acme.send(as_json(a_run(trace_id))).status_code == 200
    events = told(settings, trace_id)
    assert (len(events), len({event.event_id for event in events})) == (6, 3)


def test_a_trusted_listener_needs_no_key(url: str, settings: ConnectionSettings, trace_id: str) -> None:
    assert Exporter(url, None).send(as_json(a_run(trace_id))).status_code == 200
    assert {event.project_key for event in told(settings, trace_id)} == {"default"}


def test_spans_that_cannot_be_taken_are_counted_and_the_others_delivered(
    acme: Exporter, settings: ConnectionSettings, trace_id: str
) -> None:
    document = a_run(trace_id, raw_span(CALL, span_id="00" * 8), raw_span({"db.system": "postgresql"}))
    answer = acme.send(as_json(document))
    assert answer.status_code == 200
    partial = answer.json()["partialSuccess"]
    assert partial["rejectedSpans"] == "1"
    assert "span id" in partial["errorMessage"]
    assert len(told(settings, trace_id)) == 3


def test_spans_beyond_the_bound_are_refused(acme: Exporter) -> None:
    document = request(*[raw_span({"db.system": "x"})] * (MAX_SPANS + 2))
    answer = ExportTraceServiceResponse.FromString(acme.send(as_protobuf(document), PROTOBUF).content)
    assert answer.partial_success.rejected_spans == 2
    assert "smaller batches" in answer.partial_success.error_message


def test_a_body_that_cannot_be_decoded_is_bad_data(acme: Exporter) -> None:
    answer = acme.send(b"no protobuf", PROTOBUF)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, PROTOBUF)
    status = Status.FromString(answer.content)
    detail = BadRequest()
    assert status.details[0].Unpack(detail)
    assert (status.code, detail.field_violations[0].field) == (3, "body")
    as_text = acme.send(b"no JSON")
    assert (as_text.status_code, as_text.headers["Content-Type"], as_text.json()["code"]) == (400, JSON, 3)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer rl.wrong"}, 401, 16),
        ({"Authorization": "Basic eDp5"}, 401, 16),
        ({"Content_Encoding": "br"}, 415, 3),
        ({"Content_Encoding": "gzip"}, 400, 3),
    ],
    ids=["wrong key", "no bearer", "coding", "no gzip"],
)
def test_a_refusal_is_a_status_in_the_request_s_encoding(
    acme: Exporter, headers: dict[str, str], status: int, code: int
) -> None:
    answer = acme.send(as_protobuf(request()) + b" ", PROTOBUF, **headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROTOBUF)
    assert Status.FromString(answer.content).code == code
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_a_key_that_may_not_emit_is_refused(url: str, keys: dict[str, str]) -> None:
    assert Exporter(url, keys["reader"]).send(b"{}").status_code == 403


def test_a_web_page_needs_a_key(url: str, acme: Exporter) -> None:
    assert Exporter(url, None).send(b"{}", Origin="https://example.com").status_code == 403
    assert acme.send(b"{}", Origin="https://example.com").status_code == 200


def test_another_media_type_is_refused(acme: Exporter) -> None:
    answer = acme.send(b"{}", "text/plain")
    assert (answer.status_code, answer.json()["message"]) == (
        415,
        "Content-Type must be application/x-protobuf or application/json",
    )


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_body_that_takes_too_much_is_refused(acme: Exporter, packed: bool) -> None:
    body = b" " * (MAX_BATCH_BYTES + 1)
    answer = acme.send(gzip.compress(body) if packed else body, Content_Encoding="gzip" if packed else "identity")
    assert (answer.status_code, answer.json()["code"]) == (413, 8)


def test_no_secret_reaches_the_topic(acme: Exporter, settings: ConnectionSettings, trace_id: str) -> None:
    cut = "word " * 396 + TOKEN + " and more " * 100
    exception = {
        "exception.type": "ValueError",
        "exception.message": f"bad token {TOKEN}",
        "exception.stacktrace": f"Traceback\nValueError: bad token {TOKEN}",
    }
    document = request(
        raw_span({**CALL, "input.value": f"use {TOKEN} please"}, trace_id=trace_id, span_id="01" * 8),
        raw_span({**CALL, "input.value": cut}, trace_id=trace_id, span_id="02" * 8),
        raw_span(
            {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": f'{{"token": "{TOKEN}"}}'},
            trace_id=trace_id,
            span_id="03" * 8,
        ),
        raw_span(
            {**AGENT, "output.value": TOKEN, "session.id": f"session {TOKEN}"},
            trace_id=trace_id,
            span_id=ROOT,
            parent=None,
            events=[("exception", exception)],
            status={"code": 2, "message": TOKEN},
            name=f"run {TOKEN}",
        ),
    )
    assert acme.send(as_json(document)).status_code == 200
    events = told(settings, trace_id)
    assert len(events) == 6
    for event in events:
        document_text = event.model_dump_json()
        assert "ghp_" not in document_text, event.type
        assert "[masked:" in document_text or "…" in document_text, event.type


@pytest.fixture(scope="module")
def largest() -> bytes:
    """A request of nearly eight mebibytes, of steps with long texts."""
    attributes = {**CALL, "input.value": "The quick brown fox. " * 180}
    return as_protobuf(request(*[raw_span(attributes, span_id=f"{n + 1:016x}") for n in range(2050)]))


def test_the_largest_request_holds_up_nobody_else(acme: Exporter, url: str, largest: bytes) -> None:
    assert MAX_BATCH_BYTES * 0.9 < len(largest) <= MAX_BATCH_BYTES
    statuses: list[int] = []
    sending = threading.Thread(target=lambda: statuses.append(acme.send(largest, PROTOBUF).status_code))
    sending.start()
    waits, first = [], time.monotonic()
    while sending.is_alive():
        began = time.monotonic()
        assert requests.get(f"{url}/healthz", timeout=10).ok
        waits.append(time.monotonic() - began)
    took = time.monotonic() - first
    assert statuses == [200]
    assert max(waits) < took / 2


@pytest.fixture(scope="module")
def without_broker(settings: ConnectionSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway whose broker is away."""
    away = settings.model_copy(update={"kafka": "127.0.0.1:1"})
    log = tmp_path_factory.mktemp("away") / "log"
    with serving(away, log, path="/healthz", RUNLEDGER_FLUSH_TIMEOUT_SECONDS="0") as url:
        yield url


@pytest.mark.parametrize("media_type", [JSON, PROTOBUF], ids=["json", "protobuf"])
def test_while_the_broker_is_away_it_is_to_be_sent_again(
    without_broker: str, keys: dict[str, str], trace_id: str, media_type: str
) -> None:
    body = as_json(a_run(trace_id)) if media_type == JSON else as_protobuf(a_run(trace_id))
    began = time.monotonic()
    answer = Exporter(without_broker, keys["acme"]).send(body, media_type)
    assert time.monotonic() - began < 8
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, media_type)
    assert int(answer.headers["Retry-After"]) >= 1
    code = answer.json()["code"] if media_type == JSON else Status.FromString(answer.content).code
    assert code == 14


def test_what_is_ignored_is_a_success_without_the_broker(without_broker: str, keys: dict[str, str]) -> None:
    answer = Exporter(without_broker, keys["acme"]).send(as_json(request(raw_span({"db.system": "x"}))))
    assert answer.status_code == 200


def test_what_is_refused_is_logged_without_its_texts(acme: Exporter, log: Path) -> None:
    acme.send(as_json(request(raw_span({"x": "payload"}, name="private", span_id="00" * 8))))
    lines = [line for line in log.read_text().splitlines() if "spans_refused" in line]
    assert lines
    assert "private" not in "".join(lines)
