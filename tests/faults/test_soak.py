"""Fault 31: everything at random, for as long as one likes, with states leaving memory all the time."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from runledger.schemas.run_events import AnyRunEvent
from tests.e2e.pipeline import Worker
from tests.faults.ledger import Sender
from tests.faults.locking import table_locked
from tests.faults.memory import Samples, growing
from tests.faults.servers import Server, own_kafka, own_postgres
from tests.faults.site import WORKERS, MakeSite, Site

SECONDS = float(os.environ.get("RUNLEDGER_SOAK_SECONDS") or 60)
RATE = float(os.environ.get("RUNLEDGER_SOAK_RATE") or 400)
MEMORY_FILE = os.environ.get("RUNLEDGER_SOAK_MEMORY")
"""Where the samples of memory go, as JSON: {"seconds": […], "mib": {process: […]}}."""
WHOLE_SECONDS = 1800
LEAST_SHARE = 0.98
"""Of the rate that a whole soak is to hold; a sender never goes beyond it, and makes up for what an outage cost."""
EVICTION_SECONDS = 300
LARGEST_MIB = 1000
"""Of one process that holds every partition, five minutes of states and the windows of repeats, just restored."""
PAUSE_SECONDS = (3, 12)
STORY_EVENTS = 30_000
RECOUNTED_EVENTS = 60_000

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(SECONDS + 900)]


@dataclass
class Trouble:
    """Makes faults at random until told to stop; the same faults for the same seed, at times of the machine's own."""

    here: Site
    kafka: Server
    postgres: Server
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.here.seed)
        self._servers = itertools.cycle([self.broker_killed, self.database_restarted])

    def run(self, seconds: float) -> None:
        """Make one fault after another."""
        began, stopping = time.monotonic(), threading.Event()
        ways: list[Callable[[], None]] = [self.killed, self.stopped, self.ended, self.joined, self.locked, self.cut]
        for number in itertools.count(1):
            stopping.wait(self._dice.uniform(*PAUSE_SECONDS))
            if time.monotonic() - began > seconds:
                return
            way = next(self._servers) if number % 12 == 0 else self._dice.choice(ways)
            way()
            self.done[way.__name__] += 1

    def _worker(self, *names: str) -> Worker:
        return self._dice.choice([worker for worker in self.here.running.workers if worker.name in (names or WORKERS)])

    def killed(self) -> None:
        """Kill -9 one part."""
        self.here.kill(self._worker())

    def stopped(self) -> None:
        """Stop a part for longer than its session."""
        worker = self._worker("processor", "sink")
        worker.signal(signal.SIGSTOP)
        threading.Event().wait(8)
        worker.signal(signal.SIGCONT)

    def ended(self) -> None:
        """Ask one part to end."""
        self._worker().signal(signal.SIGTERM)

    def joined(self) -> None:
        """Let a guest join for a moment."""
        guest = self.here.running.start(self._dice.choice(["processor", "sink"]))
        threading.Event().wait(5)
        self.here.running.workers.remove(guest)
        guest.stop()

    def locked(self) -> None:
        """Let the database be slow."""
        with table_locked(self.here, "agent_run"):
            threading.Event().wait(3)

    def cut(self) -> None:
        """Cut every connection to the database."""
        self.here.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )

    def broker_killed(self) -> None:
        """Kill -9 the broker."""
        self.kafka.stop(signal.SIGKILL)
        self.kafka.start()

    def database_restarted(self) -> None:
        """Restart the database at once."""
        self.postgres.stop(signal.SIGQUIT)
        self.postgres.start()
        self.here.reconnect()


@pytest.fixture
def servers_of_its_own() -> Iterator[tuple[Server, Server]]:
    """A broker and a database that may be killed."""
    with ExitStack() as stack:
        yield stack.enter_context(own_kafka()), stack.enter_context(own_postgres())


def stories(here: Site, events: int) -> Iterator[AnyRunEvent]:
    """Tell one story after another, each of agents of its own."""
    for _ in range(0, events, STORY_EVENTS):
        yield from here.story(min(events, STORY_EVENTS))


def test_fault_31_soak(
    servers_of_its_own: tuple[Server, Server], site: MakeSite, record_property: Callable[[str, object], None]
) -> None:
    """Exact in the end; if it lasts long enough, at the whole rate, and with memory flat after ten minutes."""
    kafka, postgres = servers_of_its_own
    here = site(
        31,
        "soak",
        kafka=kafka.address,
        postgres=postgres.address,
        workers=("processor", "sink", *WORKERS),
        scaled="" if SECONDS >= WHOLE_SECONDS else f"{SECONDS:.0f} s for 30 min, {RATE:.0f} events/s",
        RUNLEDGER_ENDED_RETENTION_SECONDS=str(EVICTION_SECONDS),
        RUNLEDGER_RECORD_RETENTION_SECONDS=str(EVICTION_SECONDS),
    )
    here.largest_mib = LARGEST_MIB
    events = int(SECONDS * RATE)
    sender = Sender(here.settings, here.ledger, stories(here, events), RATE)
    here.senders.append(sender)
    here.wait_until_working()
    trouble = Trouble(here, kafka, postgres)
    trouble.run(SECONDS)
    sender.wait(SECONDS + 300)
    record_property("report", f"{sender.per_second:,.0f} deliveries a second")
    samples = list(here.memory.samples)  # under load: afterwards all of them idle
    write_samples(samples)
    every = max(1, events // RECOUNTED_EVENTS)
    here.recount_only(lambda agent: agent.startswith("agent-") and int(agent.split("-")[1]) % every == 0)
    here.judge("O1", "O2", "O5", "O6", "O8", settle_seconds=240)
    assert trouble.done.total() > 0
    assert not growing(samples, WORKERS)
    assert SECONDS < WHOLE_SECONDS or sender.per_second > LEAST_SHARE * RATE


def write_samples(samples: Samples) -> None:
    """Keep the samples of memory, for the graph."""
    if MEMORY_FILE:
        names = sorted({name for _, sample in samples for name in sample})
        mib = {name: [sample.get(name) for _, sample in samples] for name in names}
        Path(MEMORY_FILE).parent.mkdir(parents=True, exist_ok=True)
        Path(MEMORY_FILE).write_bytes(orjson.dumps({"seconds": [at for at, _ in samples], "mib": mib}))
