"""Faults 13 to 15: the database goes away, is full, or refuses."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from psycopg import sql

from tests.e2e.pipeline import Worker, wait_for
from tests.faults.locking import table_locked, waiting
from tests.faults.servers import Server, own_postgres
from tests.faults.site import ENDLESS, MakeSite, Site

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

AWAY_SECONDS = 15
"""More than two sessions of a sink, for the two minutes of the list."""
RATE = 400
_PASSWORD = "narrow"  # noqa: S105  # of a role in a throw-away server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """A database server of this module's own."""
    with own_postgres() as server:
        yield server


@pytest.mark.parametrize(
    ("how", "number"),
    [
        pytest.param("fast", signal.SIGINT, marks=pytest.mark.slow),
        ("immediate", signal.SIGQUIT),
    ],
)
def test_fault_13_database_restarted(site: MakeSite, postgres: Server, how: str, number: signal.Signals) -> None:
    here = site(13, f"database restarted, {how}", postgres=postgres.address)
    load = here.load(ENDLESS, 100)
    here.wait_until_working()
    postgres.stop(number)
    postgres.start()
    here.reconnect()
    load.stop()
    here.judge("O1", "O2", "O5", "O8")
    assert [worker.exits for worker in here.running.workers] == [[], [], [], []]


@pytest.mark.slow
def test_fault_14_database_away(site: MakeSite, postgres: Server) -> None:
    """The sink waits as a member of its group, and blames no record."""
    here = site(14, "database away", postgres=postgres.address, scaled=f"{AWAY_SECONDS} s for 2 min, session 6 s")
    here.load(800).wait()
    here.wait_until_working()
    before = members(here)
    load = here.load(5000, RATE)
    postgres.stop()
    gone = time.monotonic()
    wait_for("the outage's end", lambda: time.monotonic() - gone > AWAY_SECONDS, 2 * AWAY_SECONDS)
    during = members(here)
    postgres.start()
    here.reconnect()
    load.wait()
    here.judge("O1", "O2", "O5", "O8")
    assert before == during == members(here)
    assert here.workers("sink")[0].exits == []
    assert here.running.counts()["database_away"] > 0


def members(here: Site) -> set[str]:
    """Ids of the members of the sink's group."""
    group = f"{here.settings.topic_prefix}sink"
    admin = AdminClient({"bootstrap.servers": here.settings.kafka})
    described = admin.describe_consumer_groups([group])[group].result()
    return {member.member_id for member in described.members}


@contextmanager
def disk_full(here: Site, postgres: Server, _sink: Worker) -> Iterator[None]:
    """The file of an empty table leads to /dev/full: no page can be added to it."""
    found = here.connection.execute("SELECT pg_relation_filepath('agent_run')").fetchone()
    assert found is not None
    file = postgres.folder / "postgres" / Path(str(found[0]))
    kept = file.with_name(f"{file.name}.kept")
    file.rename(kept)
    file.symlink_to("/dev/full")
    try:
        yield
    finally:
        os.replace(kept, file)


@contextmanager
def read_only(here: Site, _postgres: Server, _sink: Worker) -> Iterator[None]:
    """As on a standby: every new connection may only read."""
    name = sql.Identifier(here.connection.info.dbname)
    switch = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    here.connection.execute(switch.format(name, sql.SQL("on")))
    here.connection.execute("SET default_transaction_read_only = off")
    disconnect(here)
    yield
    here.connection.execute(switch.format(name, sql.SQL("off")))
    disconnect(here)


def disconnect(here: Site) -> None:
    """End the workers' connections."""
    here.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )


@contextmanager
def statement_timeout(here: Site, _postgres: Server, _sink: Worker) -> Iterator[None]:
    """Every statement takes longer than it may."""
    with table_locked(here, "agent_run"):
        yield


@contextmanager
def deadlock(here: Site, _postgres: Server, _sink: Worker) -> Iterator[None]:
    """Somebody holds what the sink wants, and wants what the sink holds; the sink is the one to be ended.

    Whatever a transaction of the sink's writes, it has moved its positions before.
    """
    name = sql.Identifier(here.connection.info.dbname)
    here.connection.execute(sql.SQL("ALTER DATABASE {} SET deadlock_timeout = '4s'").format(name))
    disconnect(here)
    with psycopg.connect(here.settings.postgres) as other:
        other.execute("SET deadlock_timeout = '100s'")
        other.execute("LOCK TABLE agent_run_log IN EXCLUSIVE MODE")
        here.load(400)
        wait_for("the sink waits", lambda: waiting(here, "agent_run_log") > 0, 40)
        other.execute("LOCK TABLE consumer_offset IN EXCLUSIVE MODE")
        yield
        other.rollback()


@contextmanager
def cut_in_commit(here: Site, _postgres: Server, sink: Worker) -> Iterator[None]:
    """The answer to a commit is lost, and the connection with it; for other sinks the connection is just cut."""
    sink.stop()
    with here.proxy() as (proxy, address):
        proxied = here.running.start("sink", {"RUNLEDGER_POSTGRES": address})
        here.load(400, RATE).wait()
        wait_for("all stored", lambda: here.stored() >= here.ledger.deliveries, 60)
        with proxy.losing_commits():
            here.load(400, RATE)
            assert proxy.commit_lost.wait(40)
        yield
        here.settle()
        assert proxied.exits == []
        proxied.stop()
    here.running.start("sink")


@contextmanager
def too_many_connections(here: Site, _postgres: Server, sink: Worker) -> Iterator[None]:
    """The sink's role may have no connection more."""
    sink.stop()
    role, owner = (
        sql.Identifier(name) for name in (f"narrow_{here.connection.info.dbname}", here.connection.info.user)
    )
    narrow = "CREATE ROLE {} LOGIN CONNECTION LIMIT 0 PASSWORD 'narrow' IN ROLE {}"
    for text in (narrow, "ALTER ROLE {} SET role TO {}"):
        here.connection.execute(sql.SQL(text).format(role, owner))
    parts = urlsplit(here.settings.postgres)
    login = f"narrow_{here.connection.info.dbname}:{_PASSWORD}@{parts.hostname}:{parts.port}"
    here.running.start("sink", {"RUNLEDGER_POSTGRES": parts._replace(netloc=login).geturl()})
    yield
    here.connection.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT -1").format(role))


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (disk_full, "53100"),
        pytest.param(read_only, "25006", marks=pytest.mark.slow),
        pytest.param(statement_timeout, "57014", marks=pytest.mark.slow),
        pytest.param(deadlock, "40P01", marks=pytest.mark.slow),
        (cut_in_commit, "closed the connection"),
        pytest.param(too_many_connections, "too many connections", marks=pytest.mark.slow),
    ],
)
def test_fault_15_database_refuses(
    site: MakeSite,
    postgres: Server,
    refusal: Callable[[Site, Server, Worker], AbstractContextManager[None]],
    reason: str,
) -> None:
    """Each is waited out by a sink that stays, and no record is blamed."""
    name = refusal.__name__.replace("_", " ")
    here = site(15, name, postgres=postgres.address, RUNLEDGER_STATEMENT_TIMEOUT_SECONDS="8")
    (sink,) = here.workers("sink")
    wait_for("a sink", lambda: here.count("SELECT count(*) FROM consumer_offset") > 0, 60)
    with refusal(here, postgres, sink):
        here.load(800, RATE)
        wait_for("a refusal", lambda: reason in refusals(here), 60)
    here.load(400, RATE)
    here.judge("O1", "O2", "O5", "O8")
    assert here.workers("sink")[-1].exits == []


def refusals(here: Site) -> str:
    """The reasons for which workers wait for the database: states, or words where there is no connection."""
    return " ".join(str(line["reason"]) for line in here.running.lines("database_away"))
