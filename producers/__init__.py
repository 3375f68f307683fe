"""The SDK: everything by which events come into the log."""

from runledger.producers.async_client import AsyncRunClient
from runledger.producers.async_run import AsyncRun
from runledger.producers.client import RunClient
from runledger.producers.errors import (
    ClosedError,
    ConfigurationError,
    DeliveryError,
    FileFormatError,
    InvalidEventError,
    ProducerError,
    QueueFullError,
    RunEndedError,
    SpoolLockedError,
    Undelivered,
)
from runledger.producers.run import Run
from runledger.producers.service import write_run_log
from runledger.producers.settings import ProducerSettings
from runledger.producers.stats import Stats

__all__ = [
    "AsyncRun",
    "AsyncRunClient",
    "ClosedError",
    "ConfigurationError",
    "DeliveryError",
    "FileFormatError",
    "InvalidEventError",
    "ProducerError",
    "ProducerSettings",
    "QueueFullError",
    "Run",
    "RunClient",
    "RunEndedError",
    "SpoolLockedError",
    "Stats",
    "Undelivered",
    "write_run_log",
]
