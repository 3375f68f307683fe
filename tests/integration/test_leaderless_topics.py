"""Partitions without a leader, as for a moment after a topic was created: workers wait, and go on by themselves."""

from __future__ import annotations

from pathlib import Path
from signal import Signals

import psycopg
import pytest

from runledger.producers.client import RunClient
from runledger.producers.settings import ProducerSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from tests.e2e.pipeline import Pipeline, pipeline, wait_for
from tests.two_brokers import TwoBrokers, two_brokers

pytestmark = [pytest.mark.integration, pytest.mark.slow]

RUNS = 5


def has_met_it(running: Pipeline) -> bool:
    """Whether processor and sink have partitions that nobody leads."""
    return bool(running.lines("assigned")) and len(running.lines("broker_away")) > 1


def written(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM agent_run_log").fetchone()
    assert row is not None
    return int(row[0])


def lead(brokers: TwoBrokers, settings: ConnectionSettings, leader: int) -> None:
    wait_for(f"{leader} to lead", lambda: brokers.leaders(settings) == {leader}, 60)


@pytest.mark.timeout(400)
def test_processor_and_sink_wait_for_leaders_and_go_on(database: str, tmp_path: Path) -> None:
    migrate(database)
    with two_brokers() as brokers:
        settings = ConnectionSettings(kafka=brokers.first.address, postgres=database)
        brokers.make_topics(settings)
        brokers.second.stop(Signals.SIGKILL)
        lead(brokers, settings, -1)
        with pipeline(settings, tmp_path, ("processor", "sink")) as running:
            wait_for("both to meet it", lambda: has_met_it(running), 120)
            brokers.second.start()
            lead(brokers, settings, 2)
            with RunClient(settings=ProducerSettings(kafka=settings.kafka), strict=True) as client:
                for number in range(RUNS):
                    client.log_run("sage", "success", {"summary": f"run {number}"})
                client.flush(30)
            wait_for("the rows", lambda: written(database) == RUNS, 120)
            assert [worker.exits for worker in running.workers] == [[], []]
