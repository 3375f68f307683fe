"""B3: the SDK's produce of validated, masked events beside confluent-kafka's of the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks import topics
from benchmarks.contest import say
from benchmarks.errors import EndedError, WrongResultError
from benchmarks.programs import ROOT
from benchmarks.results import Result, compare
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size

NAME = "B3"
CLAIM = "SDK: validate, mask, encode, produce, acknowledged; beside a bare produce of the same bytes"


def measure(servers: Servers, size: Size) -> Result:
    """Measure acknowledged events a second of both: the SDK writes a topic, and what stands in it is written again.

    Raises:
        BenchmarkError: a producer failed, or the topic does not hold every event.
    """
    found: dict[str, list[float]] = {"ours": [], "confluent-kafka": []}
    for number in range(1, size.rounds + 1):
        with servers.corner() as corner:
            for times, (name, how) in enumerate((("ours", "sdk"), ("confluent-kafka", "raw")), 1):
                rate = size.events / _seconds(corner, how, size)
                say(f"round {number}: {name} {rate:,.0f}/s")
                found[name].append(rate)
                _check(corner, times * size.events)
    return compare(NAME, CLAIM, "events/s", found, {"confluent-kafka": 0.25}, extra={"events": size.events})


def _seconds(corner: Corner, how: str, size: Size) -> float:
    command = (sys.executable, "-m", "benchmarks.producing", how, str(size.events), str(size.runs))
    environment = {**os.environ, **corner.environment()}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=size.deadline_seconds, check=False
    )
    if done.returncode:
        raise EndedError(f"the {how} producer ended with {done.returncode}: {done.stderr[-1000:]}")
    return float(done.stdout)


def _check(corner: Corner, count: int) -> None:
    held = 0

    def take(_key: bytes, _value: bytes | None) -> None:
        nonlocal held
        held += 1

    topics.read_all(corner.kafka, corner.source, take)
    if held != count:
        raise WrongResultError(f"the topic holds {held} events, not {count}")
