"""The only module that opens writing transactions on tables derived from the log (law 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import sleep
from uuid import UUID

import psycopg
import structlog

from runledger.schemas.identifiers import run_key
from runledger.sinks import offsets
from runledger.sinks.batch import Batch
from runledger.sinks.failure_groups import write_failures
from runledger.sinks.loading import load
from runledger.sinks.offsets import Position
from runledger.sinks.records import Partition
from runledger.sinks.rows import EVENT_COLUMNS, Row, as_json, uuid_array
from runledger.sinks.run_tables import write_logs, write_runs
from runledger.sinks.settings import SinkSettings
from runledger.sinks.statements import statement
from runledger.sinks.texts import Texts, texts_of

_log = structlog.get_logger()

_SILENT_SECONDS = 1.0
"""A sink that is long at a COPY and sends nothing of it for so long was stopped; on a slow line, something comes."""
_ERASING = (
    "remember_erasures",
    "erase_runs",
    "erase_run_log",
    "erase_jobs",
    "erase_scores",
    "erase_pruned_runs",
    "erase_refused_events",
)
_MOST_REGISTERED = 100_000
"""Agents remembered; whoever names each run's agent anew costs statements, not memory."""
_MOST_STANDING = 100_000
"""Runs remembered: some 15 MB. One that is not costs the database 3 µs for each of its snapshots, to look it up."""


@dataclass(frozen=True, slots=True)
class OutboxJob:
    """A scoring job that was written with its row and has not been sent."""

    outbox_id: int
    key: bytes
    value: bytes


class Writer:
    """Writes batches and positions through one connection, opened when it is needed.

    Args:
        settings: where the database is, and how long it may take.
        idle_seconds: the server ends a transaction of ours in which nothing happens for so long, so that a stopped
            process does not keep its rows locked.
    """

    def __init__(self, settings: SinkSettings, idle_seconds: float = 10) -> None:
        self._settings = settings
        self._idle_seconds = idle_seconds
        self._unchecked = "compare_and_set" in settings.unsafe_disable
        self._held: psycopg.Connection | None = None
        self._incoming: psycopg.Connection | None = None
        """The connection on which the tables of sql/open_incoming_*.sql were made."""
        self._days: set[date] = set()
        self._registered: set[tuple[str, str | None]] = set()
        """Projects and agents of which this connection knows that they stand in their tables."""
        self._standing: set[bytes] = set()
        """Keys of runs of which it knows the same, or that they were pruned."""

    def connection(self) -> psycopg.Connection:
        """Return the connection, opened anew if it was lost."""
        if self._held is None or self._held.closed:
            self._held = psycopg.connect(
                self._settings.postgres, autocommit=True, connect_timeout=10, application_name="runledger"
            )
            self._configure(self._held)
            self._forget()
        return self._held

    def _configure(self, connection: psycopg.Connection) -> None:
        values = {
            "client_encoding": "UTF8",  # of the text that COPY reads, whatever the database or the environment says
            "TimeZone": "UTC",
            "work_mem": "32MB",  # a batch's rows are sorted and joined in memory
            "jit": "off",  # tables just filled have no statistics: an estimate must not start a compiler
            "statement_timeout": f"{self._settings.statement_timeout_seconds * 1000:.0f}",
            "lock_timeout": f"{self._settings.lock_timeout_seconds * 1000:.0f}",
            "idle_in_transaction_session_timeout": f"{self._idle_seconds * 1000:.0f}",
        }
        for name, value in values.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))

    def close(self) -> None:
        """Close the connection; a transaction that is open is undone."""
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def read_positions(self, sources: Iterable[Partition]) -> dict[Partition, Position]:
        """Read the positions that stand in the database."""
        self._forget()  # another sink may have erased some meanwhile
        return offsets.read_positions(self.connection(), sources)

    def open_positions(self, positions: Mapping[Partition, Position]) -> None:
        """Insert the positions that do not stand in the database yet."""
        offsets.open_positions(self.connection(), positions)

    def write(self, batch: Batch, expected: Mapping[Partition, int], texts: Texts | None = None) -> None:
        """Write a batch and move its positions, in one transaction.

        Args:
            batch: what to write.
            expected: {(topic, partition): next_offset} that the batch begins at.
            texts: the batch's rows as COPY reads them, if they were written ahead.

        Raises:
            PositionConflictError: another consumer has moved a position; nothing was written.
            psycopg.Error: the database refused; nothing was written, unless the connection was lost during the commit.
        """
        connection, texts = self.connection(), texts or texts_of(batch)
        try:
            self._open_incoming(connection)
            self._make_days(connection, {row[0] for row in batch.events})
            try:
                with connection.transaction():
                    self._write(connection, batch, texts, expected)
            except psycopg.errors.UniqueViolation:
                with connection.transaction():
                    self._write(connection, batch, texts, expected, careful=True)
            self._remember(batch)
        except psycopg.errors.LockNotAvailable:
            # No timeout of the server's ends a transaction whose process was stopped in a COPY. Who waits for it does.
            ended = _end_stopped_copies(connection, self._settings.lock_timeout_seconds)
            _log.warning("lock_not_available", stopped_copies_ended=ended)
            raise

    def _write(
        self,
        connection: psycopg.Connection,
        batch: Batch,
        texts: Texts,
        expected: Mapping[Partition, int],
        *,
        careful: bool = False,
    ) -> None:
        """Write a batch within its transaction; with care where a row that seemed new stands."""
        offsets.advance_positions(connection, expected, batch.moves, batch.refusals, unchecked=self._unchecked)
        erases = batch.erasures or batch.erased_projects
        if batch.logs or batch.streaks or batch.scores or erases:
            connection.execute(statement("lock_run_log"), {"alone": bool(batch.scores or erases)})
        self._erase_runs(connection, batch)
        self._erase_agents(connection, batch)
        _run(connection, "remember_refused_events", batch.refused_events)
        _write_events(connection, batch, texts.events)
        write_runs(connection, batch, texts, self._standing, careful=careful)
        # Settings only change rows that stand, so they trust no memory: somebody may have deleted one.
        _register(connection, batch.named if batch.settings else batch.named - self._registered)
        _write_agents(connection, batch)
        _write_run_log(connection, batch, texts, careful=careful)
        _write_scores(connection, batch)
        _run(connection, "upsert_incidents", batch.incidents.values())
        write_failures(connection, batch)

    def _erase_runs(self, connection: psycopg.Connection, batch: Batch) -> None:
        for name in _ERASING:
            _run(connection, name, batch.erasures)
        self._standing -= {run_key(row["project_key"], row["run_id"]) for row in batch.erasures}

    def _erase_agents(self, connection: psycopg.Connection, batch: Batch) -> None:
        for name in ("erase_incidents", "erase_agent_health", "erase_agents", "erase_pruned_agents"):
            _run(connection, name, batch.erased_agents.values())
        _run(connection, "erase_rollup", batch.erased_projects)
        if batch.erased_projects:
            self._standing.clear()  # runs of theirs that were pruned are so no more
        self._registered -= {(row["project_key"], row["agent_id"]) for row in batch.erased_agents.values()}

    def _forget(self) -> None:
        self._registered.clear()
        self._standing.clear()

    def _remember(self, batch: Batch) -> None:
        if len(self._registered) + len(batch.named) > _MOST_REGISTERED:
            self._registered.clear()
        self._registered |= batch.named
        if len(self._standing) + len(batch.runs) > _MOST_STANDING:
            self._standing.clear()
        self._standing |= batch.runs.keys()

    def _open_incoming(self, connection: psycopg.Connection) -> None:
        if self._incoming is not connection:
            with connection.transaction():
                connection.execute(statement("open_incoming_runs"))
                connection.execute(statement("open_incoming_log"))
            self._incoming = connection

    def _make_days(self, connection: psycopg.Connection, days: set[date]) -> None:
        """Make the partitions of run_event that are missing, in transactions of their own."""
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        self._days = {day for day in self._days if day >= yesterday}  # an older one may have been pruned
        for day in sorted(days - self._days):
            _make_day(connection, day)
        self._days |= days

    @contextmanager
    def transaction(self, *, alone: bool) -> Iterator[psycopg.Connection]:
        """Open a transaction for `runledger.sinks.pruning`; if it is to be alone, sinks wait for its end."""
        connection = self.connection()
        with connection.transaction():
            if alone:
                connection.execute(statement("lock_sinks"))
            yield connection

    @contextmanager
    def claimed_jobs(self, limit: int) -> Iterator[list[OutboxJob]]:
        """Claim unsent jobs for the length of the block; what `mark_sent` names in it is committed with it."""
        connection = self.connection()
        with connection.transaction():
            found = connection.execute(statement("claim_jobs"), {"limit": limit}).fetchall()
            yield [OutboxJob(number, key.encode(), payload.encode()) for number, key, payload in found]

    def outbox_age_seconds(self) -> float:
        """Age of the oldest job that is not sent; 0 where all are."""
        found = self.connection().execute(statement("select_outbox_age")).fetchone()
        return 0.0 if found is None else max(0.0, float(found[0]))

    def mark_sent(self, jobs: Collection[OutboxJob]) -> None:
        """Mark jobs as sent; inside `claimed_jobs`, after the broker's acknowledgement."""
        self.connection().execute(statement("mark_sent"), {"ids": [job.outbox_id for job in jobs]})


def _end_stopped_copies(connection: psycopg.Connection, seconds: float) -> int:
    """End the sessions of sinks that were stopped in a COPY; return how many."""
    before = connection.execute(statement("find_stopped_copies"), {"seconds": seconds}).fetchall()
    if not before:
        return 0
    sleep(_SILENT_SECONDS)
    after = connection.execute(statement("find_stopped_copies"), {"seconds": seconds}).fetchall()
    pids = [copy[0] for copy in after if copy in before]
    return connection.execute(statement("end_sessions"), {"pids": pids}).rowcount


def _run(connection: psycopg.Connection, name: str, rows: Collection[Row]) -> None:
    """Run a statement over rows, all at once."""
    if rows:
        connection.execute(statement(name), {"rows": as_json(rows)})


def _make_day(connection: psycopg.Connection, day: date) -> None:
    if connection.execute(statement("make_day"), {"day": day}).fetchone() == (True,):
        _log.info("day_partition_made", day=day.isoformat())


def _write_events(connection: psycopg.Connection, batch: Batch, text: bytes) -> None:
    load(connection, "run_event", EVENT_COLUMNS, text)
    _run(connection, "erase_events", batch.erasures)


def _register(connection: psycopg.Connection, named: Collection[tuple[str, str | None]]) -> None:
    """Insert projects and agents, all at once: sorted, so that none deadlocks."""
    rows = [{"project_key": project_key, "agent_id": agent_id} for project_key, agent_id in named]
    _run(connection, "register_projects", rows)
    _run(connection, "register_agents", rows)


def _write_agents(connection: psycopg.Connection, batch: Batch) -> None:
    _run(connection, "upsert_agent_health", batch.health.values())
    for name in ("set_projects", "set_agents"):
        _run(connection, name, batch.settings.values())


def _write_run_log(connection: psycopg.Connection, batch: Batch, texts: Texts, *, careful: bool) -> None:
    """Write logged runs, and the jobs of those that are new."""
    write_logs(connection, batch, texts, careful=careful)
    _run(connection, "revise_streaks", batch.streaks.values())
    if batch.jobs:
        _join_scores(connection, list(batch.jobs))
        connection.execute(statement("notify_relay"))


def _write_scores(connection: psycopg.Connection, batch: Batch) -> None:
    _run(connection, "insert_scores", batch.scores.values())
    if batch.scores:
        _join_scores(connection, [score["row_id"] for score in batch.scores.values()])


def _join_scores(connection: psycopg.Connection, rows: list[UUID]) -> None:
    connection.execute(statement("join_scores"), {"row_ids": uuid_array(rows)})
