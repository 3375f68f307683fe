"""Mistakes in the environment, limits and packages."""

from __future__ import annotations

import subprocess
import sys

import orjson
import pytest

from tests.integration.doctor.setup import Setup

pytestmark = pytest.mark.integration


def test_a_misspelt_variable_is_told_with_the_nearest(bare: Setup) -> None:
    bare.environment["RUNLEDGER_PARTITION"] = "8"
    found = bare.mend("variables")
    assert "RUNLEDGER_PARTITION" in found["found"]
    assert "RUNLEDGER_PARTITIONS?" in found["remedy"]


def test_a_setting_that_cannot_be_read_is_told_by_name_and_not_by_value(bare: Setup) -> None:
    bare.environment["RUNLEDGER_BATCH_RECORDS"] = "marked-7f"
    assert "marked-7f" not in bare.doctor().text
    found = bare.mend("settings")
    assert "RUNLEDGER_BATCH_RECORDS" in found["found"]
    assert "sink" in found["found"]


def test_settings_that_contradict_each_other_are_told(bare: Setup) -> None:
    bare.environment["RUNLEDGER_KAFKA_PASSWORD"] = "marked-8f"  # noqa: S105  # of nobody
    report = bare.doctor()
    assert "marked-8f" not in report.text
    assert report.of("topics")["verdict"] == "unknown"
    assert "RUNLEDGER_KAFKA_SECURITY_PROTOCOL" in report.of("settings")["found"]
    del bare.environment["RUNLEDGER_KAFKA_PASSWORD"]
    assert bare.doctor().of("settings")["verdict"] == "ok"


def test_switches_of_tests_are_told(bare: Setup) -> None:
    bare.environment |= {"RUNLEDGER_TESTING": "1", "RUNLEDGER_UNSAFE_DISABLE": "fencing"}
    assert "RUNLEDGER_UNSAFE_DISABLE=fencing" in bare.mend("switches")["found"]


def test_an_unknown_log_level_is_told(bare: Setup) -> None:
    bare.environment["RUNLEDGER_LOG_LEVEL"] = "LOUD"
    assert "LOUD" in bare.mend("settings")["found"]


def test_a_scorer_that_nobody_installed_is_told(bare: Setup) -> None:
    bare.environment["RUNLEDGER_SCORERS"] = "heuristic,oracle"
    found = bare.doctor().of("packages")
    assert found["verdict"] == "problem"
    assert "oracle" in found["found"]


def test_too_few_open_files_are_told(bare: Setup) -> None:
    command = f"{sys.executable} -m runledger doctor --json"
    for limit, verdict in (("128", "problem"), ("1024", "ok")):
        done = subprocess.run(
            ["bash", "-c", f"ulimit -n {limit} && {command}"],
            env=bare.environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        (found,) = [one for one in orjson.loads(done.stdout)["findings"] if one["check"] == "open files"]
        assert found["verdict"] == verdict
        assert (found["command"] == "ulimit -n 65536") == (verdict == "problem")


def test_a_door_that_does_not_answer_is_told(bare: Setup) -> None:
    bare.environment["RUNLEDGER_HTTP"] = "http://127.0.0.1:1"
    found = bare.doctor().of("doors")
    assert found["verdict"] == "problem"
    assert "gateway" in found["found"]
    assert "runledger worker gateway" in found["remedy"]


def test_a_time_out_that_the_broker_does_not_allow_is_told(bare: Setup) -> None:
    bare.environment["RUNLEDGER_SESSION_TIMEOUT_SECONDS"] = "0.2"
    assert "cannot join its group" in bare.mend("broker settings")["found"]
