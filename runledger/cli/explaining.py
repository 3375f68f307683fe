"""Errors we know how to explain, each in one line that says what to do."""

from __future__ import annotations

import psycopg
from confluent_kafka import KafkaException
from pydantic import ValidationError

from runledger.access.errors import AccessError
from runledger.analytics.errors import AnalyticsError
from runledger.dlq.errors import DeadLetterError
from runledger.erasing import ErasureError
from runledger.producers.errors import ProducerError
from runledger.replaying import NotScoredError
from runledger.resolving import FingerprintError
from runledger.schemas.errors import SchemaError
from runledger.settings_log import SettingsError
from runledger.sinks.errors import SinkError
from runledger.stack.errors import StackError
from runledger.topic_admin import TopicError

EXPLAINED = (
    AccessError,
    AnalyticsError,
    DeadLetterError,
    ErasureError,
    FingerprintError,
    StackError,
    ProducerError,
    SchemaError,
    SettingsError,
    SinkError,
    TopicError,
    NotScoredError,
    psycopg.Error,
    KafkaException,
    ValidationError,
)


def explain(error: Exception) -> str:
    """Say what is wrong, in one line unless the error itself holds the tail of a log."""
    match error:
        case psycopg.Error():
            return _explain_postgres(error)
        case KafkaException():
            return f"Kafka does not answer: {error.args[0].str()}"
        case ValidationError():
            return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        case _:
            return str(error)


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
