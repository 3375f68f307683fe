from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from runledger.sinks.sqlstate import Decision, decide, decide_error


@pytest.mark.parametrize(
    ("sqlstate", "decision"),
    [
        ("08006", "retry"),  # connection failure
        ("57P01", "retry"),  # admin shutdown
        ("57P02", "retry"),  # crash shutdown
        ("57P03", "retry"),  # cannot connect now
        ("57014", "retry"),  # query canceled
        ("53100", "retry"),  # disk full
        ("53300", "retry"),  # too many connections
        ("25006", "retry"),  # read-only transaction
        ("25P03", "retry"),  # idle-in-transaction timeout
        ("40001", "retry"),  # serialization failure
        ("40P01", "retry"),  # deadlock
        ("55P03", "retry"),  # lock not available
        (None, "retry"),  # no answer at all
        ("22P05", "bisect"),  # untranslatable character
        ("22003", "bisect"),  # out of range
        ("23505", "bisect"),  # unique violation
        ("23514", "bisect"),  # check violation
        ("54000", "bisect"),  # program limit exceeded
        ("42P01", "stop"),  # undefined table
        ("42703", "stop"),  # undefined column
        ("28P01", "stop"),  # wrong password
        ("25001", "stop"),  # active transaction
        ("XX001", "stop"),  # data corrupted
    ],
)
def test_decide_maps_each_class_of_the_design(sqlstate: str | None, decision: Decision) -> None:
    assert decide(sqlstate) == decision


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        (errors.UntranslatableCharacter(), "bisect"),
        (errors.AdminShutdown(), "retry"),
        (errors.UndefinedTable(), "stop"),
        (psycopg.DataError("NUL in text"), "bisect"),
        (psycopg.OperationalError("connection refused"), "retry"),
        (psycopg.InterfaceError("the connection is closed"), "retry"),
        (psycopg.ProgrammingError("a parameter is missing"), "stop"),
    ],
)
def test_decide_error_knows_errors_without_a_code(error: psycopg.Error, decision: Decision) -> None:
    assert decide_error(error) == decision
