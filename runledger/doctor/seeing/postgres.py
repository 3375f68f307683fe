"""Ask Postgres: every question bounded in time, none that writes; what it refuses is `Unseen`, with what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg.rows import class_row

from runledger.doctor.broker_facts import Refusal
from runledger.doctor.facts import Unseen

Connection: TypeAlias = psycopg.Connection[Any]
_RowT = TypeVar("_RowT")
_CONNECT_SECONDS = 4
_BOUNDS = "SET statement_timeout = '4s'; SET lock_timeout = '2s'; SET timezone = 'UTC'"


@cache
def question(name: str) -> bytes:
    """Return the question in `sql/<name>.sql`; it takes parameters only."""
    return files("runledger.doctor").joinpath("sql", f"{name}.sql").read_bytes()


@contextmanager
def connected(uri: str) -> Iterator[Connection]:
    """Open a connection for some questions.

    Raises:
        psycopg.Error: nobody is let in.
    """
    with psycopg.connect(
        uri, autocommit=True, application_name="runledger-doctor", connect_timeout=_CONNECT_SECONDS
    ) as connection:
        connection.execute(_BOUNDS)
        yield connection


def ask(connection: Connection, row: type[_RowT], name: str, named: Mapping[str, object] | None = None) -> list[_RowT]:
    """Ask one question; its columns are the row's fields."""
    with connection.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(question(name), named).fetchall()


def values(connection: Connection, name: str, named: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
    """Ask one question; return its rows as they are."""
    return connection.execute(question(name), named).fetchall()


def unseen(error: psycopg.Error, what: str, role: str) -> Unseen:
    """Say why a question was not answered.

    Args:
        error: what the server said.
        what: what was asked for.
        role: whose members may ask.
    """
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return Unseen(
                f"our login may not read {what}",
                f"run this as the tables' owner, or as a member of {role}",
            )
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn():
            return Unseen("the tables are missing or of another version, see above")
        case psycopg.errors.LockNotAvailable() | psycopg.errors.QueryCanceled():
            return Unseen(f"somebody has {what} locked, or the server is very slow; see sessions")
        case _:
            return Unseen(f"the database does not tell {what}: {first_line(error)}")


def first_line(error: Exception) -> str:
    """The first line of an error's words."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def refusal_of(error: psycopg.Error, uri: str, variable: str = "RUNLEDGER_POSTGRES") -> Refusal:
    """Say why nobody is let in.

    Args:
        error: of connecting.
        uri: the address.
        variable: the variable that holds the address.
    """
    words, state = " ".join(str(error).split()), error.sqlstate
    if isinstance(error, psycopg.ProgrammingError) and state is None:
        # Its text would quote the URI, and with it the password.
        return Refusal(f"{variable} is no connection URI", "write it as postgresql://user@host:5432/database")
    for marks, found, remedy in _REFUSALS:
        if any(mark in words for mark in marks):
            return Refusal(f"{_place(uri)}: {found} ({_short(words)})", remedy.format(variable=variable))
    return Refusal(
        f"{_place(uri)}: the database lets nobody in ({_short(words)})", f"see the server's log, and {variable}"
    )


_REFUSALS = (
    (
        ("Connection refused",),
        "no database server listens there",
        "start the server, or set {variable} to one that runs",
    ),
    (
        (
            "could not translate host name",
            "failed to resolve host",
            "Name or service not known",
            "No address associated",
        ),
        "no host is called so",
        "set {variable} to a host that exists, or mend its name service",
    ),
    (
        ("timeout expired", "timed out", "No route to host", "Network is unreachable"),
        "the database server does not answer",
        "see whether it runs, and whether a firewall is between; or set {variable} to another",
    ),
    (
        ("password authentication failed", "no password supplied", "Peer authentication failed"),
        "the database does not believe who we are",
        "set {variable} to the right user and password (or PGPASSFILE to a file that holds it)",
    ),
    (
        ("certificate verify failed", "server certificate", "does not match host name", "root certificate file"),
        "TLS: the server's certificate is not trusted",
        "set sslrootcert in {variable} to the authority that signed it, and the host to the name it was made for",
    ),
    (
        ("does not support SSL", "SSL was required"),
        "TLS: the server has none",
        "turn TLS on at the server, or set sslmode in {variable}",
    ),
    (("no pg_hba.conf entry",), "the server does not let us in from here", "add a line for us to its pg_hba.conf"),
    (
        ("too many clients", "remaining connection slots", "too many connections"),
        "every connection is taken",
        "end sessions that are not needed, or raise max_connections (or the connection limit of role or database)",
    ),
    (
        ("is starting up", "is shutting down", "in recovery mode", "not yet accepting"),
        "the server starts or stops just now",
        "look again in a minute; see the server's log if it stays so",
    ),
    (
        ("is not permitted to log in", "permission denied for database"),
        "this user may not connect to the database",
        "set {variable} to another user, or let this one LOGIN and CONNECT",
    ),
    (
        ("does not exist",),
        "there is no such database or user",
        "make it (CREATE DATABASE …), or set {variable} to one that is there; then `runledger migrate`",
    ),
)
"""(what the library's words hold, what it means, what to do): errors of connecting bear no SQLSTATE."""


def _place(uri: str) -> str:
    """Host, port and database of an address, and nothing secret."""
    parts = psycopg.conninfo.conninfo_to_dict(uri)
    host, port = parts.get("host") or "local socket", parts.get("port") or "5432"
    return f"{host}:{port}/{parts.get('dbname') or ''}"


def _short(words: str) -> str:
    """The last of the reasons: one for each address that was tried."""
    return words.rpartition(" failed: ")[2].removeprefix("FATAL: ").strip()[:200] or words[:200]
