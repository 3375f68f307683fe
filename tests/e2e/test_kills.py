"""kill -9 of every part at random moments, under load: the tables equal the generator's own ledger.

Kills leave open transactions, but seldom records in them; so one transaction in fifty is aborted on purpose as well.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from runledger.producers.client import RunClient
from runledger.producers.settings import ProducerSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_LOG, RUN_OUTCOMES, RUNS
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from tests.e2e.checks import check_all, finished
from tests.e2e.generator import PRODUCERS, Generator
from tests.e2e.pipeline import Pipeline, count_records, pipeline, wait_for
from tests.e2e.zombies import positions, refuse_a_zombie

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.slow]

EVENTS = 100_000
RATE = 1500
SEED = 20261121
KILLS = 2
DEADLINE_SECONDS = 45
CATCH_UP_SECONDS = 180


def send(generator: Generator, settings: ConnectionSettings, done: threading.Event) -> None:
    """Send everything at a bounded rate, by several producers: what one of them sent another may repeat."""
    with ExitStack() as stack:
        producer = ProducerSettings(**settings.model_dump())
        clients = [stack.enter_context(RunClient(strict=True, settings=producer)) for _ in range(PRODUCERS)]
        began = time.monotonic()
        for number, (sender, event) in enumerate(generator.stream()):
            if number % 100 == 0:
                time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            clients[sender].publish(event)
    done.set()


def kill_at_random(running: Pipeline, done: threading.Event, chance: random.Random) -> dict[str, int]:
    """Kill each kind of worker at least so often while events flow, and stop one sink past its session."""
    plan = [worker for worker in running.workers for _ in range(KILLS)]
    chance.shuffle(plan)
    killed: dict[str, int] = {}
    for worker in plan:
        done.wait(chance.uniform(1.0, 3.0))
        worker.kill()
        killed[worker.name] = killed.get(worker.name, 0) + 1
    return killed


@pytest.mark.timeout(600)
def test_every_part_killed_at_random_leaves_the_ledger_exact(
    topics: ConnectionSettings, database: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Each exactly once: totals, streaks, rows and scores."""
    settings = topics.model_copy(update={"postgres": database})
    migrate(database)
    generator, done, chance = Generator(SEED, EVENTS), threading.Event(), random.Random(SEED)
    names = ("processor", "processor", "sink", "sink", "relay", "scorer")
    environment = {
        "RUNLEDGER_RUN_DEADLINE_SECONDS": str(DEADLINE_SECONDS),
        "RUNLEDGER_SESSION_TIMEOUT_SECONDS": "6",
        "RUNLEDGER_TESTING": "1",
        "RUNLEDGER_UNSAFE_ABORT_RATIO": "0.02",
    }
    with pipeline(settings, tmp_path, names, **environment) as running:
        sender = threading.Thread(target=send, args=(generator, settings, done), daemon=True)
        began = time.monotonic()
        sender.start()
        with psycopg.connect(database, autocommit=True) as connection:
            wait_for("the first rows", lambda: len(positions(connection)) == 2 * settings.partitions, 60)
            refused = refuse_a_zombie(running, connection, done)
            killed = kill_at_random(running, done, chance)
            sender.join(300)
            assert done.is_set()
            sent_seconds = time.monotonic() - began
            caught_up = wait_for("all runs scored", lambda: finished(connection, generator), CATCH_UP_SECONDS)
            check_all(connection, generator)
            wait_for("a clean recount", lambda: verify(connection).clean, 30)
    aborted = sum(
        count_records(settings, topic.name(settings.topic_prefix), "read_uncommitted")
        - count_records(settings, topic.name(settings.topic_prefix), "read_committed")
        for topic in (RUNS, RUN_OUTCOMES, RUN_LOG)
    )
    counts = running.counts()
    record_property(
        "report",
        f"{len(generator.sent)} events of {len(generator.runs)} runs sent in {sent_seconds:.0f} s, "
        f"{generator.overtaken} overtaken, {generator.ends_first} starts and {generator.reports_after_ends} reports "
        f"after their run's end; "
        f"killed {killed}; exact {caught_up:.0f} s later; records of aborted transactions {aborted}, "
        f"duplicates skipped {counts['duplicates_skipped']} of {generator.duplicates} sent, "
        f"compare-and-set refusals {refused}",
    )
    assert min(killed.values()) >= KILLS
    assert set(killed) == set(names)
    assert aborted > 0
    assert counts["duplicates_skipped"] > 0
    assert min(generator.overtaken, generator.ends_first, generator.reports_after_ends) > 0
    assert refused > 0
