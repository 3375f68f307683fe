"""Runledger: the exact ledger of AI-agent runs.

The public names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runledger.producers import (
        ClosedError,
        DeliveryError,
        InvalidEventError,
        ProducerError,
        QueueFullError,
        Run,
        RunClient,
        RunEndedError,
        write_run_log,
    )

__all__ = [
    "ClosedError",
    "DeliveryError",
    "InvalidEventError",
    "ProducerError",
    "QueueFullError",
    "Run",
    "RunClient",
    "RunEndedError",
    "write_run_log",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("runledger.producers"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
