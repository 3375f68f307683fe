"""What prometheus.yml, targets.py and the page say fits the local stack and the compose file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import yaml

from runledger.vitals.metrics import WORKERS
from tests import documents
from tests.unit.monitoring.files import FOLDER, TOP, rules

STATUS = {
    "phase": "running",
    "services": [
        {"name": "kafka", "health": "healthy", "vitals": None},
        {"name": "processor", "health": "healthy", "vitals": "http://127.0.0.1:41001"},
        {"name": "processor-2", "health": "starting", "vitals": "http://127.0.0.1:41002"},
        {"name": "sink", "health": "stopped", "vitals": "http://127.0.0.1:41003"},
    ],
}


def example() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    return loaded


def run_targets(status: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", FOLDER / "targets.py"],
        input=json.dumps(status),
        capture_output=True,
        text=True,
        check=False,
    )


def snippet() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(documents.example("docs/monitoring.md", "yaml"))
    return loaded


def test_the_example_loads_the_rules_and_asks_whom_targets_py_finds() -> None:
    file = example()
    assert file["rule_files"] == ["alerts.yml"]
    (job,) = file["scrape_configs"]
    assert job["file_sd_configs"] == [{"files": ["targets.json"]}]
    assert "python3 targets.py > targets.json" in (FOLDER / "prometheus.yml").read_text(encoding="utf-8")


def test_every_job_has_the_name_that_the_rules_ask_for() -> None:
    asked = {name for rule in rules("alert") for name in re.findall(r'job="(\w+)"', rule["expr"])}
    named = {job["job_name"] for file in (example(), snippet()) for job in file["scrape_configs"]}
    assert asked == named == {"runledger"}


def test_targets_are_the_listeners_of_all_workers() -> None:
    ran = run_targets(STATUS)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [{"targets": ["127.0.0.1:41001", "127.0.0.1:41002", "127.0.0.1:41003"]}]


def test_without_a_stack_there_are_no_targets_and_one_line_says_why() -> None:
    ran = run_targets({"phase": "not_running", "data_dir": "/nowhere", "last_failure": None})
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.count("\n") == 1
    assert "runledger up" in ran.stderr


def test_the_snippet_for_containers_names_the_workers_and_the_port_of_the_compose_file() -> None:
    compose = yaml.safe_load((TOP / "docker-compose.yml").read_text(encoding="utf-8"))
    (found,) = snippet()["scrape_configs"][0]["dns_sd_configs"]
    assert {*found["names"]} == {*WORKERS} <= compose["services"].keys()
    assert found["port"] == compose["x-runledger"]["environment"]["RUNLEDGER_METRICS_PORT"]
