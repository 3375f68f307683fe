"""The memory of processes over time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import psutil

FLAT_AFTER_SECONDS = 600
FLAT_SHARE = 1.15
"""Of the time after the first ten minutes, the mean of the second half is at most so many times that of the first.

Shorter parts would tell which processes were killed in them: one that has just taken over all partitions holds more
than it did when it folded half of them.
"""
Samples: TypeAlias = list[tuple[float, dict[str, int]]]
"""(seconds since the beginning, {name: MiB})."""
_LEAST_SAMPLES = 60
"""In each half: of fewer, nothing is said."""
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
    samples: Samples = field(default_factory=list)

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
        return {name: mib for name, mib in found.items() if mib}  # one that has ended, and not been waited for, holds 0

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


def average_halves(samples: Samples, kinds: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Average the MiB of each kind's processes together over either half of the time after ten minutes.

    Args:
        samples: from the beginning.
        kinds: how the names of one kind of process begin.

    Returns:
        {kind: (MiB in the first half, MiB in the second)}; {} in a shorter time.
    """
    later = [sample for at, sample in samples if at > FLAT_AFTER_SECONDS]
    half = len(later) // 2
    if half < _LEAST_SAMPLES:
        return {}
    return {kind: (_mean(later[:half], kind), _mean(later[half:], kind)) for kind in kinds}


def growing(samples: Samples, kinds: Iterable[str]) -> list[str]:
    """Name the kinds of process whose memory still grew after ten minutes (O9); none in a shorter time.

    Args:
        samples: as of `average_halves`.
        kinds: as of `average_halves`.
    """
    return [kind for kind, (first, last) in average_halves(samples, kinds).items() if last > FLAT_SHARE * first]


def _mean(samples: list[dict[str, int]], kind: str) -> float:
    """What all processes of a kind hold together: they share the partitions, and die and return in turn."""
    return sum(mib for sample in samples for name, mib in sample.items() if name.startswith(kind)) / len(samples)
