"""What can go wrong in a benchmark.

BenchmarkError
├── TooSlowError: a contestant did not end within its deadline
├── EndedError: a contestant's process ended before its work was done
├── WrongResultError: a contestant's sums are not the generator's
└── NotInstalledError: a peer's environment is missing
"""

from __future__ import annotations


class BenchmarkError(Exception):
    """A benchmark has no result; the message says why."""


class TooSlowError(BenchmarkError):
    """A contestant did not end within its deadline."""


class EndedError(BenchmarkError):
    """A contestant's process ended before its work was done."""


class WrongResultError(BenchmarkError):
    """A contestant's sums are not the generator's."""


class NotInstalledError(BenchmarkError):
    """A peer's environment is missing."""
