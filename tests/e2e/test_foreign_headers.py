"""Whoever may write to the log can name a header with bytes that are no text: nobody stops, and the record counts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import psutil
import psycopg
import pytest

from runledger import subscribe
from runledger.schemas.codec import encode_event
from runledger.schemas.identifiers import new_run_id, run_key
from runledger.schemas.run_events import LoggedData, RunLogged
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS
from runledger.sinks.migrate import migrate
from tests.e2e.command import runledger
from tests.e2e.pipeline import pipeline, wait_for
from tests.raw_records import produce_raw

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

NAMES = [b"\xff\xfe\x80", b"\xed\xa0\x80", b"a\x00b"]
DEADLINE_SECONDS = 90


def test_header_names_that_are_no_text_stop_nobody(topics: ConnectionSettings, database: str, tmp_path: Path) -> None:
    settings = topics.model_copy(update={"postgres": database})
    migrate(database)
    topic = RUN_EVENTS.name(settings.topic_prefix)
    for number, name in enumerate(NAMES):
        data = LoggedData(status="success", actions_taken={"done": number})
        event = RunLogged(
            event_id=f"e-{number}",
            project_key="default",
            run_id=new_run_id(),
            agent_id="sage",
            occurred_at=datetime.now(UTC),
            data=data,
        )
        key = run_key(event.project_key, event.run_id)
        produce_raw(
            settings.kafka, topic, key, encode_event(event), [(name, b"\xff"), (b"ce_id", event.event_id.encode())]
        )
        produce_raw(settings.kafka, topic, key, b"{", [(name, None)])
    with pipeline(settings, tmp_path, ("processor", "sink")) as running, psycopg.connect(database) as connection:
        connection.autocommit = True

        def logged() -> int:
            row = connection.execute("SELECT count(*) FROM agent_run_log").fetchone()
            return 0 if row is None else int(row[0])

        wait_for("the runs", lambda: logged() == len(NAMES), DEADLINE_SECONDS)
        refused = orjson.loads(runledger(settings, "dlq", "list", "--json").stdout)
        assert len(refused["letters"]) == len(NAMES)
        assert [worker.exits for worker in running.workers] == [[], []]
        listening = [
            one
            for worker in running.workers
            for one in psutil.Process(worker.pid).net_connections()
            if one.status == psutil.CONN_LISTEN
        ]
        assert not listening  # no port was set for metrics, and Faust's web server is off
    with subscribe("run-log", settings=settings, stop_at_end=True) as told:
        assert len(list(told)) == len(NAMES)
    with subscribe("run-events", settings=settings, stop_at_end=True) as events:
        assert len(list(events)) == len(NAMES)
