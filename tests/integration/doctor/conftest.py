"""Set-ups for the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runledger.doctor.seeing import broker
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from tests.e2e.pipeline import pipeline, wait_for
from tests.integration.doctor.setup import Setup

_SECONDS = 60


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter time between two looks at what moves."""
    monkeypatch.setattr(broker, "_PAUSE_SECONDS", 0.2)


@pytest.fixture
def bare(servers: tuple[str, str], tmp_path: Path) -> Setup:
    """Servers, without any topic or table of ours."""
    connection = ConnectionSettings(kafka=servers[0], postgres=servers[1], topic_prefix="doctor-none.")
    return Setup(connection, {"RUNLEDGER_DATA_DIR": str(tmp_path / "no-stack")})


@pytest.fixture
def setup(topics: ConnectionSettings, database: str, tmp_path: Path) -> Setup:
    """Topics and tables, and no worker."""
    migrate(database)
    connection = topics.model_copy(update={"postgres": database})
    return Setup(connection, {"RUNLEDGER_DATA_DIR": str(tmp_path / "no-stack")})


@pytest.fixture
def running(setup: Setup, tmp_path: Path) -> Iterator[Setup]:
    """The same with every worker, and a watermark."""
    logs = tmp_path / "logs"
    logs.mkdir()
    with pipeline(setup.connection, logs, ("processor", "sink", "relay", "scorer", "watch")):
        wait_for("a watermark", lambda: setup.sql("SELECT count(*) FROM pipeline_span") == [(1,)], _SECONDS)
        yield setup
