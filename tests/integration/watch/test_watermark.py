"""The watermark over the real pipeline: what it says stands in the tables does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import orjson
import psycopg
import pytest

from runledger.producers.client import RunClient
from runledger.producers.settings import ProducerSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from tests.e2e.pipeline import Pipeline, pipeline, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAUSE_SECONDS = 8.0
DEADLINE_SECONDS = 60
LONGER_THAN_ANY_START_SECONDS = 600.0


@pytest.fixture
def running(topics: ConnectionSettings, database: str, tmp_path: Path) -> Iterator[Pipeline]:
    """A processor, a sink and a watch that looks often and takes eight seconds for a pause."""
    migrate(database)
    settings = topics.model_copy(update={"postgres": database})
    environment = {
        "RUNLEDGER_PROBE_SECONDS": "0.2",
        "RUNLEDGER_PAUSE_SECONDS": str(PAUSE_SECONDS),
        "RUNLEDGER_LOG_LEVEL": "DEBUG",
    }
    with pipeline(settings, tmp_path, ("processor", "sink", "watch"), **environment) as running:
        yield running


@pytest.fixture
def connection(running: Pipeline) -> Iterator[psycopg.Connection]:
    with psycopg.connect(running.settings.postgres, autocommit=True) as connection:
        yield connection


@pytest.fixture
def client(running: Pipeline) -> Iterator[RunClient]:
    with RunClient(strict=True, settings=ProducerSettings(**running.settings.model_dump())) as client:
        yield client


def now(connection: psycopg.Connection) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


def spans(connection: psycopg.Connection) -> list[tuple[datetime, datetime]]:
    return connection.execute("SELECT began_at, reached_at FROM pipeline_span ORDER BY began_at").fetchall()


def has_reached(connection: psycopg.Connection, moment: datetime) -> bool:
    return any(reached >= moment for _, reached in spans(connection))


def log_runs(client: RunClient, count: int, agent: str) -> None:
    for number in range(count):
        client.log_run(agent, "success", {"summary": f"did {number}"})
    client.flush(20)


def probe_seconds(folder: Path) -> list[float]:
    lines = (folder / "watch-1.log").read_bytes().splitlines()
    documents = [orjson.loads(line) for line in lines if b"probe_came_through" in line]
    return sorted(document["seconds"] for document in documents)


def test_all_that_was_logged_by_the_watermark_stands_in_the_tables(
    running: Pipeline,
    connection: psycopg.Connection,
    client: RunClient,
    record_property: Callable[[str, object], None],
    tmp_path: Path,
) -> None:
    wait_for("a first span", lambda: bool(spans(connection)), DEADLINE_SECONDS)
    logged, lags = 0, []
    for burst in (1, 3, 500, 1, 2000, 7):
        log_runs(client, burst, f"agent-{burst % 5}")
        logged += burst
        moment = now(connection)
        began = time.monotonic()
        while True:
            # One statement, one snapshot: the watermark as it stands beside the rows.
            row = connection.execute(
                "SELECT (SELECT max(reached_at) FROM pipeline_span), (SELECT count(*) FROM agent_run_log), "
                "(SELECT count(*) FROM agent_run), (SELECT sum(finished_runs) FROM agent_health)"
            ).fetchone()
            assert row is not None
            if row[0] >= moment:
                assert row[1:] == (logged, logged, logged)
                break
            assert time.monotonic() - began < DEADLINE_SECONDS
        lags.append(time.monotonic() - began)
    worked = probe_seconds(tmp_path)
    idle_from = len((tmp_path / "watch-1.log").read_bytes().splitlines())
    wait_for("idle probes", lambda: len(probe_seconds(tmp_path)) > len(worked) + 10, DEADLINE_SECONDS)
    lines = (tmp_path / "watch-1.log").read_bytes().splitlines()[idle_from:]
    idle = sorted(orjson.loads(line)["seconds"] for line in lines if b"probe_came_through" in line)
    record_property(
        "report",
        f"probes idle median {idle[len(idle) // 2]:.3f} s, max {idle[-1]:.3f} s; with bursts max {worked[-1]:.3f} s; "
        f"seconds from acknowledged to reached: {[round(lag, 2) for lag in lags]}",
    )


@pytest.mark.parametrize("name", ["processor", "sink"])
def test_the_watermark_stands_still_while_a_part_is_down_and_the_time_is_nobodys(
    running: Pipeline, connection: psycopg.Connection, client: RunClient, name: str
) -> None:
    log_runs(client, 3, "sage")
    before = now(connection)
    wait_for("the watermark", partial(has_reached, connection, before), DEADLINE_SECONDS)
    running.workers.pop(0 if name == "processor" else 1).stop()
    log_runs(client, 1, "sage")
    unseen = now(connection)
    wait_for(
        "more than the pause", lambda: (now(connection) - unseen).total_seconds() > PAUSE_SECONDS + 1, DEADLINE_SECONDS
    )
    assert not has_reached(connection, unseen)
    held = spans(connection)
    resumed = now(connection)
    running.start(name)
    wait_for("the watermark again", partial(has_reached, connection, resumed), DEADLINE_SECONDS)
    after = spans(connection)
    assert len(after) == len(held) + 1
    # One probe was under way, asked just after the record that nobody read: it came through at last, and says no more.
    assert after[-2][1] - unseen < timedelta(seconds=1)
    assert after[-1][0] > unseen
    assert (after[-1][0] - after[-2][1]).total_seconds() > PAUSE_SECONDS


def test_nobody_writing_is_no_pause_and_two_watches_keep_one_span(
    running: Pipeline, connection: psycopg.Connection, client: RunClient
) -> None:
    running.start("watch")
    log_runs(client, 1, "sage")
    reached = now(connection)
    wait_for("the watermark", partial(has_reached, connection, reached), DEADLINE_SECONDS)
    began = spans(connection)[-1][0]
    wait_for(
        "a quiet time",
        lambda: (spans(connection)[-1][1] - reached).total_seconds() > PAUSE_SECONDS + 1,
        DEADLINE_SECONDS,
    )
    assert spans(connection)[-1][0] == began
    running.workers[-1].stop()
    beyond = now(connection)
    wait_for("the other watch", partial(has_reached, connection, beyond), DEADLINE_SECONDS)
    assert spans(connection)[-1][0] == began


def test_a_watch_that_was_away_for_long_begins_a_new_span_and_one_that_was_not_goes_on(
    running: Pipeline, connection: psycopg.Connection, client: RunClient
) -> None:
    log_runs(client, 1, "sage")
    wait_for("the watermark", partial(has_reached, connection, now(connection)), DEADLINE_SECONDS)
    held = spans(connection)
    assert running.workers.pop().stop() == 0
    stopped = now(connection)
    running.start("watch", {"RUNLEDGER_PAUSE_SECONDS": str(LONGER_THAN_ANY_START_SECONDS)})
    wait_for("the watermark", partial(has_reached, connection, stopped), DEADLINE_SECONDS)
    assert [began for began, _ in spans(connection)] == [began for began, _ in held]
    assert running.workers.pop().stop() == 0
    stopped = now(connection)
    wait_for("the pause", lambda: (now(connection) - stopped).total_seconds() > PAUSE_SECONDS + 1, DEADLINE_SECONDS)
    running.start("watch")
    wait_for("the watermark", partial(has_reached, connection, stopped), DEADLINE_SECONDS)
    after = spans(connection)
    assert len(after) == len(held) + 1
    assert after[-2][1] < stopped < after[-1][0]
