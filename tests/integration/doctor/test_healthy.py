"""A set-up with which nothing is wrong."""

from __future__ import annotations

import pytest

from runledger.producers.client import RunClient
from runledger.producers.settings import ProducerSettings
from tests.e2e.pipeline import wait_for
from tests.integration.doctor.setup import Setup

pytestmark = pytest.mark.integration


def _is_forgetful(setup: Setup) -> bool:
    """Whether the tests' own database was started without waits for the disk, which the doctor rightly tells."""
    return setup.sql("SHOW fsync") == [("off",)]


def test_nothing_is_found_where_nothing_is_wrong(running: Setup) -> None:
    settings = ProducerSettings(kafka=running.connection.kafka, topic_prefix=running.connection.topic_prefix)
    with RunClient(settings=settings, strict=True) as client:
        for number in range(5):
            with client.run("default", f"sage-{number}", summary="healthy") as one:
                one.usage(input_tokens=3, output_tokens=4)
        client.flush(30)
    scored = "SELECT count(*) FROM agent_run_log WHERE rlhf_scores IS NOT NULL"
    wait_for("rows and scores", lambda: running.sql(scored) == [(5,)], 60)

    report = running.doctor_command("--project", "default")

    expected = {"writing"} if _is_forgetful(running) else set()
    assert set(report.amiss) - {"projects"} == expected, report.amiss
    assert "no API key in force" in report.amiss["projects"]
    assert report.code == 0
    assert report.seconds < 10
    running.obey(report.of("projects"))
    assert "projects" not in running.doctor_command("--project", "default").amiss


def test_nothing_is_printed_in_quiet_where_all_is_well(running: Setup) -> None:
    done = running.run("doctor", "--quiet")
    assert done.returncode == 0, done.stdout
    if not _is_forgetful(running):
        assert done.stdout == ""
    assert done.stderr == ""
