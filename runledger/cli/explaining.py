"""Errors we know how to explain, each in one line that says what to do."""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Callable

import psycopg
from confluent_kafka import KafkaException
from pydantic import ValidationError

from runledger.access.errors import AccessError, NoProjectError, NoWebhookError
from runledger.analytics.errors import AnalyticsError, ReadUnavailableError, UnknownProjectError
from runledger.cli.errors import AmbiguousError, NotFoundError
from runledger.dlq.errors import DeadLetterError, NoLetterError
from runledger.erasing import ErasureError
from runledger.producers.errors import ProducerError
from runledger.replaying import NotScoredError
from runledger.resolving import FingerprintError, UnknownFingerprintError
from runledger.schemas.errors import SchemaError
from runledger.settings_log import SettingsError
from runledger.sinks.errors import SinkError
from runledger.stack.errors import StackError
from runledger.subscribers.errors import SubscriptionError
from runledger.topic_admin import TopicError

EXIT_FAILED = 1
EXIT_NOT_FOUND = 5
EXIT_DEFECT = 70
"""As of a worker that met something unexpected."""
EXPLAINED = (
    AccessError,
    AmbiguousError,
    AnalyticsError,
    DeadLetterError,
    ErasureError,
    FingerprintError,
    NotFoundError,
    StackError,
    SubscriptionError,
    ProducerError,
    SchemaError,
    SettingsError,
    SinkError,
    TopicError,
    NotScoredError,
    psycopg.Error,
    KafkaException,
    ValidationError,
    OSError,
)
_NEXT_STEPS: dict[type[Exception], str] = {
    ReadUnavailableError: "; `runledger doctor` says what is wrong and what to do",
    UnknownProjectError: "; `runledger project list` shows those that are there",
}
"""Said behind errors that others than a person at a terminal read too."""
_NOT_FOUND = (
    NotFoundError,
    NoLetterError,
    NoProjectError,
    NoWebhookError,
    UnknownFingerprintError,
    UnknownProjectError,
)


def exit_code(error: Exception) -> int:
    """Say in one number what is wrong: what was asked for is not there, it could not be done, or we have a defect."""
    if isinstance(error, _NOT_FOUND):
        return EXIT_NOT_FOUND
    return EXIT_FAILED if isinstance(error, EXPLAINED) else EXIT_DEFECT


def explain(error: Exception) -> str:
    """Say what is wrong, in one line unless the error itself holds the tail of a log."""
    match error:
        case psycopg.Error():
            return _explain_postgres(error)
        case KafkaException():
            return f"Kafka does not answer: {error.args[0].str()}"
        case ValidationError():
            return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        case OSError(strerror=str(why), filename=str(name)):
            return f"{name}: {why}"
        case _:
            return f"{str(error) or type(error).__name__}{_NEXT_STEPS.get(type(error), '')}"


def confess(error: Exception, redact: Callable[[str], str]) -> str:
    """Say in one line that we have a defect, and where its details are kept for who reports it.

    Args:
        error: what nobody expected.
        redact: takes secrets out of a text.
    """
    details = redact("".join(traceback.format_exception(error)))
    file, name = tempfile.mkstemp(prefix="runledger-", suffix=".txt")
    with os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace") as written:
        written.write(details)
    first = _first_line(error)[:200]
    return f"a defect of runledger: {type(error).__name__}: {first}; please report it with the details in {name}"


def _explain_postgres(error: psycopg.Error) -> str:
    match error:
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn():
            return f"the database holds no ledger of this version ({_first_line(error)}); run `runledger migrate`"
        case psycopg.ProgrammingError(sqlstate=None):
            # Its text would quote the URI, and with it the password.
            return "RUNLEDGER_POSTGRES is no connection URI, such as postgresql://user@host:5432/database"
        case psycopg.OperationalError(sqlstate=None):
            return f"no connection to Postgres: {' '.join(str(error).split())}"
        case _:
            return f"Postgres refused ({error.sqlstate}): {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
