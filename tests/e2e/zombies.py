"""A sink that is stopped with a batch in its hands, and goes on after another has written it."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress

import psutil
import psycopg

from tests.e2e.pipeline import Pipeline, Worker, wait_for

ZOMBIES = 5


def refuse_a_zombie(running: Pipeline, connection: psycopg.Connection, done: threading.Event) -> int:
    """Stop a sink with a batch in its hands until another has written it; return how often it was refused.

    Args:
        running: the pipeline, under load.
        connection: to its tables.
        done: set once the load is over: nothing moves then, and nobody is refused any more.
    """
    sinks = [worker for worker in running.workers if worker.name == "sink"]
    for attempt in range(ZOMBIES):
        if done.is_set():
            return 0
        zombie = sinks[attempt % len(sinks)]
        stop_between_transactions(zombie, connection)
        before = positions(connection)
        wait_for("another sink took over", lambda: done.is_set() or _all_moved(connection, before), 60)  # noqa: B023  # called at once
        zombie.signal(signal.SIGCONT)
        with suppress(AssertionError):
            wait_for("a refusal", lambda: running.counts()["compare_and_set_refused"] > 0, 5)
        if refused := running.counts()["compare_and_set_refused"]:
            return refused
    return 0


def stop_between_transactions(worker: Worker, connection: psycopg.Connection) -> None:
    """Stop a process while its database connection is idle: under load it is then preparing its next transaction."""
    for _ in range(500):
        worker.signal(signal.SIGSTOP)
        ports = [c.laddr.port for c in psutil.Process(worker.pid).net_connections("tcp") if c.status == "ESTABLISHED"]
        states = connection.execute(
            "SELECT state FROM pg_stat_activity WHERE application_name = 'runledger' AND client_port = ANY (%s)",
            (ports,),
        ).fetchall()
        if states == [("idle",)]:
            return
        worker.signal(signal.SIGCONT)
        time.sleep(0.01)
    raise AssertionError("the sink was never between two transactions")


def positions(connection: psycopg.Connection) -> dict[tuple[str, int], int]:
    """{(topic, partition): next_offset} of the topics that always move under load."""
    rows = connection.execute(
        "SELECT topic, partition, next_offset FROM consumer_offset WHERE topic LIKE '%run-events' OR topic LIKE '%runs'"
    )
    return {(topic, number): next_offset for topic, number, next_offset in rows}


def _all_moved(connection: psycopg.Connection, before: dict[tuple[str, int], int]) -> bool:
    now = positions(connection)
    return all(now[source] > next_offset for source, next_offset in before.items())
