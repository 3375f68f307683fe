"""The vitals of this process: an entry point has them kept, everybody tells them; where none are kept, telling is free.

So code that counts, or says how far it has come, also runs in a test and in an agent's program.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runledger.vitals.keeper import Keeper
from runledger.vitals.metrics import Metric
from runledger.vitals.watched import Watched

_keeper: Keeper | None = None


@contextmanager
def kept_by(keeper: Keeper) -> Iterator[None]:
    """Have this process's vitals kept for the length of a block."""
    global _keeper  # noqa: PLW0603  # a process has one health, as it has one log
    keeper.start()
    _keeper = keeper
    try:
        yield
    finally:
        _keeper = None
        keeper.close()


def count(metric: Metric, amount: float, *values: str) -> None:
    """Add to a counter; once for each batch, never for each record."""
    if _keeper is not None:
        _keeper.meters.count(metric, amount, *values)


def put(metric: Metric, value: float, *values: str) -> None:
    """Set a gauge."""
    if _keeper is not None:
        _keeper.meters.put(metric, value, *values)


def observe(metric: Metric, value: float, *values: str) -> None:
    """Add to a histogram."""
    if _keeper is not None:
        _keeper.meters.observe(metric, value, *values)


def watch(watched: Watched) -> None:
    """Have this asked how it does, from now on."""
    if _keeper is not None:
        _keeper.health.watch(watched)


def told_to_end() -> None:
    """Say that the process was asked to end: it will, within its bound."""
    if _keeper is not None:
        _keeper.told_to_end()
