"""Judge the database server: lets us in, can be written, is of the right version, and nobody hinders it."""

from __future__ import annotations

from collections.abc import Iterator

from runledger.doctor.database_facts import Connections, Database, Reading, Roles, Session, Sessions, Tables
from runledger.doctor.findings import Finding, count, lasting, ok, problem, some, unknown, warning

_LEAST_VERSION = 140_000
"""date_bin, on which the figures rest, came with PostgreSQL 14."""
_FEW = 10
_REPLICA_SECONDS = 30.0
_MIGRATE = "runledger migrate"


def judge_database(database: Database) -> Iterator[Finding]:
    """The database lets us in, and is of a version that the tables need."""
    if database.refusal is not None:
        yield problem(database.refusal.found, database.refusal.remedy)
    elif database.version < _LEAST_VERSION:
        yield problem(f"PostgreSQL {database.version // 10_000} is too old", "run PostgreSQL 14 or newer")
    else:
        yield ok(f"PostgreSQL {database.version // 10_000}, database {database.name}, user {database.user}")


def judge_writing(database: Database) -> Iterator[Finding]:
    """The database can be written, takes any text, and keeps what it has committed."""
    if database.refusal is not None:
        return
    findings = [*_writing(database)]
    yield from findings
    if not findings:
        yield ok("can be written, UTF-8, keeps what it commits")


def _writing(database: Database) -> Iterator[Finding]:
    if database.in_recovery:
        yield problem(
            "RUNLEDGER_POSTGRES is a standby: nothing can be written",
            "set it to the primary; readers may use the standby by RUNLEDGER_POSTGRES_READ",
        )
    elif database.read_only:
        yield problem(
            f"default_transaction_read_only is on for {database.user} in {database.name}: nothing can be written",
            "turn it off where it was set (server, database or role)",
            f'ALTER DATABASE "{database.name}" RESET default_transaction_read_only; '
            f'ALTER ROLE "{database.user}" RESET default_transaction_read_only;',
        )
    if database.encoding != "UTF8":
        yield problem(
            f"the database's encoding is {database.encoding}: it refuses texts that agents write",
            "make a database with ENCODING 'UTF8' TEMPLATE template0, point RUNLEDGER_POSTGRES to it, and migrate",
        )
    if database.unsafe:
        yield warning(
            f"{' and '.join(database.unsafe)} off: if its machine goes down, the database may be damaged",
            "turn on",
            "".join(f"ALTER SYSTEM RESET {name}; " for name in database.unsafe) + "SELECT pg_reload_conf();",
        )


def judge_tables(tables: Tables) -> Iterator[Finding]:
    """The tables are of this program's version."""
    if tables.revision is None:
        yield problem("there are no tables of the ledger", "make them", _MIGRATE)
    elif tables.revision not in tables.known:
        yield problem(
            f"the tables are of migration {tables.revision}, which this program does not know (its newest is "
            f"{tables.newest})",
            "use a runledger at least as new as the one that migrated; RUNLEDGER_POSTGRES may also be another ledger's",
        )
    elif tables.revision != tables.newest:
        behind = len(tables.known) - 1 - tables.known.index(tables.revision)
        yield problem(
            f"{count(behind, 'migration')} missing: the tables are of {tables.revision}, this program of "
            f"{tables.newest}",
            "bring them to the newest",
            _MIGRATE,
        )
    elif tables.gone:
        yield problem(
            f"tables are gone though migration {tables.revision} made them: {some(list(tables.gone))}",
            "restore them from a backup: what they held may be nowhere else",
        )
    else:
        yield ok(f"of migration {tables.revision}, the newest")


def judge_roles(roles: Roles) -> Iterator[Finding]:
    """The group roles are there and may do their work."""
    for role in roles.missing:
        yield problem(
            f"the role {role} is missing", "have an administrator make it, then migrate", f"CREATE ROLE {role} NOLOGIN;"
        )
    lacking: dict[str, list[tuple[str, str]]] = {}
    for role, what, sql in roles.lacking:
        lacking.setdefault(role, []).append((what, sql))
    for role, rights in lacking.items():
        yield warning(
            f"{role} lacks {some([what for what, _ in rights])}",
            "grant it again; logins that are members of the role work less than they should",
            " ".join(sql for _, sql in rights),
        )
    if not roles.missing and not roles.lacking:
        yield ok("each has its rights")


def judge_connections(connections: Connections) -> Iterator[Finding]:
    """There are connections left."""
    left = connections.most - connections.taken
    found = f"{connections.taken} of {connections.most} are taken ({connections.limit})"
    if left < _FEW:
        yield (problem if left <= 1 else warning)(
            f"{found}: workers that start find none",
            "end sessions that are not needed, raise the limit, or put a pooler (session mode) in between",
        )
    else:
        yield ok(found)


def judge_sessions(sessions: Sessions) -> Iterator[Finding]:
    """Nobody holds locks that others wait for, or a transaction that keeps old rows alive."""
    for one in sessions.long:
        yield _judge_session(one)
    if not sessions.all_seen:
        yield unknown(
            "what other users' sessions do is not shown to us",
            "let this user see it, as an administrator",
            "GRANT pg_read_all_stats TO CURRENT_USER;",
        )
    elif not sessions.long:
        yield ok("nobody waits for locks, no transaction lasts long")


def _judge_session(one: Session) -> Finding:
    who = f"session {one.pid} ({one.user}{f', {one.program}' if one.program else ''})"
    command = f"SELECT pg_terminate_backend({one.pid});"
    if one.blocked:
        return problem(
            f"{count(one.blocked, 'session')} {'waits' if one.blocked == 1 else 'wait'} for locks of {who}, "
            f"whose transaction has lasted {lasting(one.seconds)}",
            "end that transaction; if it is nobody's any more, its session",
            command,
        )
    return warning(
        f"the transaction of {who} has lasted {lasting(one.seconds)} ({one.state or 'state unknown'}): meanwhile no "
        "old row "
        "is removed",
        "end it, if nobody needs it",
        command,
    )


def judge_reading(reading: Reading) -> Iterator[Finding]:
    """Readers may read, and what they read is not old."""
    if reading.refusal is not None:
        yield problem(reading.refusal.found, reading.refusal.remedy, reading.command)
    elif reading.behind_seconds is not None and reading.behind_seconds > _REPLICA_SECONDS:
        yield warning(
            f"the standby that readers use is {lasting(reading.behind_seconds)} behind",
            "see whether its replication runs (pg_stat_wal_receiver), or point RUNLEDGER_POSTGRES_READ elsewhere",
        )
    else:
        yield ok(f"readers may read{' a standby that keeps up' if reading.replica else ''}")
