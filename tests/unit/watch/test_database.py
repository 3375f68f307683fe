from __future__ import annotations

import psycopg
import pytest

from runledger.watch.database import heals, reason_of


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("connection refused"),
        psycopg.errors.AdminShutdown(),
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.QueryCanceled(),
        psycopg.errors.ReadOnlySqlTransaction(),
        psycopg.errors.DiskFull(),
        TimeoutError(),
    ],
)
def test_heals_what_waiting_mends(error: Exception) -> None:
    assert heals(error)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.UndefinedTable(),
        psycopg.errors.InsufficientPrivilege(),
        psycopg.errors.CheckViolation(),
        psycopg.ProgrammingError("no URI"),
        ValueError(),
    ],
)
def test_heals_nothing_else(error: Exception) -> None:
    assert not heals(error)


def test_reason_of_quotes_neither_address_nor_value() -> None:
    assert reason_of(psycopg.OperationalError("password=secret")) == "OperationalError"
    assert reason_of(psycopg.errors.UndefinedTable("relation")) == "42P01"
    assert reason_of(TimeoutError()) == "TimeoutError"
