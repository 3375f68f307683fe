"""Faults 27 and 28: tables made by several at once, and scorers that die, refuse or raise."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.e2e.pipeline import wait_for
from tests.faults.site import MakeSite

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

SCORES = "SELECT count(*) FROM run_score"
SCORERS = '''
import urllib.request
from collections import Counter
import os

from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.scoring.scorers import Scores


class Raising:
    """Raises at each job's first attempt."""

    name, rubric = "raising/1", DEFAULT_RUBRIC

    def __init__(self):
        self.attempts = Counter()

    def score(self, job):
        self.attempts[job.job_id] += 1
        if self.attempts[job.job_id] == 1:
            raise RuntimeError("not now")
        return Scores({"outcome": 1.0}, 1.0)


class Asking:
    """Asks a service that answers 429 at first."""

    name, rubric = "asking/1", DEFAULT_RUBRIC

    def score(self, job):
        with urllib.request.urlopen(f"{os.environ['JUDGE_URL']}/{job.job_id}", timeout=10):
            return Scores({"outcome": 0.5}, 0.5)
'''


def test_fault_27_tables_made_by_four_processes_at_once(site: MakeSite) -> None:
    here = site(27, "migrations by four processes at once", migrators=4)
    here.load(800)
    here.judge("O1", "O2", "O5", "O8")


@pytest.fixture
def scorers(tmp_path: Path) -> str:
    """A folder with a package that brings scorers, as any other package may."""
    folder = tmp_path / "packages"
    about = folder / "fault_scorers-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "fault_scorers.py").write_text(SCORERS)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: fault-scorers\nVersion: 1.0\n")
    entries = "[runledger.scorers]\nraising = fault_scorers:Raising\nasking = fault_scorers:Asking\n"
    (about / "entry_points.txt").write_text(entries)
    return str(folder)


class _Judge(BaseHTTPRequestHandler):
    """Answers 429 twice to each question, then 200."""

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:  # http.server's name
        """Answer."""
        self.asked[self.path] += 1
        self.send_response(200 if self.asked[self.path] > 2 else 429)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@contextmanager
def judging() -> Iterator[str]:
    """Run the judge; give its URL."""
    _Judge.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Judge) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_fault_28_scorer_killed(site: MakeSite) -> None:
    here = site(28, "scorer killed")
    (scorer,) = here.workers("scorer")
    for _ in range(3):
        before = here.count(SCORES)
        here.load(600, 400)
        wait_for("a score", lambda: here.count(SCORES) > before, 60)  # noqa: B023  # called at once
        here.kill(scorer)
        here.settle()  # or the next score may be one of those that the dead left behind
    here.judge("O1", "O2", "O5", "O8")
    assert len(scorer.exits) == 3


@pytest.mark.parametrize("name", ["raising", "asking"])
def test_fault_28_scorer_refuses_at_first(site: MakeSite, scorers: str, name: str) -> None:
    """One raises, one is told 429: each job is tried again until it is scored."""
    how = {"raising": "scorer raising", "asking": "scorer answered 429"}[name]
    with judging() as url:
        patience = {"RUNLEDGER_SCORING_FIRST_DELAY_SECONDS": "0.2", "RUNLEDGER_SCORING_MAX_DELAY_SECONDS": "1"}
        here = site(28, how, workers=("processor", "sink", "relay"), **patience)
        path = ":".join(filter(None, [scorers, *here.running.environment.get("PYTHONPATH", "").split(":")]))
        here.running.start("scorer", {"PYTHONPATH": path, "RUNLEDGER_SCORERS": name, "JUDGE_URL": url})
        here.load(1000)
        here.judge("O1", "O2", "O5", "O8")
        assert here.running.counts()["scorer_failed"] > 0
