"""A Prometheus of the tests' own: Debian's package, or RUNLEDGER_PROMETHEUS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from runledger.stack.ports import LOOPBACK, choose_port
from tests.e2e.pipeline import wait_for

SCRAPE_SECONDS = 2
"""As long as a worker on a busy machine may take to answer: an answer has to come before the next question."""
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Programs:
    """Where they are."""

    prometheus: Path
    promtool: Path


def find_programs() -> Programs | None:
    """Find the server, and the tool that comes with it; None where one of them is not there."""
    server = os.environ.get("RUNLEDGER_PROMETHEUS") or shutil.which("prometheus")
    if server is None:
        return None
    beside = Path(server).with_name("promtool")
    tool = str(beside) if beside.exists() else shutil.which("promtool")
    return None if tool is None or not Path(server).exists() else Programs(Path(server), Path(tool))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fires, or is about to."""

    name: str
    state: str
    labels: Mapping[str, str]
    summary: str = field(compare=False)


class Prometheus:
    """A server that runs.

    Args:
        port: where it answers.
    """

    def __init__(self, port: int) -> None:
        self._url = f"http://{LOOPBACK}:{port}"

    def is_ready(self) -> bool:
        """Tell whether it has started."""
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=5):  # noqa: S310  # ours, on loopback
                return True
        except OSError:
            return False

    def alerts(self) -> list[Alert]:
        """Return what fires, or is about to."""
        return [
            Alert(it["labels"].pop("alertname"), it["state"], it["labels"], it["annotations"]["summary"])
            for it in self._ask("alerts")["alerts"]
        ]

    def firing(self, name: str) -> list[Alert]:
        """Return the alerts of that name that fire."""
        return [alert for alert in self.alerts() if alert.name == name and alert.state == "firing"]

    def value(self, expression: str) -> float | None:
        """Evaluate an expression; None where nothing is found."""
        found = self._ask("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None

    def finds(self, expression: str) -> int:
        """Count what an expression finds."""
        return len(self._ask("query", query=expression)["result"])

    def instances(self) -> set[str]:
        """Name whom it scrapes, or is about to."""
        return {it["labels"]["instance"] for it in self._ask("targets")["activeTargets"]}

    def rules(self) -> list[str]:
        """Name the rules that it has loaded."""
        return [rule["name"] for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def rules_in_trouble(self) -> list[str]:
        """Name the rules whose evaluation failed."""
        rules = [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]
        return [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] == "err"]

    def _ask(self, path: str, **parameters: str) -> dict[str, Any]:
        url = f"{self._url}/api/v1/{path}?{urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # ours, on loopback
            document = json.load(answer)
        assert document["status"] == "success", document
        data: dict[str, Any] = document["data"]
        return data


@contextmanager
def running_prometheus(
    programs: Programs, rules: Mapping[str, Any], ports: Mapping[str, int], folder: Path
) -> Iterator[Prometheus]:
    """Run a server that scrapes these ports every other second for the length of a block, as the job `runledger`.

    Args:
        programs: where it is.
        rules: as they stand in a file.
        ports: {worker: port of its listener}.
        folder: for its data.
    """
    (folder / "rules.yml").write_text(yaml.safe_dump(dict(rules)), encoding="utf-8")
    configuration = {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {
                "job_name": "runledger",
                "static_configs": [{"targets": [f"{LOOPBACK}:{port}" for port in ports.values()]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    command = f"{programs.prometheus} --config.file=prometheus.yml --log.level=warn"
    with started(command, folder, taken=ports.values()) as server:
        yield server


@contextmanager
def started(command: str, folder: Path, taken: Collection[int] = ()) -> Iterator[Prometheus]:
    """Run a server by its command, with data and a port of its own, for the length of a block.

    Args:
        command: as a shell takes it.
        folder: where to run it.
        taken: ports that others will listen on.
    """
    port = choose_port(taken)
    own = f"--storage.tsdb.path=data --web.listen-address={LOOPBACK}:{port}"
    log = folder / "prometheus.log"
    script = ["bash", "-c", f"exec {command.strip()} {own}"]
    with log.open("wb") as out, subprocess.Popen(script, cwd=folder, stdout=out, stderr=out) as process:
        try:
            server = Prometheus(port)
            wait_for("Prometheus", lambda: server.is_ready() or process.poll() is not None, _START_SECONDS)
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
