"""B7: recovery of a million open runs after kill -9, from the changelog the processors themselves wrote."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from confluent_kafka import Consumer, TopicPartition

from benchmarks import topics
from benchmarks.bulk import Bulk
from benchmarks.contest import say
from benchmarks.errors import TooSlowError
from benchmarks.ours import check_all, our_position, worker
from benchmarks.programs import Program
from benchmarks.rates import watch
from benchmarks.results import Result, compare
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size
from runledger.schemas.topics import RUNS

NAME = "B7"
CLAIM = "recovery after kill -9 of 1 million open runs, from a changelog of 20 million records: stores open, caught up"
RUNS_OPEN, TURNS, PROCESSORS = 1_000_000, 20, 2
RESTORE_SECONDS, CAUGHT_UP_SECONDS = 15, 30
_WRITE_SECONDS = 1800
_RECOVER_SECONDS = 300
_CHECK_SECONDS = 600
_BACKLOG_SHARE = 100
"""While the processors are dead, one run in a hundred reports once more."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long it took.

    Args:
        restore_seconds: from the assignment to the last store's opening.
        caught_up_seconds: from the new processes' start until everything is folded and committed.
        cpu_seconds: that the new processes have used by then.
    """

    restore_seconds: float
    caught_up_seconds: float
    cpu_seconds: float


def measure(servers: Servers, size: Size) -> Result:
    """Write the changelog once, then kill and recover in rounds.

    Raises:
        BenchmarkError: a process failed or was too slow, or a run's sums are wrong afterwards.
    """
    bulk = Bulk(size.share(RUNS_OPEN, 1000))
    with servers.corner() as corner:
        found, records = _rounds(corner, bulk, size)
    restore = statistics.median(each.restore_seconds for each in found)
    caught_up = [each.caught_up_seconds for each in found]
    extra = {
        "open_runs": bulk.runs,
        "changelog_records_written": records,
        "processors": PROCESSORS,
        "restore_seconds": round(restore, 2),
        "cpu_seconds": round(statistics.median(each.cpu_seconds for each in found), 1),
        "restore_rounds": [round(each.restore_seconds, 2) for each in found],
    }
    met = restore <= RESTORE_SECONDS and statistics.median(caught_up) <= CAUGHT_UP_SECONDS
    target = f"stores <= {RESTORE_SECONDS} s, caught up <= {CAUGHT_UP_SECONDS} s"
    rounds = {"ours": caught_up}
    return compare(NAME, CLAIM, "s until caught up", rounds, {}, extra=extra, target=target, target_met=met)


def _rounds(corner: Corner, bulk: Bulk, size: Size) -> tuple[list[Recovery], int]:
    found: list[Recovery] = []
    with our_position(corner) as position:
        with ExitStack() as stack:
            running = _start(stack, corner, 0)
            topics.fill(corner.kafka, corner.source, bulk.records(range(TURNS)))
            total, check = bulk.runs * TURNS, check_all(running)
            watch(position, total, deadline_seconds=_WRITE_SECONDS, check=check, pause_seconds=1)
            _kill(running)
        written = end_offsets(corner, RUNS.name(corner.settings.topic_prefix))
        for number in range(1, size.rounds + 1):
            found.append(_recover(corner, bulk, position, number))
            last = found[-1]
            say(f"round {number}: stores {last.restore_seconds:.1f} s, caught up {last.caught_up_seconds:.1f} s")
    late = max(1, bulk.runs // _BACKLOG_SHARE)
    bulk.check(corner, lambda run: TURNS + (size.rounds if run < late else 0), _CHECK_SECONDS)
    return found, written


def _recover(corner: Corner, bulk: Bulk, position: topics.GroupPosition, number: int) -> Recovery:
    backlog = Bulk(max(1, bulk.runs // _BACKLOG_SHARE))
    topics.fill(corner.kafka, corner.source, backlog.records(range(TURNS + number - 1, TURNS + number)))
    total = bulk.runs * TURNS + backlog.runs * number
    with ExitStack() as stack:
        began = time.monotonic()
        running = _start(stack, corner, number)
        deadline = began + _RECOVER_SECONDS
        while position() < total:
            check_all(running)()
            if time.monotonic() > deadline:
                raise TooSlowError(f"not caught up after {_RECOVER_SECONDS} s")
            time.sleep(0.1)
        caught_up = time.monotonic() - began
        used = sum(one.usage().cpu_seconds for one in running)
        restore = restore_seconds([one.log for one in running])
        _kill(running)
    return Recovery(restore, caught_up, used)


def _start(stack: ExitStack, corner: Corner, number: int) -> list[Program]:
    environment = {"RUNLEDGER_RUN_DEADLINE_SECONDS": "86400"}
    first = 1 + number * PROCESSORS
    return [
        stack.enter_context(worker(corner, "processor", one, environment)) for one in range(first, first + PROCESSORS)
    ]


def _kill(running: list[Program]) -> None:
    for one in running:
        one.process.kill()
        one.process.wait()


def restore_seconds(logs: list[Path]) -> float:
    """Longest time that any process took from an assignment to the last store it opened after it."""
    longest = 0.0
    for log in logs:
        assigned: datetime | None = None
        for line in log.read_bytes().splitlines():
            if not line.startswith(b"{"):
                continue
            document = orjson.loads(line)
            if document.get("event") == "assigned":
                assigned = assigned or datetime.fromisoformat(document["timestamp"])
            elif document.get("event") == "store_opened" and document.get("stage") == "runs" and assigned:
                opened = datetime.fromisoformat(document["timestamp"])
                longest = max(longest, (opened - assigned).total_seconds())
    return longest


def end_offsets(corner: Corner, topic: str) -> int:
    """Sum of a topic's end offsets: records ever written, transaction markers included."""
    consumer = Consumer({"bootstrap.servers": corner.kafka, "group.id": "bench-ends"})
    try:
        return sum(
            consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[1]
            for number in range(corner.settings.partitions)
        )
    finally:
        consumer.close()
