from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from runledger.access.http.measuring import UNMATCHED, Measured
from runledger.vitals import Keeper, VitalsSettings, kept_by

RUN = "0199e0a4-5b0e-7c3a-9f57-2b1f6f1d2c3d"
router = APIRouter(prefix="/api/v1")


@router.get("/runs/{run_id}/usage")
def usage(run_id: str) -> str:
    return run_id


@router.get("/broken")
def broken() -> None:
    raise RuntimeError("a defect")


async def quick(request: Request, go_on: RequestResponseEndpoint) -> Response:
    """Answer one path past the router, as the gateway does."""
    return Response(status_code=201) if request.headers.get("quick") else await go_on(request)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper("gateway", VitalsSettings(metrics_port=None))
    with kept_by(keeper):
        yield keeper


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(router)
    app.add_middleware(BaseHTTPMiddleware, dispatch=quick)
    return TestClient(Measured(app, app.routes), raise_server_exceptions=False)


def counted(keeper: Keeper) -> dict[tuple[str, str], float]:
    """{(route, status): requests}."""
    families = text_string_to_metric_families(keeper.meters.exposition().decode())
    samples = next(family.samples for family in families if family.name == "runledger_http_requests")
    return {(it.labels["route"], it.labels["status"]): it.value for it in samples}


def test_a_request_is_counted_by_the_template_of_its_route(keeper: Keeper, client: TestClient) -> None:
    for run in ("a", "b", RUN):
        assert client.get(f"/api/v1/runs/{run}/usage").status_code == 200
    assert counted(keeper) == {("/api/v1/runs/{run_id}/usage", "200"): 3}


def test_a_request_past_the_router_is_counted_by_the_same_template(keeper: Keeper, client: TestClient) -> None:
    client.get(f"/api/v1/runs/{RUN}/usage", headers={"quick": "1"})
    assert counted(keeper) == {("/api/v1/runs/{run_id}/usage", "201"): 1}


def test_no_path_of_a_client_becomes_a_label(keeper: Keeper, client: TestClient) -> None:
    for path in ("/etc/passwd", f"/{RUN}", "/api/v1/runs/a/usage/more"):
        client.get(path)
        client.get(path, headers={"quick": "1"})
    assert {route for route, _ in counted(keeper)} == {UNMATCHED}


def test_a_defect_is_counted_as_500(keeper: Keeper, client: TestClient) -> None:
    client.get("/api/v1/broken")
    assert counted(keeper) == {("/api/v1/broken", "500"): 1}
