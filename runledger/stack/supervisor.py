"""Keep processes running: start them, see them end, start them again, end them all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import SystemRandom

from runledger.stack.backoff import BackOff
from runledger.stack.errors import ServerFailedError
from runledger.stack.files import tail
from runledger.stack.service import Service
from runledger.stack.state import ServiceState
from runledger.stack.supervised import Supervised

_LOOK_SECONDS = 0.1
_PROBE_STARTING_SECONDS = 0.2
_PROBE_RUNNING_SECONDS = 5.0


class StopRequestedError(Exception):
    """Somebody asked the supervisor to stop while it was starting."""


class Supervisor:
    """Runs groups of services; a later group needs the earlier ones.

    Everything but the probes happens in the thread that calls it. That must be the process's main thread: the kernel
    counts a child as orphaned when the thread that started it ends.

    Args:
        logs: folder for the processes' logs.
        on_change: told the services' states whenever one changed.
        stop_requested: asked often; true ends `start` and `watch`.
        back_off: the waits between restarts.
    """

    def __init__(
        self,
        logs: Path,
        on_change: Callable[[tuple[ServiceState, ...]], None],
        stop_requested: Callable[[], bool],
        back_off: BackOff | None = None,
    ) -> None:
        self._logs = logs
        self._on_change = on_change
        self._stop_requested = stop_requested
        self._back_off = back_off or BackOff()
        self._groups: list[list[Supervised]] = []
        self._told: tuple[ServiceState, ...] = ()
        self._random = SystemRandom()
        self._ended = threading.Event()
        self._prober = threading.Thread(target=self._probe, name="prober", daemon=True)

    def start(self, services: Sequence[Service]) -> None:
        """Start a group and wait until each of it answers.

        Raises:
            ServerFailedError: one ended too often or does not answer in its time.
            StopRequestedError: somebody asked to stop.
        """
        group = [Supervised(service, self._logs) for service in services]
        self._groups.append(group)
        for supervised in group:
            supervised.launch()
        if not self._prober.is_alive():
            self._prober.start()
        began = time.monotonic()
        while waiting := [supervised for supervised in group if supervised.health != "healthy"]:
            self._look()
            for supervised in waiting:
                _refuse_failure(supervised, time.monotonic() - began)
            if self._stop_requested():
                raise StopRequestedError
            time.sleep(_LOOK_SECONDS)
        self._tell()

    def watch(self) -> None:
        """Start again what ends, until asked to stop."""
        while not self._stop_requested():
            self._look()
            time.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        """End the groups, the last one first; kill what does not end in its time."""
        self._ended.set()
        for group in reversed(self._groups):
            for supervised in group:
                supervised.ask_to_end()
            asked = time.monotonic()
            for supervised in group:
                supervised.end_within(asked + supervised.service.grace_seconds)
                self._tell()

    def _look(self) -> None:
        for supervised in self._all():
            if supervised.has_ended():
                supervised.plan_restart(self._back_off, self._random.random())
            supervised.restart_if_due()
        self._tell()

    def _tell(self) -> None:
        states = tuple(supervised.state() for supervised in self._all())
        if states != self._told:
            self._told = states
            self._on_change(states)

    def _all(self) -> list[Supervised]:
        return [supervised for group in self._groups for supervised in group]

    def _probe(self) -> None:
        asked_at: dict[str, float] = {}
        while not self._ended.wait(_LOOK_SECONDS):
            for supervised in self._all():
                pause = _PROBE_RUNNING_SECONDS if supervised.health == "healthy" else _PROBE_STARTING_SECONDS
                if time.monotonic() - asked_at.get(supervised.service.name, 0.0) >= pause:
                    supervised.probe()
                    asked_at[supervised.service.name] = time.monotonic()


def _refuse_failure(supervised: Supervised, waited_seconds: float) -> None:
    service = supervised.service
    if supervised.failures > service.max_early_exits:
        raise ServerFailedError(
            f"{service.name} ended at its start with code {supervised.last_exit}; see {supervised.log}",
            tail(supervised.log),
        )
    if waited_seconds > service.ready_seconds:
        raise ServerFailedError(
            f"{service.name} did not answer within {service.ready_seconds:.0f} s; see {supervised.log}",
            tail(supervised.log),
        )
