"""Real processors, a load on them, and what must have come of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from runledger.schemas.codec import EVENT_ID_HEADER, decode, decode_run_log, encode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.outcomes import LoggedRun, RunOutcome
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.topics import AGENTS, DEAD_LETTERS, PARTITIONER, RUN_EVENTS, RUN_LOG, RUN_OUTCOMES, RUNS, Topic
from tests.integration.processors.partition import Partition, until
from tests.unit.processors.logs import event, run_of

COMMAND = (
    "from runledger.logs import configure; configure('processor'); "
    "from runledger.processors.app import run_processor; run_processor()"
)
AGENTS_COUNT = 7
REPORTS = 4
"""Usage reports of each run, ten tokens each."""


class Processor:
    """One processor process and its log."""

    def __init__(self, connection: ConnectionSettings, log: Path, settings: dict[str, str]) -> None:
        self._log = log
        environment = os.environ | {
            "RUNLEDGER_KAFKA": connection.kafka,
            "RUNLEDGER_TOPIC_PREFIX": connection.topic_prefix,
            **settings,
        }
        with log.open("wb") as stderr:
            command = [sys.executable, "-c", COMMAND]
            self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Return the log lines of an event."""
        found = []
        for line in self._log.read_bytes().splitlines():
            if line.startswith(b"{") and line.endswith(b"}"):
                document = orjson.loads(line)
                if document["event"] == name:
                    found.append(document)
        return found

    def partitions(self) -> int:
        """Return how many partitions it was last assigned; -1 before the first assignment."""
        assigned = self.lines("assigned")
        return int(assigned[-1]["partitions"]) if assigned else -1

    def wait_for_partitions(self, count: int, times: int = 1) -> None:
        """Wait until it has been assigned so many, in its `times`th assignment or a later one."""
        until(lambda: self.partitions() == count and len(self.lines("assigned")) >= times)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self) -> tuple[int, float, bytes]:
        """SIGTERM; return (exit code, seconds it took, what it wrote to stdout)."""
        began = time.monotonic()
        self.process.terminate()
        written, _ = self.process.communicate(timeout=30)
        return self.process.returncode, time.monotonic() - began, written

    def wait(self, seconds: float = 30) -> int:
        """Wait for it to end by itself."""
        self.process.communicate(timeout=seconds)
        return self.process.returncode

    def end(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Ledger(Partition):
    """Processors over all partitions of a prefix.

    Args:
        connection: the test's own topics.
        folder: for the processors' logs.
    """

    def __init__(self, connection: ConnectionSettings, folder: Path) -> None:
        super().__init__(connection)
        self._folder = folder
        self.processors: list[Processor] = []
        self._sources = [(self.name(topic), number) for topic in (RUN_EVENTS, RUN_OUTCOMES) for number in range(4)]
        # It never joins the group. Uncommitted, so as not to wait for a moment without open transactions. The admin
        # client's own request for offsets would abort the process where a test takes the broker away.
        self._reader = Consumer(
            {
                "bootstrap.servers": connection.kafka,
                "group.id": f"{connection.topic_prefix}processors",
                "enable.auto.commit": False,
                "isolation.level": "read_uncommitted",
            }
        )
        self._keyed = Producer(
            {
                "bootstrap.servers": connection.kafka,
                "enable.idempotence": True,
                "partitioner": PARTITIONER,
                "compression.type": "lz4",
                "message.max.bytes": 100_000_000,
            }
        )

    def start(self, **settings: object) -> Processor:
        """Start a processor with settings beyond the default."""
        environment = {f"RUNLEDGER_{name.upper()}": str(value) for name, value in settings.items()}
        log = self._folder / f"processor-{len(self.processors)}.log"
        self.processors.append(Processor(self.connection, log, environment))
        return self.processors[-1]

    def send(self, *events: AnyRunEvent) -> None:
        """Log events wherever their keys belong, acknowledged."""
        for told in events:
            self.emit(told)
        self.flush()

    def emit(self, told: AnyRunEvent) -> None:
        """Queue an event."""
        self.emit_raw(run_key(told.project_key, told.run_id), encode_event(told), told.event_id)

    def emit_raw(self, key: bytes | None, value: bytes | None, event_id: str) -> None:
        """Queue any bytes."""
        headers: dict[str, str | bytes | None] = {EVENT_ID_HEADER: event_id.encode()}
        self._keyed.produce(self.name(RUN_EVENTS), value, key, headers=headers)
        self._keyed.poll(0)

    def flush(self) -> None:
        """Wait until everything queued is acknowledged."""
        assert self._keyed.flush(30) == 0

    def abort(self, topic: Topic, key: bytes, value: bytes) -> None:
        """Log a record in a transaction that is aborted."""
        producer = Producer(
            {
                "bootstrap.servers": self.connection.kafka,
                "transactional.id": f"{self.connection.topic_prefix}aborting",
                "partitioner": PARTITIONER,
            }
        )
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(self.name(topic), value, key)
        producer.flush(20)
        producer.abort_transaction(20)

    def positions(self) -> dict[tuple[str, int], int]:
        """Return {(topic, partition): next offset} as the group's committed offsets show it."""
        found = self._reader.committed([TopicPartition(*source) for source in self._sources], 20)
        return {(where.topic, where.partition): max(0, where.offset) for where in found}

    def tell_group(self, positions: dict[tuple[str, int], int]) -> None:
        """Commit {(topic, partition): next offset} while no processor runs."""
        offsets = [TopicPartition(*source, position) for source, position in positions.items()]
        self._reader.commit(offsets=offsets, asynchronous=False)

    def ends(self) -> dict[tuple[str, int], int]:
        """Return {(topic, partition): end of the log}."""
        return {
            (name, number): self._reader.get_watermark_offsets(TopicPartition(name, number), 20)[1]
            for name, number in self._sources
        }

    def lag(self) -> int:
        """Return how many offsets the partition furthest behind has to go."""
        ends = self.ends()
        positions = self.positions()
        return max(end - positions[source] for source, end in ends.items())

    def wait_until_read(self, seconds: float = 45) -> None:
        """Wait until both stages have folded everything logged."""
        until(lambda: self.lag() == 0, seconds)

    def outcome_revisions(self, run: int = 0) -> list[RunOutcome]:
        """Return the committed outcomes of one run."""
        found = [decode(RunOutcome, message.value()) for message in self.seen(RUN_OUTCOMES)]
        return [outcome for outcome in found if outcome.run_id == run_of(run)]

    def check(self, runs: int) -> None:
        """Compare everything that came out with what `story` put in, for that many runs."""
        newest = {message.key(): message.value() for message in self.seen(RUNS)}
        snapshots = [decode(RunSnapshot, value) for value in newest.values() if value is not None]
        assert len(snapshots) == runs
        assert {run.usage.input_tokens for run in snapshots} == {10 * REPORTS}
        assert {(run.status, run.events, run.timed_out) for run in snapshots} == {("completed", REPORTS + 2, False)}
        outcomes = Counter(
            (str(told.run_id), told.revision)
            for told in (decode(RunOutcome, message.value()) for message in self.seen(RUN_OUTCOMES))
        )
        assert set(outcomes) == {(str(run_of(run)), 1) for run in range(runs)}
        assert set(outcomes.values()) == {1}
        said = [decode_run_log(message.value()) for message in self.seen(RUN_LOG)]
        logged = Counter(told.outcome.run_id for told in said if isinstance(told, LoggedRun))
        assert (len(logged), set(logged.values())) == (runs, {1})
        health = {message.key(): decode(AgentHealth, message.value()) for message in self.seen(AGENTS)}
        expected = Counter(f"a{run % AGENTS_COUNT}" for run in range(runs))
        assert {found.agent_id: found.finished_runs for found in health.values()} == dict(expected)
        assert self.seen(DEAD_LETTERS) == []

    def close(self) -> None:
        """End every processor."""
        for processor in self.processors:
            processor.end()
        self._reader.close()


def story(run: int) -> Iterator[AnyRunEvent]:
    """Tell a whole run."""
    kinds = ["started", *["used"] * REPORTS, "ended"]
    for number, kind in enumerate(kinds):
        told = event(kind, run, f"{run}-{number}", second=run + number)
        yield told.model_copy(update={"agent_id": f"a{run % AGENTS_COUNT}"})


class Load:
    """Whole runs, several at a time, logged at a rate by a thread of its own; every tenth event is sent twice.

    Args:
        ledger: where to.
        most_runs: how many, unless it is told that it is enough.
        events_per_second: how fast; 0 for as fast as it goes.
    """

    def __init__(self, ledger: Ledger, most_runs: int, events_per_second: float = 0) -> None:
        self.runs = 0
        """Told from beginning to end."""
        self._ledger = ledger
        self._most_runs = most_runs
        self._pause = 1 / events_per_second if events_per_second else 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._enough, self._stopped = threading.Event(), threading.Event()

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        if any(error):
            self._stopped.set()
        self._thread.join()

    @property
    def is_running(self) -> bool:
        """Whether there is more to come."""
        return self._thread.is_alive()

    def enough(self) -> None:
        """End with the runs that are being told."""
        self._enough.set()

    def _events(self) -> Iterator[AnyRunEvent]:
        while self.runs < self._most_runs and not self._enough.is_set():
            block = range(self.runs, min(self.runs + 50, self._most_runs))
            yield from interleaved(block)
            self.runs = block.stop

    def _run(self) -> None:
        began = time.monotonic()
        for number, told in enumerate(self._events()):
            if self._stopped.wait(max(0.0, began + number * self._pause - time.monotonic()) if self._pause else 0):
                return
            self._ledger.emit(told)
            if number % 10 == 0:
                self._ledger.emit(told)
        self._ledger.flush()


def interleaved(runs: range) -> Iterator[AnyRunEvent]:
    """Tell several runs at once."""
    for same_step in zip(*(story(run) for run in runs), strict=True):
        yield from same_step
