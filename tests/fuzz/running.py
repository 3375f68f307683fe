"""Run fuzzers: for a time, or briefly and the same each time. A finding ends a fuzzer's run and is told in full."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

SLOWEST_SECONDS = 1.0
"""Nothing that a stranger sends may take longer."""
_HUNG_SECONDS = 20
_AT_ONCE = 400
_CASES = Path(__file__).parent / "cases"
_Input = TypeVar("_Input")


class FindingError(AssertionError):
    """Something that must not happen."""


@dataclass
class Fuzzer(Generic[_Input]):
    """One door or reader, and what is tried on it.

    Args:
        name: of the fuzzer.
        inputs: what is tried.
        check: raises where something is wrong.
        clock: by which an input's time is taken: processor time, but for what waits for a server.
        counts: what checks count besides.
    """

    name: str
    inputs: st.SearchStrategy[_Input]
    check: Callable[[_Input], None]
    clock: Callable[[], float] = time.process_time
    counts: dict[str, int] = field(default_factory=dict)
    tried: int = 0
    slowest_seconds: float = 0.0

    def try_one(self, given_input: _Input) -> None:
        """Check one input, and its time; a time over the bound is measured again, as the machine has other work."""
        taken = self._timed(given_input)
        for _ in range(2):
            if taken <= SLOWEST_SECONDS:
                break
            taken = min(taken, self._timed(given_input))
        self.slowest_seconds = max(self.slowest_seconds, taken)
        self.tried += 1
        if taken > SLOWEST_SECONDS:
            raise FindingError(f"took {taken:.2f} s")

    def _timed(self, given_input: _Input) -> float:
        began = self.clock()
        self.check(given_input)
        return self.clock() - began

    def report(self) -> str:
        """One line of what was done."""
        counts = "".join(f", {count:,} {name}" for name, count in sorted(self.counts.items()))
        return f"{self.name}: {self.tried:,} examples{counts}, slowest {self.slowest_seconds * 1000:.0f} ms"


def kept_cases(name: str) -> list[tuple[str, bytes]]:
    """Inputs of bytes that once were findings: (name, bytes)."""
    return [(path.name, path.read_bytes()) for path in sorted((_CASES / name).glob("*"))]


def run_briefly(fuzzer: Fuzzer[Any], examples: int) -> None:
    """Try so many examples, the same each time."""
    _try(fuzzer, settings(max_examples=examples, derandomize=True, database=None, **_COMMON))


def run_for(fuzzer: Fuzzer[Any], seconds: float, first_seed: int) -> str | None:
    """Try for so long, with new examples each time; return what was found, in full.

    Args:
        fuzzer: which.
        seconds: for how long.
        first_seed: of the first examples; the later ones follow from it.
    """
    database = DirectoryBasedExampleDatabase(Path(".hypothesis") / "fuzz")
    options = settings(max_examples=_AT_ONCE, database=database, print_blob=True, **_COMMON)
    ends_at = time.monotonic() + seconds
    number = first_seed
    while time.monotonic() < ends_at:
        try:
            _try(fuzzer, options, number)
        except Exception:  # noqa: BLE001  # whatever it is, it is what was looked for
            return f"seed {number}\n{traceback.format_exc()}"
        number += 1
    return None


_COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
}


def _try(fuzzer: Fuzzer[Any], options: settings, number: int | None = None) -> None:
    def attempt(given_input: Any) -> None:  # noqa: ANN401  # whatever the fuzzer tries
        with nullcontext() if number is None else _awake():
            fuzzer.try_one(given_input)

    attempt.__qualname__ = fuzzer.name  # the database keeps examples by it
    test = options(given(fuzzer.inputs)(attempt))
    (test if number is None else seed(number)(test))()


@contextmanager
def _awake() -> Iterator[None]:
    """End what hangs."""

    def hung(_number: int, _frame: FrameType | None) -> None:
        raise FindingError(f"hung for {_HUNG_SECONDS} s")

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, _HUNG_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fuzz_seconds() -> float:
    """For how long each fuzzer is to run."""
    return float(os.environ.get("FUZZ_SECONDS", "120"))
