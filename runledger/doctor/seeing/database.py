"""Look at the database: the server, who hinders whom, the tables and what waits in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import orjson
import psycopg

from runledger.access.errors import BadKeyError
from runledger.access.keys import ApiKey
from runledger.doctor.broker_facts import Partition, Refusal
from runledger.doctor.database_facts import (
    Connections,
    Database,
    Outbox,
    Projects,
    Reading,
    Roles,
    Session,
    Sessions,
    Tables,
    Webhooks,
)
from runledger.doctor.facts import Facts, Seen, Unseen
from runledger.doctor.grants import roles, table_grants, tables
from runledger.doctor.seeing.postgres import Connection, ask, connected, first_line, refusal_of, unseen, values
from runledger.schemas.topics import ALL_TOPICS
from runledger.sinks.offsets import Position
from runledger.sinks.revisions import known_revisions

AWAY = Unseen("the database lets nobody in, see above")
_LONG_SECONDS = 300.0
"""A transaction that lasts longer keeps the server from removing what nobody needs any more."""
_VERSION = "alembic_version", "SELECT"
_FactT = TypeVar("_FactT")


class DatabaseEye:
    """Looks at one database.

    Args:
        uri: connection URI.
        facts: set one by one.
        prefix: of the topics.
    """

    def __init__(self, uri: str, facts: Facts, prefix: str) -> None:
        self._uri, self._facts, self._prefix = uri, facts, prefix

    def look(self, project: str | None, environ: Mapping[str, str]) -> None:
        """Look at everything.

        Args:
            project: the one that is asked for.
            environ: the environment, for its API key.
        """
        facts = self._facts
        try:
            with connected(self._uri) as connection:
                facts.database = self._server(connection)
                connection.execute("SET default_transaction_read_only = on")
                facts.connections = self._try(lambda: ask(connection, Connections, "select_connections")[0], "limits")
                facts.sessions = self._try(lambda: self._sessions(connection), "sessions", "pg_read_all_stats")
                facts.tables = self._see_tables(connection, facts.database.user)
                facts.roles = self._try(lambda: self._roles(connection), "roles")
                self._see_ledger(connection, project, environ)
        except psycopg.Error as error:
            if isinstance(facts.database, Unseen):
                facts.database = Database(refusal_of(error, self._uri))
                facts.miss_database(AWAY)

    @staticmethod
    def _try(look: Callable[[], _FactT], what: str, role: str = "runledger_write") -> Seen[_FactT]:
        try:
            return look()
        except psycopg.OperationalError as error:
            if error.sqlstate is None:
                raise  # the connection is gone
            return unseen(error, what, role)
        except psycopg.Error as error:
            return unseen(error, what, role)

    @staticmethod
    def _server(connection: Connection) -> Database:
        asked = time.time()
        told = values(connection, "select_server")[0]
        answered = time.time()
        off = (answered - asked) / 2
        version, user, name, in_recovery, read_only, encoding, unsafe, told_at = told
        return Database(
            None,
            version,
            user,
            name,
            in_recovery,
            read_only,
            encoding,
            tuple(unsafe),
            told_at.timestamp() - (asked + off),
            off,
        )

    def _sessions(self, connection: Connection) -> Sessions:
        bounds = {"patience": min(10.0, self._facts.patience_seconds), "long": _LONG_SECONDS}
        found = ask(connection, Session, "select_sessions", bounds)
        return Sessions(tuple(found), values(connection, "select_monitoring")[0][0])

    def _see_tables(self, connection: Connection, user: str) -> Seen[Tables]:
        try:
            return self._tables(connection)
        except psycopg.errors.InsufficientPrivilege:
            remedy = "run this as the tables' owner, or have the owner let us"
            return Unseen("our login may not read the tables' version", remedy, _grant(f'"{user}"', *_VERSION))

    @staticmethod
    def _tables(connection: Connection) -> Tables:
        known = known_revisions()
        try:
            found = values(connection, "select_revision")
        except psycopg.errors.UndefinedTable:
            found = []
        there = {row[0] for row in values(connection, "select_relations")}
        gone = tuple(table for table in tables() if table not in there) if found else ()
        return Tables(found[0][0] if found else None, known[-1], known, gone)

    @staticmethod
    def _roles(connection: Connection) -> Roles:
        wanted = roles()
        there = {row[0] for row in values(connection, "select_roles", {"roles": list(wanted)})}
        missing = tuple(role for role in wanted if role not in there)
        grants = [
            {"role": one.role, "object": one.table, "verb": one.verb} for one in table_grants() if one.role in there
        ]
        if "runledger_write" in missing:
            return Roles(missing, ())
        lacking = values(connection, "select_grants", {"wanted": orjson.dumps(grants).decode()})
        return Roles(
            missing, tuple((role, f"{verb} on {name}", _grant(role, name, verb)) for role, name, verb in lacking)
        )

    def _see_ledger(self, connection: Connection, project: str | None, environ: Mapping[str, str]) -> None:
        facts = self._facts
        facts.sink_positions = self._try(lambda: self._positions(connection), "the sink's positions")
        facts.watermark = self._try(
            lambda: values(connection, "select_watermark_age")[0][0], "the watermark", "runledger_read"
        )
        facts.outbox = self._try(lambda: ask(connection, Outbox, "select_outbox")[0], "the outbox")
        facts.webhooks = self._try(
            lambda: ask(connection, Webhooks, "select_deliveries")[0], "deliveries", "runledger_read"
        )
        facts.projects = self._try(lambda: self._projects(connection, project, environ), "projects", "runledger_access")

    def _positions(self, connection: Connection) -> dict[Partition, Position]:
        topics = [topic.name(self._prefix) for topic in ALL_TOPICS]
        found = values(connection, "select_sink_positions", {"topics": topics})
        return {(topic, partition): Position(*place) for topic, partition, *place in found}

    @staticmethod
    def _projects(connection: Connection, project: str | None, environ: Mapping[str, str]) -> Projects:
        known = tuple(row[0] for row in values(connection, "select_projects"))
        living = None
        if project is not None:
            living = values(connection, "count_living_keys", {"project_key": project})[0][0]
        key = environ.get("RUNLEDGER_API_KEY")
        own = None if not key else _trouble_with_key(connection, key, environ.get("RUNLEDGER_PROJECT"))
        return Projects(known, project, living, own)


def _trouble_with_key(connection: Connection, text: str, project: str | None) -> str:
    try:
        key = ApiKey.parse(text)
    except BadKeyError:
        return "it does not have the form of a key (rl.….…)"
    found = values(connection, "select_key", {"key_id": key.key_id})
    if not found or not key.matches(found[0][0]):
        return "this database knows no such key"
    _, of, revoked_at = found[0]
    if revoked_at is not None and revoked_at <= datetime.now(UTC):
        return f"it was revoked at {revoked_at:%Y-%m-%d %H:%MZ}"
    if project is not None and project != of:
        return f"it is a key of the project {of}, and RUNLEDGER_PROJECT is {project}"
    return ""


def _grant(role: str, name: str, verb: str) -> str:
    kind = {"TEMPORARY": "DATABASE ", "EXECUTE": "FUNCTION "}.get(verb, "")
    quoted = f'"{name}"' if verb == "TEMPORARY" else name
    return f"GRANT {verb} ON {kind}{quoted} TO {role};"


def see_reading(uri: str, variable: str, facts: Facts) -> None:
    """Look whether readers may read, as they would."""
    try:
        with connected(uri) as connection:
            replica, behind_seconds, may_read, user = values(connection, "select_replica")[0]
            if not may_read:
                refusal = f"{user} may not become runledger_read, as every reader does"
                remedy = "let it, as an administrator"
                facts.reading = Reading(Refusal(refusal, remedy), f'GRANT runledger_read TO "{user}";')
                return
            connection.execute("SET ROLE runledger_read")
            connection.execute("SELECT FROM run_rollup LIMIT 1")
            facts.reading = Reading(None, "", replica, behind_seconds if replica else None)
    except psycopg.errors.UndefinedTable:
        facts.reading = Unseen("the tables are missing or of another version, see above")
    except psycopg.Error as error:
        if error.sqlstate is None:
            facts.reading = Reading(refusal_of(error, uri, variable))
        else:
            facts.reading = unseen(error, f"the tables ({first_line(error)})", "runledger_read")
