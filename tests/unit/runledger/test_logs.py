from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import orjson

from tests import documents

TOP = Path(__file__).parents[3]
SOURCES = ("access", "analytics", "processors", "producers", "runledger", "scoring", "sinks", "watch")

PROGRAM = """
import logging, threading
from runledger.logs import configure
configure("processor")
for number in range(50):
    logging.getLogger("aiokafka.client").error("Unable connect to node with id %s", number)
    logging.getLogger("aiokafka.client").error("Unable to update metadata from %s", number)
    logging.getLogger("psycopg").error("said %s", number)
def fail():
    raise RuntimeError("gone")
thread = threading.Thread(target=fail, name="store_1")
thread.start()
thread.join()
"""


def test_a_client_that_repeats_itself_is_heard_once_and_a_thread_that_fails_is_a_line_of_json() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    lines = [orjson.loads(line) for line in ran.stderr.splitlines()]
    events = [line["event"] for line in lines]
    assert [event for event in events if event.startswith("Unable")] == [
        "Unable connect to node with id 0",
        "Unable to update metadata from 0",
    ]
    assert sum(event.startswith("said") for event in events) == 50
    assert {(line["process"], line["pid"] > 0) for line in lines} == {("processor", True)}, "in every thread"
    assert (events[-1], lines[-1]["thread"], lines[-1]["error"]) == ("thread_ended", "store_1", "gone")


def test_the_documented_events_are_those_of_the_code() -> None:
    """Operators look for these names: one that changes has to change in the documentation."""
    section = (
        (TOP / "docs" / "operations.md").read_text(encoding="utf-8").partition("\n## Logs\n")[2].partition("\n## ")[0]
    )
    table = section.partition("| event | level | of | means |")[2]
    named = {
        name
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    sources = "".join(
        source.read_text(encoding="utf-8") for folder in SOURCES for source in (TOP / folder).glob("**/*.py")
    )
    assert len(named) > 20
    assert {name for name in named if f'"{name}"' not in sources} == set()


def test_the_documented_search_finds_what_ended_a_worker(tmp_path: Path) -> None:
    logs = tmp_path / ".local" / "share" / "runledger" / "logs"
    logs.mkdir(parents=True)
    program = "import structlog, runledger.logs as logs; logs.configure('sink'); log = structlog.get_logger(); "
    program += "log.info('partitions_assigned'); log.critical('stopped', error='a topic was recreated')"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    (logs / "sink.log").write_bytes(ran.stderr)
    (logs / "kafka.log").write_text("[2026-03-01] INFO Kafka Server started\n", encoding="utf-8")
    search = documents.example("docs/operations.md", "bash", "critical")
    found = subprocess.run(
        ["bash", "-c", search], env={"HOME": str(tmp_path), "PATH": os.defpath}, capture_output=True, check=True
    )
    (line,) = found.stdout.splitlines()
    assert (orjson.loads(line)["event"], orjson.loads(line)["process"]) == ("stopped", "sink")
