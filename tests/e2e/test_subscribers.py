"""The subscriber in Python reads what a demo run with kills left in the topics: what was committed, all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest

from runledger.contracts import CONTRACTS
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_LOG, RUN_OUTCOMES, RUNS
from tests.e2e.command import environment
from tests.e2e.killed_demo import committed, places, play

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.slow]

PROGRAM = Path(__file__).parents[2] / "examples" / "python" / "subscriber.py"
EVERY_KIND = {
    *(message.__name__ for contract in CONTRACTS for message in contract.messages),
    "Tombstone: erased",
    "Tombstone: removed",
}


@pytest.mark.timeout(600)
def test_every_committed_record_of_a_demo_with_kills_keeps_its_contract(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    settings = topics.model_copy(update={"postgres": database})
    play(settings, tmp_path)
    command = [sys.executable, str(PROGRAM)]
    done = subprocess.run(
        command, env=os.environ | environment(settings), capture_output=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert {(line["topic"], line["partition"], line["offset"]) for line in lines} == committed(settings)
    assert len(lines) == len(committed(settings))
    kinds = Counter(line["what"] for line in lines)
    assert kinds.keys() >= EVERY_KIND, EVERY_KIND - kinds.keys()
    aborted = sum(
        len({*places(settings, topic, "read_uncommitted")} - {*places(settings, topic, "read_committed")})
        for topic in (RUNS, RUN_OUTCOMES, RUN_LOG)
    )
    assert aborted > 0, "no record was aborted: the test shows nothing of reading committed records only"
