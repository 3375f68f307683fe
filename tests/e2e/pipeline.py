"""The pipeline's processes on a test's own topics and database, restarted when they end, as a supervisor would."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, Signals
from typing import Any

import orjson
from confluent_kafka import Consumer, TopicPartition

from runledger.schemas.settings import ConnectionSettings

_RESTART_SECONDS = 0.5
_START_SECONDS = 30
"""A busy machine may need so long to end a process, or to start one."""


class Worker:
    """One `runledger worker`, started again whenever it ends, until stopped."""

    def __init__(self, name: str, number: int, environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}-{number}.log"
        self.exits: list[int] = []
        self._environment = dict(environment)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process = self._start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "runledger", "worker", self.name]
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            code = self._process.wait()
            self.exits.append(code)
            if self._stopping.wait(_RESTART_SECONDS):
                return
            with self._lock:
                if not self._stopping.is_set():
                    self._process = self._start()

    @property
    def pid(self) -> int:
        """Of the process as it is now."""
        return self._process.pid

    def signal(self, number: Signals) -> None:
        """Send a signal to the process as it is now; if that has ended, to the one started next."""
        wait_for(f"a {self.name} that runs", lambda: self._signalled(number), _START_SECONDS)

    def _signalled(self, number: Signals) -> bool:
        with self._lock:
            running = self._process.poll() is None
            if running:
                self._process.send_signal(number)
            return running

    def kill(self) -> None:
        """Kill -9, and see it end: whoever signals next means the one started next."""
        ends = len(self.exits)
        self.signal(SIGKILL)
        wait_for(f"the end of a {self.name}", lambda: len(self.exits) > ends, _START_SECONDS)

    def ask_to_end(self) -> None:
        """Have it end for good."""
        with self._lock:
            self._stopping.set()
            self._process.send_signal(SIGCONT)
            self._process.terminate()

    def stop(self, timeout_seconds: float = 30) -> int:
        """End it for good; return its exit code."""
        self.ask_to_end()
        try:
            return self._process.wait(timeout_seconds)
        finally:
            self._process.kill()
            self._keeper.join(5)


class Pipeline:
    """Workers by name, and what can be seen of them."""

    def __init__(
        self,
        settings: ConnectionSettings,
        folder: Path,
        environment: Mapping[str, str],
        of_workers: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.settings = settings
        self.workers: list[Worker] = []
        self._folder = folder
        self._of_workers = of_workers or {}
        self.environment = os.environ | {
            "RUNLEDGER_KAFKA": settings.kafka,
            "RUNLEDGER_POSTGRES": settings.postgres,
            "RUNLEDGER_TOPIC_PREFIX": settings.topic_prefix,
            "RUNLEDGER_PARTITIONS": str(settings.partitions),
            **environment,
        }

    def start(self, name: str, environment: Mapping[str, str] | None = None) -> Worker:
        """Start one more worker of that name."""
        number = sum(worker.name == name for worker in self.workers) + 1
        own = {**self.environment, **self._of_workers.get(name, {}), **(environment or {})}
        worker = Worker(name, number, own, self._folder)
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        """End them all, side by side."""
        for worker in self.workers:
            worker.ask_to_end()
        while self.workers:
            self.workers.pop().stop()

    def counts(self) -> Counter[str]:
        """How often each event stands in the workers' logs; lines with a count weigh as much."""
        counted: Counter[str] = Counter()
        for line in self._lines():
            counted[line["event"]] += int(line.get("count", 1))
        return counted

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of one event in the workers' logs."""
        return [line for line in self._lines() if line["event"] == event]

    def _lines(self) -> Iterator[dict[str, Any]]:
        for log in self._folder.glob("*.log"):
            for line in log.read_bytes().splitlines():
                try:
                    document = orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue
                if isinstance(document, dict) and "event" in document:
                    yield document


@contextmanager
def pipeline(
    settings: ConnectionSettings,
    folder: Path,
    names: tuple[str, ...] = ("processor", "sink", "relay", "scorer"),
    of_workers: Mapping[str, Mapping[str, str]] | None = None,
    /,
    **environment: str,
) -> Iterator[Pipeline]:
    """Run these workers for the length of a block.

    Args:
        settings: where their topics and tables are.
        folder: for their logs.
        names: a name for each process.
        of_workers: {name: further settings of all workers of that name}.
        environment: further settings of all.
    """
    made = Pipeline(settings, folder, environment, of_workers)
    try:
        for name in names:
            made.start(name)
        yield made
    finally:
        made.stop()


def wait_for(what: str, condition: Callable[[], bool], timeout_seconds: float) -> float:
    """Poll until it holds; return how many seconds it took.

    Raises:
        AssertionError: the time is over.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > timeout_seconds:
            raise AssertionError(f"{what}: not within {timeout_seconds:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - began


def count_records(settings: ConnectionSettings, topic: str, isolation: str) -> int:
    """Count a topic's records as a reader of that isolation level sees them; markers are no records."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": f"{settings.topic_prefix}count-{isolation}",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "enable.partition.eof": True,
        }
    )
    count, ended = 0, 0
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(settings.partitions)])
        while ended < settings.partitions:
            for message in consumer.consume(5000, 1.0):
                if message.error() is None:
                    count += 1
                else:
                    ended += 1
    finally:
        consumer.close()
    return count
