"""What pages show that no server is needed for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from runledger.access.keys import ApiKey
from runledger.schemas.codec import decode_event
from runledger.schemas.run_events import UsageReported
from runledger.schemas.topics import ALL_TOPICS
from runledger.scoring.scorers.registry import ENTRY_POINTS
from runledger.stack import Addresses
from tests import documents
from tests.e2e.test_replay import KNOWN

MAKE = [
    documents.example("CONTRIBUTING.md", "bash"),
    documents.example("README.md", "bash", "make demo"),
    documents.example("docs/start.md", "bash", "make demo"),
]
JUDGED = """
from runledger.scoring.scorers import load_scorers
from runledger.scoring.settings import ScoringSettings
from runledger.sinks.settings import SinkSettings
from tests.unit.scoring.jobs import job

scorer = load_scorers(ScoringSettings().scorers)[SinkSettings().rubric]
print(scorer.name, scorer.score(job()).overall)
"""


@pytest.mark.parametrize("line", "".join(MAKE).splitlines())
def test_make_knows_each_target(line: str) -> None:
    program, target = line.partition("#")[0].split()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        [program, "--dry-run", target], cwd=documents.ROOT, env=kept, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("page", ["README.md", "docs/start.md"])
def test_the_totals_of_the_demo_are_those_that_its_tests_know(page: str) -> None:
    runs = r"(\d+) runs, (\d+) completed, (\d+) failed, (\d+) LLM calls, "
    said = " ".join(documents.text(page).split())
    totals = re.search(runs + r"([\d,]+) input and ([\d,]+) output tokens, \$(\d+\.\d+)", said)
    assert totals is not None
    names = ("runs", "completed", "failed", "llm_calls", "input_tokens", "output_tokens", "cost_usd")
    assert [found.replace(",", "") for found in totals.groups()] == [str(KNOWN[name]) for name in names]


def test_the_extra_that_is_installed_is_one_of_ours() -> None:
    (extra,) = re.findall(r"runledger\[(\w+)\]", documents.example("docs/contracts.md", "bash", "pip install"))
    assert extra in (metadata("runledger").get_all("Provides-Extra") or [])


def test_the_picture_shows_topics_that_are_there() -> None:
    shown = set(re.findall(r"\[/([\w-]+)/\]", documents.example("README.md", "mermaid")))
    assert shown < {topic.suffix for topic in ALL_TOPICS}
    assert len(shown) == 8


def test_the_event_shown_is_one() -> None:
    written = documents.example("docs/events.md", "json").encode()
    event = decode_event(written, b"myproject/8c1f4a52-0b0f-4f3e-9b0a-6d5f3f1f2a11")
    assert isinstance(event, UsageReported)
    assert event.run_id == UUID(orjson.loads(written)["subject"])
    assert event.data.token_usage.input_tokens == 8400


def test_addresses_are_exported_as_the_pages_show_them() -> None:
    gateway = documents.example("docs/http.md", "text", "export RUNLEDGER_HTTP=").strip()
    api, key = documents.example("docs/reading.md", "text", "export RUNLEDGER_API=").splitlines()
    urls = {"http": gateway.partition("=")[2], "api": api.partition("=")[2]}
    assert {gateway, api} < set(Addresses(kafka="k:1", postgres="postgresql:///l", **urls).exports().splitlines())
    assert key.startswith(f"export RUNLEDGER_API_KEY={ApiKey.new().text()[:3]}")


def test_a_scorer_of_ones_own_is_found_and_asked(tmp_path: Path) -> None:
    """Installed as a package is: a module, and beside it what it declares."""
    declared = tomllib.loads(documents.example("docs/scoring.md", "toml"))["project"]["entry-points"]
    (tmp_path / "my_package.py").write_text(documents.example("docs/scoring.md", "python"))
    info = tmp_path / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    lines = [f"{name} = {place}" for name, place in declared[ENTRY_POINTS].items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{ENTRY_POINTS}]", *lines, ""]))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
    known = kept | {"PYTHONPATH": f"{tmp_path}:{documents.ROOT}", "PYTHON": sys.executable}
    script = documents.example("docs/scoring.md", "bash") + '"$PYTHON" -W error -c "$1"'
    done = subprocess.run(
        ["bash", "-euc", script, "bash", JUDGED], env=known, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "judge/1 0.9\n", "")
