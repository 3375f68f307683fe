"""`runledger failures` from the command line through the log and the sink into the tables; docs/failures.md is true."""

from __future__ import annotations

import getpass
import shlex
import subprocess
from typing import Any

import orjson
import pytest

from runledger.producers.client import RunClient
from runledger.schemas.fingerprint import fingerprint
from tests import documents
from tests.integration.test_agents_command import Stage, stage, until

__all__ = ["stage"]

pytestmark = pytest.mark.integration

ERROR = "connect ETIMEDOUT 10.0.0.5:5432 after 30s"
KIND = fingerprint("default", "", ERROR)


def _record(stage: Stage, error: str, project: str = "default") -> str:
    """Record a failure, and wait until its kind stands in the tables; return the kind."""
    kind = fingerprint(project, "", error)
    count = f"SELECT coalesce(sum(failure_count), 0)::int FROM failure_group WHERE fingerprint = '{kind}'"  # noqa: S608  # a hash
    before = stage.rows(count)
    with RunClient(kafka=stage.settings.kafka, topic_prefix=stage.settings.topic_prefix, strict=True) as client:
        client.record_failure(project, "no database", agent="sage", error=error)
    until(lambda: stage.rows(count) != before, "the failure is not there")
    return kind


def _until_state(stage: Stage, state: str) -> None:
    until(lambda: stage.rows("SELECT state FROM failure_group") == [(state,)], f"it is not {state}")


def _json(stage: Stage, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(stage.runledger("failures", *arguments, "--json"))
    return found


def test_each_example_of_the_page_runs(stage: Stage) -> None:
    done = stage.run("-W", "error", "-c", documents.example("docs/failures.md", "python", "RunClient"))
    assert done.returncode == 0, done.stderr
    _until_state(stage, "open")
    commands = documents.example("docs/failures.md", "bash").replace("30e4d4f2", KIND[:8]).splitlines()
    listed, shown, _ = [stage.runledger(*shlex.split(line)[1:]) for line in commands]
    assert ERROR in shown
    header, row = (line.split() for line in documents.example("docs/failures.md", "text").splitlines())
    printed_header, printed_row = (line.split() for line in listed.splitlines())
    assert printed_header == header
    assert (printed_row[0], printed_row[1:3], printed_row[5:]) == (KIND[:12], row[1:3], row[5:])
    _until_state(stage, "resolved")
    ((resolved_at,),) = stage.rows("SELECT resolved_at FROM failure_group")
    note = "Raised the pool to 40 connections"
    question = documents.example("docs/failures.md", "sql")
    assert stage.rows(question) == [("resolved", "no database", resolved_at, note, None)]
    assert stage.rows("SELECT task_id FROM run_failure") == [("import-orders",)]


def test_a_kind_is_listed_resolved_and_regresses(stage: Stage) -> None:
    kind = _record(stage, ERROR)
    assert [(one["fingerprint"], one["state"]) for one in _json(stage, "list")["failures"]] == [(kind, "open")]
    said = stage.runledger("failures", "resolve", kind[:6].upper(), "--note", "grew the pool", "--event-id", "once")
    assert said == f"{kind[:12]} was open; it is in the log that it is resolved (event once)\n"
    _until_state(stage, "resolved")
    shown = _json(stage, "show", kind)
    assert (shown["resolved_by"], shown["resolution_note"], shown["resolved_by_event_id"], shown["regressed_at"]) == (
        getpass.getuser(),
        "grew the pool",
        "once",
        None,
    )
    _record(stage, "connect ETIMEDOUT 10.9.9.9:5433 after 2s")
    shown = _json(stage, "show", kind)
    assert (shown["state"], shown["failure_count"], shown["regressed_at"]) == ("regressed", 2, shown["last_seen_at"])
    stage.runledger("failures", "resolve", kind, "--by", "the on-call")
    _until_state(stage, "resolved")
    assert "by word of the on-call" in stage.runledger("failures", "show", kind)
    assert _json(stage, "list", "--state", "regressed") == {"failures": [], "more": False}


def test_a_word_told_twice_by_its_id_counts_once(stage: Stage) -> None:
    kind = _record(stage, ERROR)
    for note in ("first", "second"):
        stage.runledger("failures", "resolve", kind, "--event-id", "once", "--note", note)
    stage.runledger("failures", "resolve", kind, "--note", "third", "--by", "mark")
    until(lambda: stage.rows("SELECT 1 FROM failure_resolution WHERE note = 'third'") == [(1,)], "the third word")
    assert sorted(stage.rows("SELECT note FROM failure_resolution")) == [("first",), ("third",)]


def _refused(stage: Stage, *arguments: str, code: int = 5) -> str:
    done: subprocess.CompletedProcess[str] = stage.run("-m", "runledger", "failures", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    return done.stderr


def test_what_names_no_kind_or_several_is_said(stage: Stage) -> None:
    kinds = [_record(stage, f"no such table: {'x' * number}") for number in range(1, 18)]
    (shared, *_) = (first for first in "0123456789abcdef" if sum(kind[0] == first for kind in kinds) > 1)
    said = _refused(stage, "resolve", shared, code=1)
    assert f"several failures of project default begin with {shared}: " in said
    assert "project other has no failure whose fingerprint begins with" in _refused(
        stage, "show", kinds[0], "--project", "other"
    )
    absent = "0" * 64
    assert f"project default has no failure whose fingerprint begins with {absent}" in _refused(
        stage, "resolve", absent
    )
    assert stage.rows("SELECT count(*) FROM failure_resolution") == [(0,)]


def test_what_agents_wrote_cannot_move_the_cursor(stage: Stage) -> None:
    kind = _record(stage, "\x1b[2J[red]gone\x07")
    assert "\x1b" not in stage.runledger("failures", "show", kind) + stage.runledger("failures", "list")
    assert "\N{REPLACEMENT CHARACTER}[2J[red]gone\N{REPLACEMENT CHARACTER}" in stage.runledger("failures", "show", kind)
