"""The SDK: everything by which events come into the log."""

from runledger.producers.client import RunClient
from runledger.producers.errors import (
    ClosedError,
    DeliveryError,
    FileFormatError,
    InvalidEventError,
    ProducerError,
    QueueFullError,
    RunEndedError,
)
from runledger.producers.run import Run
from runledger.producers.service import write_run_log
from runledger.producers.settings import ProducerSettings

__all__ = [
    "ClosedError",
    "DeliveryError",
    "FileFormatError",
    "InvalidEventError",
    "ProducerError",
    "ProducerSettings",
    "QueueFullError",
    "Run",
    "RunClient",
    "RunEndedError",
    "write_run_log",
]
