"""Where a fault happens: topics and tables of its own, the real workers, a load, and the verdict at the end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient

from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS, PARTITIONER, RUN_EVENTS, RUN_LOG, RUN_OUTCOMES, RUNS, Topic
from runledger.sinks.records import SOURCES
from runledger.sinks.verify import verify
from runledger.topic_admin import ensure_topics
from tests.e2e.pipeline import Pipeline, Worker, pipeline, wait_for
from tests.faults.doors import doors_agree
from tests.faults.ledger import Sender, SentLedger
from tests.faults.memory import Memory
from tests.faults.oracles import ORACLES, Evidence, Letter
from tests.faults.proxy import Proxy
from tests.faults.report import Result
from tests.faults.topics import Positions, read_topic, walk_topic
from tests.stories import Habits, Story

HEAL_SECONDS = 60
"""O7: lag and outbox are 0 within so long of healing."""
START_SECONDS = 120
"""How long processes may take to start on a busy machine: of no oracle's concern."""
LARGEST_MIB = 400
"""O9: what a process may hold in a short test."""
WORKERS = ("processor", "sink", "relay", "scorer")
ENDLESS = 100_000
"""Events of a load that flows until it is stopped, however slow the machine is."""


@dataclass
class Site:
    """One fault's world.

    Args:
        settings: where its topics and tables are.
        connection: to its tables.
        running: its workers.
        seed: of everything random.
        result: what is reported.
        folder: for logs.
        largest_mib: what a process may hold (O9).
    """

    settings: ConnectionSettings
    connection: psycopg.Connection
    running: Pipeline
    seed: int
    result: Result
    folder: Path
    ledger: SentLedger = field(default_factory=SentLedger)
    poison: set[Letter] = field(default_factory=set)
    senders: list[Sender] = field(default_factory=list)
    largest_mib: int = LARGEST_MIB

    def __post_init__(self) -> None:
        self.memory = Memory(self._pids)
        self._positions = Positions(self.settings)
        self._stories = 0
        self._only: Callable[[str], bool] | None = None

    def _pids(self) -> dict[str, int]:
        return {worker.log.stem: worker.pid for worker in list(self.running.workers)}

    def workers(self, name: str) -> list[Worker]:
        """Return the workers of that name."""
        return [worker for worker in self.running.workers if worker.name == name]

    def kill(self, *workers: Worker) -> None:
        """Kill -9, one after the other; the supervisor starts them again."""
        for worker in workers:
            worker.kill()

    def story(self, events: int, **habits: float) -> Story:
        """Make up the next story of this test."""
        self._stories += 1
        return Story(self.seed, events, Habits(**habits), number=self._stories)  # type: ignore[arg-type]  # one is an int

    def load(self, events: int, per_second: float = 0, **habits: float) -> Sender:
        """Begin to send a story."""
        sender = Sender(self.settings, self.ledger, self.story(events, **habits), per_second)
        self.senders.append(sender)
        return sender

    @contextmanager
    def proxy(self) -> Iterator[tuple[Proxy, str]]:
        """Put a proxy in front of the database; give it, and the URI that goes through it."""
        parts = urlsplit(self.settings.postgres)
        with Proxy(str(parts.hostname), int(parts.port or 0)) as proxy:
            login, _, _ = parts.netloc.rpartition("@")
            yield proxy, parts._replace(netloc=f"{login}@127.0.0.1:{proxy.port}").geturl()

    def inject(self, topic: Topic, *records: tuple[bytes | None, bytes | None], poison: bool = True) -> None:
        """Log (key, value) records by hand, acknowledged; poison is remembered as such."""
        producer = Producer(
            {
                "bootstrap.servers": self.settings.kafka,
                "partitioner": PARTITIONER,
                "compression.type": "lz4",
                "message.max.bytes": 100_000_000,
            }
        )

        def told(error: KafkaError | None, message: Message) -> None:
            assert error is None, error.str()
            if poison:
                self.poison.add((topic.suffix, message.partition() or 0, message.offset() or 0))

        for key, value in records:
            producer.produce(topic.name(self.settings.topic_prefix), value, key, on_delivery=told)
        assert producer.flush(60) == 0

    def tell(self, *events: AnyRunEvent) -> None:
        """Send some events, acknowledged."""
        self.senders.append(Sender(self.settings, self.ledger, events))
        self.senders[-1].wait()

    def count(self, query: str) -> int:
        """Return the number a query finds."""
        found = self.connection.execute(query.encode()).fetchone()
        assert found is not None
        return int(found[0])

    def stored(self) -> int:
        """Count the deliveries in the tables."""
        return self.count("SELECT count(*) FROM run_event")

    def wait_for_stored(self, more: int, timeout_seconds: float = 60) -> None:
        """Wait until so many more deliveries stand in the tables."""
        least = self.stored() + more
        wait_for(f"{least} deliveries", lambda: self.stored() >= least, timeout_seconds)

    def wait_until_working(self) -> None:
        """Wait until something has gone all the way: every worker has started and does its part."""
        scored = "SELECT count(*) FROM agent_run_log WHERE rlhf_scores IS NOT NULL"
        wait_for("a scored run", lambda: self.count(scored) > 0, START_SECONDS)

    def settle(self, timeout_seconds: float = HEAL_SECONDS) -> float:
        """Wait until everything sent has gone all the way; return how many seconds it took (O7)."""
        for sender in self.senders:
            sender.wait()
        try:
            seconds = wait_for("no lag and an empty outbox", lambda: not self.lag(), timeout_seconds)
        except AssertionError as error:
            raise AssertionError(f"O7: {error}; left: {self.lag()}; {self.sessions()}") from None
        self.result.seconds_to_heal = round(max(self.result.seconds_to_heal, seconds), 1)
        return seconds

    def sessions(self) -> list[tuple[Any, ...]]:
        """Tell what the workers' database sessions do."""
        query = (
            "SELECT application_name, state, wait_event, now() - xact_start, left(query, 60) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return self.connection.execute(query).fetchall()

    def lag(self) -> list[str]:
        """Name whatever is not yet done."""
        try:
            ends = self._positions.ends(SOURCES)
            folded = self._positions.processed((RUN_EVENTS, RUN_OUTCOMES))
            folding = self._positions.ends((RUN_EVENTS, RUN_OUTCOMES))
        except KafkaException as error:
            return [str(error)]
        rows = self.connection.execute("SELECT topic, partition, next_offset FROM consumer_offset").fetchall()
        written = {(topic, number): next_offset for topic, number, next_offset in rows}
        left = {
            "unscored": self.count("SELECT count(*) FROM agent_run_log WHERE rlhf_scores IS NULL"),
            "unsent": self.count("SELECT count(*) FROM scoring_outbox WHERE sent_at IS NULL"),
        }
        return [
            *(
                f"processors at {source}: {folded[source]} of {end}"
                for source, end in folding.items()
                if folded[source] < end and self._positions.is_behind(source, folded[source])
            ),
            *(
                f"sink at {source}: {written.get(source, 0)} of {end}"
                for source, end in ends.items()
                if written.get(source, 0) < end and self._positions.is_behind(source, written.get(source, 0))
            ),
            *(f"{count} {what}" for what, count in left.items() if count),
        ]

    def reconnect(self) -> None:
        """Connect to the tables again, after their server was away."""
        self.connection.close()
        self.connection = psycopg.connect(self.settings.postgres, autocommit=True)

    def evidence(self) -> Evidence:
        """Give what verdicts look at, as it stands now."""
        return Evidence(
            partial(walk_topic, self.settings),
            self.settings.topic_prefix,
            self.connection,
            self.ledger,
            self.poison,
            timedelta(seconds=float(self.running.environment.get("RUNLEDGER_RUN_DEADLINE_SECONDS", "3600"))),
            self._only,
        )

    def differences(self, *oracles: str) -> list[str]:
        """Ask these oracles, and O3; return everything that differs."""
        evidence = self.evidence()
        assert evidence.ledger.fates, "nothing was sent, so nothing is proved"
        names = sorted({*oracles, "O3"})
        self.result.oracles = sorted({*self.result.oracles, *names, "O7", "O9", "verify"})
        found = [f"{name}: {difference}" for name in names for difference in ORACLES[name](evidence)]
        report = verify(self.connection)
        found += [f"verify: {difference}" for difference in report.differences]
        largest = self.memory.largest()
        found += [f"O9: {name} held {mib} MiB" for name, mib in largest.items() if mib > self.largest_mib]
        return found

    def recount_only(self, only: Callable[[str], bool]) -> None:
        """Recount only the agents for which this is true; the recount by SQL goes on to see them all."""
        self._only = only

    def judge(self, *oracles: str, settle_seconds: float = HEAL_SECONDS) -> None:
        """Settle, and let nothing differ: O3, O7, O9 and the recount by SQL are always asked."""
        self.settle(settle_seconds)
        differences = self.differences(*oracles)
        self.result.differences = [difference[:400] for difference in differences[:5]]
        assert not differences, f"{len(differences)} differences, such as {differences[:3]}"

    def judge_doors(self) -> None:
        """Read every run over HTTP and MCP too: the other half of O4."""
        differences = doors_agree(self.settings, self.evidence().runs, self.folder)
        assert not differences, f"{len(differences)} differences, such as {differences[:3]}"

    def finish(self) -> None:
        """Sum up what the workers did."""
        for sender in self.senders:
            sender.stop()
        self.memory.stop()
        self.result.events_sent = len(self.ledger.fates)
        self.result.deliveries = self.ledger.deliveries
        self.result.largest_rss_mib = self.memory.largest()
        self.result.count(self.running.counts())
        self._positions.close()
        self.connection.close()

    def count_aborted(self) -> int:
        """Count records of transactions that never committed: uncommitted readers see them, committed ones do not."""
        self.result.aborted_records = sum(
            len(read_topic(self.settings, topic, committed=False)) - len(read_topic(self.settings, topic))
            for topic in (RUN_EVENTS, RUNS, RUN_OUTCOMES, RUN_LOG)
        )
        return self.result.aborted_records


class MakeSite(Protocol):
    """Makes a site; see `open_site`."""

    def __call__(self, fault: int, name: str, **options: Any) -> Site: ...  # noqa: ANN401  # as open_site takes them


@contextmanager
def open_site(
    fault: int,
    name: str,
    *,
    kafka: str,
    postgres: str,
    folder: Path,
    seed: int,
    workers: Sequence[str] = WORKERS,
    scaled: str = "",
    unprotected: str = "",
    migrators: int = 1,
    **environment: str,
) -> Iterator[Site]:
    """Make topics and tables, run workers on them for the length of a block, and report.

    Args:
        fault: number in the list of faults.
        name: which one, and in which form.
        kafka: where the broker is.
        postgres: URI of a database in which databases may be made.
        folder: for the workers' logs.
        seed: of everything random.
        workers: their names, a name for each process.
        scaled: how much shorter or smaller than in the list of faults.
        unprotected: a protection to switch off, of all workers or, behind a colon, of those of one name.
        migrators: processes that make the tables, all at once.
        environment: further settings of the workers.
    """
    result = Result(fault, name, seed, scaled=scaled, unprotected=unprotected)
    protection, _, bare = unprotected.partition(":")
    unsafe = {"RUNLEDGER_TESTING": "1", "RUNLEDGER_UNSAFE_DISABLE": protection} if protection else {}
    of_workers = {name: unsafe for name in WORKERS if bare in {"", name}}
    quick = {"RUNLEDGER_SESSION_TIMEOUT_SECONDS": "6", "RUNLEDGER_RETRY_LIMIT_SECONDS": "1"}
    with ExitStack() as stack:
        database = stack.enter_context(_database(postgres))
        settings = ConnectionSettings(kafka=kafka, postgres=database, topic_prefix=f"fault-{uuid4().hex[:8]}.")
        _migrate(database, migrators)
        stack.enter_context(_topics(settings))
        connection = stack.enter_context(psycopg.connect(database, autocommit=True))
        running = stack.enter_context(pipeline(settings, folder, tuple(workers), of_workers, **quick | environment))
        site = Site(settings, connection, running, seed, result, folder)
        stack.callback(site.finish)
        yield site


@contextmanager
def _database(server: str) -> Iterator[str]:
    name = f"fault_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    parts = psycopg.conninfo.conninfo_to_dict(server) | {"dbname": name}
    address = {key: str(value) for key, value in parts.items()}
    login = address["user"] + (f":{address['password']}" if address.get("password") else "")
    yield f"postgresql://{login}@{address['host']}:{address['port']}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrate(database: str, processes: int) -> None:
    program = "import sys; from runledger.sinks.migrate import migrate; migrate(sys.argv[1])"
    started = [subprocess.Popen([sys.executable, "-c", program, database]) for _ in range(processes)]
    assert [process.wait(120) for process in started] == [0] * processes


def _is_led(settings: ConnectionSettings) -> bool:
    positions = Positions(settings)
    try:
        positions.ends(ALL_TOPICS)
    except KafkaException:  # a topic just made has no leader for a moment
        return False
    finally:
        positions.close()
    return True


@contextmanager
def _topics(settings: ConnectionSettings) -> Iterator[None]:
    ensure_topics(settings)
    wait_for("a leader of every partition", lambda: _is_led(settings), 30)
    yield
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for deleted in admin.delete_topics([topic.name(settings.topic_prefix) for topic in ALL_TOPICS]).values():
        deleted.result()
