"""Answers to OTLP: the same in both encodings."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc.error_details_pb2 import BadRequest  # type: ignore[import-untyped]  # stubs without py.typed
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # stubs without py.typed
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from runledger.access.http.errors import HttpError, retry_later
from runledger.producers.gateway.span_answers import JSON, PROTOBUF, failed, taken

REFUSED = Counter({"a span id is wrong": 2, "too many": 5})


def test_a_whole_success_says_nothing() -> None:
    assert taken(JSON, Counter()).body == b"{}"
    assert taken(PROTOBUF, Counter()).body == b""


def test_a_partial_success_says_how_many_and_why() -> None:
    answer = ExportTraceServiceResponse.FromString(bytes(taken(PROTOBUF, REFUSED).body))
    assert answer.partial_success.rejected_spans == 7
    assert answer.partial_success.error_message == "5: too many; 2: a span id is wrong"
    assert orjson.loads(bytes(taken(JSON, REFUSED).body)) == MessageToDict(answer)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HttpError(400, "bad_body", "not JSON", "body"), 3),
        (HttpError(401, "bad_key", "no key"), 16),
        (HttpError(403, "forbidden", "not yours"), 7),
        (HttpError(413, "too_large", "much"), 8),
        (retry_later("outcome_unknown", "later"), 14),
        (HttpError(418, "invalid", "a teapot"), 2),
    ],
    ids=range(6),
)
def test_a_failure_is_a_status(error: HttpError, code: int) -> None:
    answer = failed(PROTOBUF, error)
    status = Status.FromString(bytes(answer.body))
    assert (answer.status_code, status.code, status.message) == (error.status, code, error.message)
    assert orjson.loads(bytes(failed(JSON, error).body)) == MessageToDict(status)
    assert answer.headers.get("retry-after") == error.headers.get("Retry-After")


def test_bad_data_names_the_field() -> None:
    status = Status.FromString(bytes(failed(PROTOBUF, HttpError(400, "bad_body", "not JSON", "body")).body))
    detail = BadRequest()
    assert status.details[0].Unpack(detail)
    assert detail.field_violations[0].description == "not JSON"
