"""The memory of processes over time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psutil

_MIB = 1024 * 1024


@dataclass
class Memory:
    """Looks at the resident memory of processes again and again, in a thread of its own.

    Args:
        pids: gives {name: process id} as they are now.
        every_seconds: pause between two looks.
    """

    pids: Callable[[], Mapping[str, int]]
    every_seconds: float = 1.0
    samples: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    """(seconds since the beginning, {name: MiB})."""

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(self.every_seconds):
            self.samples.append((round(time.monotonic() - self._began, 1), self._look()))

    def _look(self) -> dict[str, int]:
        found = {}
        for name, pid in dict(self.pids()).items():
            try:
                found[name] = psutil.Process(pid).memory_info().rss // _MIB
            except psutil.Error:
                continue
        return found

    def largest(self) -> dict[str, int]:
        """{name: the most it ever held}."""
        most: dict[str, int] = {}
        for _, sample in self.samples:
            for name, mib in sample.items():
                most[name] = max(most.get(name, 0), mib)
        return most

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._thread.join()
