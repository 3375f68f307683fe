from __future__ import annotations

from typing import Any

import pytest

from runledger.producers.gateway import routes
from runledger.producers.gateway.quick_routes import call_of

RUN = "0199f0c2-7f3a-7cc1-8d3b-0a5c1f2e3d4c"


def scope(path: str, *keys: bytes, method: str = "POST") -> dict[str, Any]:
    headers = [(b"host", b"x"), *((b"idempotency-key", key) for key in keys)]
    return {"type": "http", "method": method, "path": path, "headers": headers}


@pytest.mark.parametrize(
    ("path", "telling"),
    [
        ("runs", routes.STARTS),
        (f"runs/{RUN}/usage", routes.REPORTS_USAGE),
        (f"runs/{RUN}/heartbeat", routes.LIVES),
        (f"runs/{RUN}/end", routes.ENDS),
        ("failures", routes.FAILS),
        ("records", routes.RECORDS),
        ("internal/agent-run-log", routes.LOGS),
    ],
)
def test_a_usual_call_is_recognised(path: str, telling: object) -> None:
    call = call_of(scope(f"/api/v1/{path}", b"k-1"))
    assert call is not None
    assert (call.telling, call.route, call.idempotency_key) == (telling, path, "k-1")
    assert call.named == ({"run_id": RUN} if RUN in path else {})


def test_a_call_may_be_without_a_key() -> None:
    call = call_of(scope("/api/v1/runs"))
    assert call is not None
    assert call.idempotency_key is None


@pytest.mark.parametrize(
    "unusual",
    [
        {"type": "lifespan"},
        scope("/api/v1/runs", method="GET"),
        scope("/api/v1/runs/"),
        scope("/api/v2/runs"),
        scope("/api/v1/events"),
        scope(f"/api/v1/runs/{RUN.upper()}/usage"),
        scope(f"/api/v1/runs/{RUN.replace('-', '')}/usage"),
        scope(f"/api/v1/runs/{RUN}\n/usage"),
        scope(f"/api/v1/runs/{RUN}/usage\n"),
        scope(f"/api/v1/runs/{RUN}/other"),
        scope(f"/api/v1/failures/{'0' * 64}/resolve"),
        scope("/api/v1/runs", b"a", b"a"),
        scope("/api/v1/runs", b""),
        scope("/api/v1/runs", b"a b"),
        scope("/api/v1/runs", b"\xe9"),
        scope("/api/v1/runs", b"x" * 256),
    ],
)
def test_an_unusual_call_is_left_to_the_routes(unusual: dict[str, Any]) -> None:
    assert call_of(unusual) is None
