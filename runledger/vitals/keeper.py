"""Keeps a process's vitals: asks, measures, tells them over HTTP, and ends the process where only a new one helps."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from http import HTTPStatus

import orjson
import structlog

from runledger.vitals.dependencies import BrokerView, Dependency
from runledger.vitals.exits import EXIT_CUT_OFF, EXIT_STUCK
from runledger.vitals.health import Health
from runledger.vitals.listener import Answer, Listener
from runledger.vitals.meters import CONTENT_TYPE, Meters
from runledger.vitals.metrics import LAG, PROBLEMS
from runledger.vitals.settings import VitalsSettings
from runledger.vitals.watchdog import Standstill, Watchdog, Work
from runledger.vitals.watched import Partition

_LOOK_SECONDS = 5.0
_LOOKS = 8
"""Looks within the watchdog's limit, at least."""
_AWAY = {"broker_away", "database_away"}
_FRAMES = 12
_log = structlog.get_logger()


class Keeper:
    """The vitals of one process.

    Args:
        process: name of the worker.
        settings: where to tell, and how patient to be.
        dependencies: servers the process needs; while one is away, standing still is right.
        broker: who knows the ends of logs; None for a process that owns no partitions.
        topic_prefix: left out of the topics' names in metrics.
    """

    def __init__(
        self,
        process: str,
        settings: VitalsSettings,
        dependencies: Sequence[Dependency] = (),
        broker: BrokerView | None = None,
        topic_prefix: str = "",
    ) -> None:
        self.process = process
        self.meters = Meters(process)
        self.health = Health(dependencies)
        self._settings = settings
        self._broker = broker
        self._prefix = topic_prefix
        self._look_seconds = min(_LOOK_SECONDS, (settings.stall_seconds or _LOOK_SECONDS * _LOOKS) / _LOOKS)
        self._watchdog = Watchdog(settings.stall_seconds, self._look_seconds)
        self._is_broker_away = False
        self._ended = threading.Event()
        self._listener: Listener | None = None
        self._writer: int | None = None
        self._thread = threading.Thread(target=self._look_on, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look, and to listen where a port is set.

        Raises:
            ListenError: the port is taken, or the host is not ours.
        """
        settings = self._settings
        if settings.metrics_port is not None:
            paths = {"/healthz": self.healthz, "/metrics": self.metrics}
            self._listener = Listener(settings.metrics_host, settings.metrics_port, paths)
            _log.info("metrics_listening", host=settings.metrics_host, port=self._listener.port)
        self._thread.start()
        if threading.current_thread() is threading.main_thread():
            reader, self._writer = os.pipe()
            os.set_blocking(self._writer, False)
            signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
            threading.Thread(target=self._hear_signals, args=(reader,), name="signals", daemon=True).start()

    def close(self) -> None:
        """Stop telling."""
        self._ended.set()
        if self._writer is not None:
            signal.set_wakeup_fd(-1)
            os.close(self._writer)
            self._writer = None
        if self._listener is not None:
            self._listener.close()

    def healthz(self) -> Answer:
        """Answer how the process does: 200, or 503 with what is wrong and since when."""
        problems = self.health.problems()
        document = {
            "status": "unwell" if problems else "ok",
            "process": self.process,
            "problems": [{"problem": it.problem, "detail": it.detail, "since": it.since} for it in problems],
        }
        status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
        return Answer(orjson.dumps(document), "application/json", status)

    def metrics(self) -> Answer:
        """Answer all metrics."""
        for watched in self.health.watched:
            watched.measure()
        self.meters.replace(PROBLEMS, {(it.problem,): 1.0 for it in self.health.problems()})
        return Answer(self.meters.exposition(), CONTENT_TYPE)

    def told_to_end(self) -> None:
        """Note that the process was asked to end, and see that it does."""
        if not self.health.is_ending:
            self.health.is_ending = True
            threading.Thread(target=self._cut_off, name="cut-off", daemon=True).start()

    def _hear_signals(self, reader: int) -> None:
        """Hear what Python's own handlers hear only after the call of a client library that the main thread is in."""
        while heard := os.read(reader, 1):
            if heard[0] in (signal.SIGTERM, signal.SIGINT):
                self.told_to_end()
        os.close(reader)

    def _cut_off(self) -> None:
        time.sleep(self._settings.drain_seconds)
        _log.error("cut_off", after_seconds=self._settings.drain_seconds, stacks=_stacks())
        os._exit(EXIT_CUT_OFF)

    def _look_on(self) -> None:
        looked_at = time.monotonic()
        while not self._ended.wait(self._look_seconds):
            now = time.monotonic()
            try:
                self._look(now - looked_at)
            except Exception:  # noqa: BLE001  # nothing may end this thread unseen
                _log.exception("watchdog_failed")
            looked_at = now

    def _look(self, elapsed_seconds: float) -> None:
        works = [work for watched in self.health.watched for work in watched.works()]
        works += self._partitions()
        if not self._settings.stall_seconds or self.health.is_ending:
            return
        standing = self._watchdog.look(works, elapsed_seconds)
        self.health.stands(standing)
        if stuck := [it for it in standing if it.is_stuck]:
            self._judge(stuck)

    def _partitions(self) -> list[Work]:
        """Compare positions with the ends of logs, and measure the lag by the way."""
        if self._broker is None:
            return []
        patience: dict[Partition, float] = {}
        positions: dict[Partition, int] = {}
        for watched in self.health.watched:
            found = watched.positions()
            positions |= found
            patience |= dict.fromkeys(found, watched.partition_patience)
        ends = self._broker.ends(positions)
        if positions or self._is_broker_away:
            self._note_broker(None if ends else self._broker.absence())
        behind = {source: max(0, end - positions[source]) for source, end in ends.items()}
        if ends or not positions:
            self.meters.replace(LAG, {(self._suffix(topic), str(number)): n for (topic, number), n in behind.items()})
        return [
            Work(f"{topic}[{number}]", position, behind.get((topic, number), 0) > 0, patience[topic, number])
            for (topic, number), position in positions.items()
        ]

    def _note_broker(self, absence: str | None) -> None:
        """Log it once that the broker went away, and once that it is back."""
        if absence is not None and not self._is_broker_away:
            _log.warning("broker_away", reason=absence)
        elif absence is None and self._is_broker_away:
            _log.info("broker_back")
        self._is_broker_away = absence is not None

    def _suffix(self, topic: str) -> str:
        return topic.removeprefix(self._prefix)

    def _judge(self, stuck: Sequence[Standstill]) -> None:
        """End the process, unless what it waits for is away: then nothing else would fare better."""
        away = {what: words for what, words in self.health.troubles().items() if what in _AWAY}
        away |= self.health.absences()
        if away:
            self._watchdog.excuse()
            _log.info("standing_still", because=sorted(away), works=[it.name for it in stuck])
            return
        _log.critical("stuck", works={it.name: round(it.seconds, 1) for it in stuck}, stacks=_stacks())
        os._exit(EXIT_STUCK)


def _stacks() -> dict[str, list[str]]:
    """Where each thread is, innermost last: lines of code, no values."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        f"{names.get(ident, 'unknown')}-{ident}": [
            f"{entry.filename}:{entry.lineno} {entry.name}" for entry in traceback.extract_stack(frame)[-_FRAMES:]
        ]
        for ident, frame in sys._current_frames().items()
        if ident != threading.get_ident()
    }
