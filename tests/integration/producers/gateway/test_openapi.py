"""Both OpenAPI documents say the truth: schemathesis sends what they allow and what they forbid."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from runledger.producers.gateway.app import create_app
from runledger.producers.gateway.documents import openapi_of
from runledger.producers.gateway.settings import GatewaySettings
from runledger.schemas.values import MAX_UINT64, MIN_INT64

pytestmark = [pytest.mark.integration, pytest.mark.slow]
REJECTING = [207, 400, 401, 403, 404, 405, 408, 413, 415, 422]
"""Of a batch, the invalid event is refused in its own result (207)."""
PROTOBUF = "application/x-protobuf"
CONFIG = {
    "generation": {"deterministic": True},
    "checks": {"negative_data_rejection": {"expected-statuses": REJECTING}},
}
app = create_app(GatewaySettings())
api = schemathesis.openapi.from_dict(app.openapi(), config=schemathesis.Config.from_dict(CONFIG))
internal_api = schemathesis.openapi.from_dict(
    openapi_of(app, internal=True)(), config=schemathesis.Config.from_dict(CONFIG)
)
bounded = hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def protobuf_of(trace_id: bytes, span_id: bytes, name: str, nanoseconds: int) -> bytes:
    """Write a request of one span."""
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        name=name,
        start_time_unix_nano=nanoseconds,
        end_time_unix_nano=nanoseconds,
    )
    resource_spans = ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])
    return ExportTraceServiceRequest(resource_spans=[resource_spans]).SerializeToString()


ids, names, times = st.binary(max_size=16), st.text(max_size=20), st.integers(0, 2**63)
schemathesis.openapi.media_type(PROTOBUF, st.builds(protobuf_of, ids, ids, names, times))


@schemathesis.serializer(PROTOBUF)
def as_protobuf(_context: object, value: object) -> bytes:
    """Send what was made as bytes as it is, and anything else as what no protobuf message begins with."""
    return value if isinstance(value, bytes) else b"\xff" + repr(value).encode()


@internal_api.parametrize()
@bounded
def test_every_answer_to_a_caller_without_a_key_is_one_that_the_internal_document_names(
    case: schemathesis.Case[Any], url: str
) -> None:
    """The listener is trusted; a wrong key is wrong all the same."""
    if not has_wide_integer(case.body):
        case.call_and_validate(base_url=url)


def test_the_documents_share_no_path(url: str) -> None:
    internal = requests.get(f"{url}/internal/openapi.json", timeout=10).json()
    public = requests.get(f"{url}/openapi.json", timeout=10).json()
    assert list(internal["paths"]) == ["/api/v1/internal/agent-run-log"]
    assert not internal["paths"].keys() & public["paths"].keys()


@api.parametrize()
@bounded
def test_every_answer_is_one_that_the_document_names(
    case: schemathesis.Case[Any], url: str, keys: dict[str, str]
) -> None:
    """All of schemathesis's checks, on valid and on invalid requests of every route."""
    if not has_wide_integer(case.body):
        case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {keys['acme']}"})


def has_wide_integer(value: object) -> bool:
    """Find what is refused and a JSON schema cannot forbid: 1e30 is a number that is fine, 10**30 is not."""
    match value:
        case int():
            return not MIN_INT64 <= value <= MAX_UINT64
        case dict():
            return any(map(has_wide_integer, value.values()))
        case list():
            return any(map(has_wide_integer, value))
        case _:
            return False
