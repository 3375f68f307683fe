"""Prometheus itself takes the files as they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import documents
from tests.e2e.pipeline import wait_for
from tests.monitoring.prometheus import Programs, started
from tests.unit.monitoring.files import FOLDER, rules


def test_promtool_takes_the_rules(programs: Programs) -> None:
    said = check(programs, "rules", FOLDER / "alerts.yml")
    assert f"SUCCESS: {len(rules('alert')) + len(rules('record'))} rules found" in said


def test_promtool_takes_the_example(programs: Programs, tmp_path: Path) -> None:
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "targets.json").write_text(json.dumps([{"targets": ["127.0.0.1:9464"]}]), encoding="utf-8")
    assert "is valid prometheus config file" in check(programs, "config", tmp_path / "prometheus.yml")


def test_prometheus_starts_as_the_page_says(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "monitoring")
    (folder / "targets.json").write_text(json.dumps([{"targets": ["127.0.0.1:9464"]}]), encoding="utf-8")
    monkeypatch.setenv("PATH", f"{programs.prometheus.parent}{os.pathsep}{os.environ['PATH']}")
    with started(documents.example("docs/monitoring.md", "bash", "prometheus --config"), folder) as server:
        wait_for("its target", lambda: server.instances() == {"127.0.0.1:9464"}, 30)
        assert {*server.rules()} == {
            rule.get("alert") or rule["record"] for kind in ("alert", "record") for rule in rules(kind)
        }


def check(programs: Programs, what: str, file: Path) -> str:
    done = subprocess.run([programs.promtool, "check", what, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
