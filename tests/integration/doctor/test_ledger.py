"""Workers that do not run or do not go on, and what waits for them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import orjson
import psycopg
import pytest

from runledger.access.projects import create_key, create_project
from runledger.schemas.dead_letters import DeadLetter
from runledger.schemas.topics import DEAD_LETTERS, RUN_EVENTS
from tests.e2e.pipeline import pipeline, wait_for
from tests.integration.doctor.setup import Setup

pytestmark = pytest.mark.integration

_OLD = (
    "INSERT INTO scoring_outbox (job_id, row_id, key, payload, created_at) "
    "VALUES (%(id)s, %(id)s, 'k', '{}', now() - interval '1 hour')"
)


def test_workers_that_do_not_run_are_told_and_started(setup: Setup, tmp_path: Path) -> None:
    report = setup.doctor()
    for worker in ("processor", "sink", "scorer"):
        found = report.of(worker)
        assert found["verdict"] == "problem"
        assert found["command"] == f"runledger worker {worker}"
    found = report.of("watermark")
    assert found["command"] == "runledger worker watch"
    commands = [report.of(check)["command"].split()[-1] for check in ("processor", "sink", "scorer", "watermark")]
    with pipeline(setup.connection, tmp_path, tuple(commands)):
        wait_for("the doctor to be content", lambda: content(setup, "processor", "sink", "scorer", "watermark"), 90)


def content(setup: Setup, *checks: str) -> bool:
    report = setup.doctor()
    return all(report.of(check)["verdict"] == "ok" for check in checks)


@pytest.mark.slow
def test_a_sink_that_does_not_go_on_is_told(setup: Setup, tmp_path: Path) -> None:
    with pipeline(setup.connection, tmp_path, ("sink",)) as running:
        wait_for("the sink", lambda: content(setup, "sink"), 60)
        running.workers[0].signal(signal.SIGSTOP)
        setup.produce(RUN_EVENTS, b"{no")
        wait_for("it to wait", lambda: setup.doctor(patience=1).of("sink")["verdict"] == "problem", 30)
        found = setup.doctor(patience=1).of("sink")
        running.workers[0].signal(signal.SIGCONT)
        if "does not go on" in found["found"]:
            assert f"{setup.name(RUN_EVENTS)}[0]" in found["found"]
        else:  # its session is over by now
            assert "no sink runs" in found["found"]
        assert "1 record waits" in found["found"]
        wait_for("the sink to go on", lambda: content(setup, "sink"), 60)


def test_jobs_that_nobody_sends_are_told_and_sent(setup: Setup, tmp_path: Path) -> None:
    setup.sql(_OLD, {"id": "00000000-0000-0000-0000-000000000001"})
    found = setup.doctor().of("outbox")
    assert found["verdict"] == "problem"
    assert "1 scoring job not sent, the oldest for 1 h" in found["found"]
    assert found["command"] == "runledger worker relay"
    with pipeline(setup.connection, tmp_path, ("relay",)):
        wait_for("the job to be sent", lambda: content(setup, "outbox"), 60)


def test_a_watermark_that_stands_still_is_told(setup: Setup) -> None:
    setup.sql("INSERT INTO pipeline_span VALUES (now() - interval '2 h', now() - interval '1 h')")
    found = setup.doctor().of("watermark")
    assert found["verdict"] == "problem"
    assert "logged 1 h ago" in found["found"]


def test_dead_letters_are_told_and_dropped(setup: Setup) -> None:
    for number, reason in enumerate(("invalid", "invalid", "unknown_type")):
        letter = DeadLetter(reason, "no", setup.name(RUN_EVENTS), 0, number, "runs", b"k", b"{}", 1, [])  # type: ignore[arg-type]  # reasons of the list
        setup.produce(DEAD_LETTERS, letter.value or b"", headers=[*letter.headers()])
    report = setup.doctor()
    found = report.of("dead letters")
    assert found["verdict"] == "warning"
    assert "3 records refused" in found["found"]
    assert "2 invalid, 1 unknown_type" in found["found"]
    assert report.code in {3, 4}
    setup.obey(found)  # lists them
    assert setup.run("dlq", "drop", "--all", "--yes").returncode == 0
    assert setup.doctor().of("dead letters")["verdict"] == "ok"


@pytest.mark.parametrize(
    ("columns", "verdict", "said"),
    [
        ({"next_attempt_at": "-2 h"}, "problem", "1 post due, the first for 2 h"),
        (
            {"next_attempt_at": "-2 h", "given_up_at": "-1 h", "last_error": "HTTP 500"},
            "warning",
            "(the last: HTTP 500)",
        ),
    ],
    ids=["overdue", "given-up"],
)
def test_posts_that_are_not_made_are_told(columns: dict[str, str], verdict: str, said: str, setup: Setup) -> None:
    times = {name: value for name, value in columns.items() if name.endswith("_at")}
    texts = {name: value for name, value in columns.items() if name not in times}
    names = ", ".join(["incident_id", "state", "project_key", *times, *texts])
    values = ["gen_random_uuid()", "'open'", "'default'", *(f"now() + interval '{value}'" for value in times.values())]
    values += [f"'{value}'" for value in texts.values()]
    setup.sql(f"INSERT INTO webhook_delivery ({names}) VALUES ({', '.join(values)})")  # noqa: S608  # our own words
    found = setup.doctor().of("webhooks")
    assert found["verdict"] == verdict
    assert said in found["found"]


def test_a_project_that_is_not_there_is_told_and_made(setup: Setup) -> None:
    found = setup.mend("projects", "missing")
    assert found["command"] == "runledger project create missing"


def test_a_key_that_no_longer_works_is_told(setup: Setup) -> None:
    with psycopg.connect(setup.connection.postgres, autocommit=True) as connection:
        create_project(connection, "mine")
        key = create_key(connection, "mine", ["emit"])
    setup.environment |= {"RUNLEDGER_API_KEY": key.text(), "RUNLEDGER_PROJECT": "mine"}
    assert setup.doctor().of("projects")["verdict"] == "ok"
    for change, said in (
        (lambda: setup.environment.update(RUNLEDGER_PROJECT="other"), "is a key of the project mine"),
        (lambda: setup.sql("UPDATE api_key SET revoked_at = now()"), "revoked"),
        (lambda: setup.environment.update(RUNLEDGER_API_KEY="nonsense"), "form of a key"),
    ):
        change()
        report = setup.doctor()
        assert key.secret not in report.text
        assert said in report.of("projects")["found"]
        assert "runledger project" in report.of("projects")["remedy"]


_AT_ANOTHER_TIME = """
import sys, time, time_machine
from runledger.cli import run
with time_machine.travel(time.time() + float(sys.argv[1]) * 3600, tick=True):
    code = run(["doctor", "--json", "--timeout", "20"])
sys.exit(code)
"""
"""The doctor on a machine whose clock is wrong by so many hours."""


@pytest.mark.parametrize(("hours", "words"), [(-1, "ahead of"), (1, "behind")])
def test_clocks_that_differ_are_told(hours: int, words: str, setup: Setup) -> None:
    """This machine's is set wrong, and both servers' are right."""
    stopping = threading.Event()
    writer = threading.Thread(target=write_on, args=(setup, stopping))
    writer.start()
    try:
        command = [sys.executable, "-c", _AT_ANOTHER_TIME, str(hours)]
        done = subprocess.run(command, env=setup.environment, capture_output=True, timeout=60, check=False)
    finally:
        stopping.set()
        writer.join()
    findings = orjson.loads(done.stdout)["findings"]
    for check in ("broker clock", "database clock"):
        (found,) = [one for one in findings if one["check"] == check]
        assert found["verdict"] == "problem", found
        assert words in found["found"]
        assert "NTP" in found["remedy"]


def write_on(setup: Setup, stopping: threading.Event) -> None:
    while not stopping.wait(0.2):
        setup.produce(RUN_EVENTS, b"{no")
