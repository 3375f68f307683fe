"""Structured logs: one JSON object a line on stderr, and nothing else there."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from types import TracebackType

import structlog

from runledger.redaction import redactor

_CHATTY = ("aiokafka", "mode", "faust", "alembic", "asyncio")
"""Above DEBUG always: building their debug records took 9 % of a processor's time."""
_SELDOM = ("aiokafka", "kafka")
_SELDOM_SECONDS = 60.0


class _Seldom(logging.Filter):
    """Lets each message of a client's library through once a minute: a broker that is away makes it repeat itself."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is to be logged."""
        if not record.name.startswith(_SELDOM):
            return True
        message, now = (record.name, str(record.msg)), time.monotonic()
        if now - self._said.get(message, -_SELDOM_SECONDS) < _SELDOM_SECONDS:
            return False
        self._said[message] = now
        return True


def configure(process: str) -> None:
    """Send every log line of this process to stderr as JSON, without the secrets of its environment.

    Args:
        process: name that stands in every line, such as "sink".
    """
    level = logging.getLevelNamesMapping().get(os.environ.get("RUNLEDGER_LOG_LEVEL", "INFO").upper(), logging.INFO)
    said_always = {"process": process, "pid": os.getpid()}

    def name_process(
        _logger: structlog.typing.WrappedLogger, _name: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        # Not by context variables: a thread begins without those of the thread that started it.
        return {**said_always, **event}

    shared: list[structlog.typing.Processor] = [
        name_process,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    redact = redactor(os.environ)

    def render(logger: structlog.typing.WrappedLogger, name: str, event: structlog.typing.EventDict) -> str:
        return redact(str(structlog.processors.JSONRenderer()(logger, name, event)))

    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    sys.excepthook = _log_crash
    threading.excepthook = _log_thread
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Seldom())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=render))
    logging.root.handlers = [handler]
    logging.root.setLevel(max(level, logging.WARNING))
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say what ends the process as one more line of its log; Python's own words would not be redacted."""
    structlog.get_logger().critical("crashed", error=str(error), exc_info=(kind, error, trace))


def _log_thread(ended: threading.ExceptHookArgs) -> None:
    """Say what ended a thread, likewise."""
    name = None if ended.thread is None else ended.thread.name
    structlog.get_logger().error("thread_ended", thread=name, error=str(ended.exc_value), exc_info=ended.exc_value)
