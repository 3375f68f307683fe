"""What readers are told while the database is away, hangs, or was not migrated."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.analytics.http.serving import Asker, serving

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=["refusing", "hanging"])
def away(request: pytest.FixtureRequest) -> Iterator[str]:
    """URI of a database that does not answer."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        if request.param == "hanging":
            bound.listen()
        yield f"postgresql://postgres@127.0.0.1:{bound.getsockname()[1]}/postgres"


def timed(asker: Asker, route: str) -> tuple[int, str, str, float]:
    began = time.monotonic()
    answer = asker.ask(route)
    seconds = time.monotonic() - began
    return answer.status_code, answer.json()["error"]["code"], answer.headers["Retry-After"], seconds


def test_a_reader_is_told_within_seven_seconds_that_the_tables_are_away(
    uri: str, away: str, keys: dict[str, str], tmp_path: Path
) -> None:
    """The keys are looked up elsewhere."""
    with (
        serving(uri, tmp_path / "log", path="/healthz", RUNLEDGER_POSTGRES_READ=away) as url,
        Asker(url, keys["acme"]) as acme,
        Asker(url, None) as nobody,
    ):
        told = [timed(acme, "runs"), timed(acme, "audit"), timed(nobody, "public/platform/intelligence")]
        assert nobody.get("/readyz").status_code == 503
        assert nobody.get("/healthz").status_code == 200
    for status, code, retry_after, seconds in told:
        assert (status, code, retry_after) == (503, "ledger_unavailable", "1")
        assert seconds < 7


def test_a_reader_is_told_soon_that_the_keys_are_away(away: str, keys: dict[str, str], tmp_path: Path) -> None:
    with serving(away, tmp_path / "log", path="/healthz") as url, Asker(url, keys["acme"]) as acme:
        status, code, retry_after, seconds = timed(acme, "runs")
    assert (status, code, retry_after) == (503, "keys_unavailable", "1")
    assert seconds < 2.5


def test_a_database_without_tables_is_no_defect(database: str, tmp_path: Path) -> None:
    with serving(database, tmp_path / "log", path="/healthz") as url, Asker(url, None) as nobody:
        assert nobody.refused("public/platform/intelligence") == (503, "ledger_unavailable", None)
        assert nobody.get("/readyz").status_code == 503
