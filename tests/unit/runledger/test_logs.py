from __future__ import annotations

import subprocess
import sys

import orjson

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
    assert (events[-1], lines[-1]["thread"], lines[-1]["error"]) == ("thread_ended", "store_1", "gone")
