"""Runledger: the exact ledger of AI-agent runs.

The public names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runledger.producers import (
        AsyncRun,
        AsyncRunClient,
        ClosedError,
        ConfigurationError,
        DeliveryError,
        InvalidEventError,
        ProducerError,
        ProducerSettings,
        QueueFullError,
        Run,
        RunClient,
        RunEndedError,
        Stats,
        write_run_log,
    )
    from runledger.subscribers import Received, Subscription, SubscriptionError, Tombstone, subscribe

__all__ = [
    "AsyncRun",
    "AsyncRunClient",
    "ClosedError",
    "ConfigurationError",
    "DeliveryError",
    "InvalidEventError",
    "ProducerError",
    "ProducerSettings",
    "QueueFullError",
    "Received",
    "Run",
    "RunClient",
    "RunEndedError",
    "Stats",
    "Subscription",
    "SubscriptionError",
    "Tombstone",
    "subscribe",
    "write_run_log",
]

_OF_SUBSCRIBERS = {"Received", "Subscription", "SubscriptionError", "Tombstone", "subscribe"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "runledger.subscribers" if name in _OF_SUBSCRIBERS else "runledger.producers"
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
