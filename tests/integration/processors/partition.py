"""One partition of stage 1 on the real broker: events in, stores over it, and what a committed reader sees."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # exported at run time

from runledger.processors.broker import Broker
from runledger.processors.fold import fold
from runledger.processors.reading import PartitionReader
from runledger.processors.records import Batch
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import ProcessorSettings
from runledger.processors.store import PartitionStore
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import EVENT_ID_HEADER, decode, encode, encode_event
from runledger.schemas.identifiers import run_key, settings_key
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.topics import (
    ALL_TOPICS,
    PARTITIONER,
    RUN_EVENTS,
    RUN_OUTCOMES,
    RUN_POSITIONS,
    RUNS,
    SETTINGS,
    Topic,
)
from tests.unit.processors.logs import Logged, event

T = TypeVar("T")
PARTITION = 0


def until(found: Callable[[], T], seconds: float = 30) -> T:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {found}"
        time.sleep(0.05)
    return answer


class Partition:
    """Partition 0 of run-events, and what stage 1 makes of it."""

    def __init__(self, connection: ConnectionSettings) -> None:
        self.connection = connection
        self.admin = AdminClient({"bootstrap.servers": connection.kafka})
        self._producer = Producer({"bootstrap.servers": connection.kafka, "linger.ms": 0})

    def name(self, topic: Topic) -> str:
        """Name of a topic."""
        return topic.name(self.connection.topic_prefix)

    def log(self, *events: AnyRunEvent) -> None:
        """Log events, acknowledged."""
        for told in events:
            key = run_key(told.project_key, told.run_id)
            headers: dict[str, str | bytes | None] = {EVENT_ID_HEADER: told.event_id.encode()}
            self._producer.produce(self.name(RUN_EVENTS), encode_event(told), key, PARTITION, headers=headers)
        assert self._producer.flush(20) == 0

    def broker(self, *unsafe: str, **settings: float) -> Broker:
        """Make what stores share, with protections switched off or other settings."""
        values = {**self.connection.model_dump(), "testing": True, "unsafe_disable": frozenset(unsafe), **settings}
        return Broker(ProcessorSettings.model_validate(values))

    def store(self, broker: Broker | None = None) -> PartitionStore[RunSnapshot]:
        """Make a store, not yet open."""
        broker = broker or self.broker()
        return PartitionStore(broker, RunStage(broker.settings), PARTITION)

    def batch(self, start: int) -> Batch:
        """Fetch everything from an offset on."""
        records: list[Logged] = []

        def take(message: Message) -> None:
            headers: Any = message.headers() or []
            logged_at = message.timestamp()[1]
            records.append(Logged(message.offset() or 0, logged_at, message.key(), message.value(), headers))

        with PartitionReader(self.connection) as reader:
            _, end = reader.bounds(self.name(RUN_EVENTS), PARTITION)
            reader.read(self.name(RUN_EVENTS), PARTITION, start, end, take)
        return Batch(self.name(RUN_EVENTS), PARTITION, records, start, end, 1)

    def advance(self, store: PartitionStore[RunSnapshot]) -> bool:
        """Fold and commit everything from the store's position on, as its owner does."""
        changes = fold(RunStage(self.settings_of(store)), store.held, [self.batch(store.held.next_offset)])
        return store.commit(changes)

    @staticmethod
    def settings_of(store: PartitionStore[RunSnapshot]) -> ProcessorSettings:
        """Return the settings a store was made with."""
        return store._broker.settings

    def seen(self, topic: Topic, partitions: int = 4) -> list[Message]:
        """Return everything a committed reader sees of a topic, to the end of the log as it is now.

        A commit is decided a moment before the partitions show it: so the end is asked for uncommitted.
        """
        messages: list[Message] = []
        where = self.connection
        with PartitionReader(where) as reader, PartitionReader(where, read_committed=False) as unfiltered:
            for partition in range(partitions):
                low, high = unfiltered.bounds(self.name(topic), partition)
                reader.read(self.name(topic), partition, low, high, messages.append)
        return messages

    def outcomes(self) -> Counter[str]:
        """Count the committed outcomes of each run."""
        return Counter(str(decode(RunOutcome, message.value()).run_id) for message in self.seen(RUN_OUTCOMES))

    def tokens(self) -> int:
        """Sum of what the runs used, by the newest committed snapshots."""
        newest = {message.key(): message.value() for message in self.seen(RUNS)}
        runs = [decode(RunSnapshot, value) for value in newest.values() if value is not None]
        return sum(run.usage.input_tokens or 0 for run in runs)

    def recreate(self, topic: Topic) -> None:
        """Delete a topic and make it again."""
        self.delete(topic)
        self.create(topic)

    def delete(self, topic: Topic) -> None:
        """Delete a topic."""
        name = self.name(topic)
        self.admin.delete_topics([name])[name].result()

    def create(self, topic: Topic) -> None:
        """Make a topic; where one of its name is being deleted, as soon as that is done."""
        name = self.name(topic)

        def made() -> bool:
            try:
                self.admin.create_topics([NewTopic(name, 4, -1, config=topic.config())])[name].result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
                return False
            return True

        until(made)
        self.wait_for_leaders()

    def wait_for_leaders(self) -> None:
        """Return once the broker leads every partition: a topic just created has no leader for a moment."""

        def lead() -> bool:
            try:
                with PartitionReader(self.connection) as reader:
                    return all(reader.bounds(self.name(topic), number) for topic in ALL_TOPICS for number in range(4))
            except KafkaException:
                return False

        until(lead)

    def forget_before(self, offset: int) -> None:
        """Let retention delete what lies before an offset."""
        where = TopicPartition(self.name(RUN_EVENTS), PARTITION, offset)
        for deleted in self.admin.delete_records([where]).values():
            deleted.result()

    @contextmanager
    def dead_owner(self) -> Iterator[Producer]:
        """Give the producer of an owner that died with its transaction open and everything in the log."""
        broker = self.broker()
        producer = broker.producer(f"{broker.group}-runs-{PARTITION}")
        producer.init_transactions(20)
        producer.begin_transaction()
        for topic in (RUNS, RUN_POSITIONS, RUN_OUTCOMES):
            producer.produce(self.name(topic), b"{}", b"dead", PARTITION)
        producer.flush(20)
        yield producer
        producer.purge()


class Operator:
    """Who writes settings.

    Args:
        connection: whose topic.
    """

    def __init__(self, connection: ConnectionSettings) -> None:
        self._topic = SETTINGS.name(connection.topic_prefix)
        self._producer = Producer({"bootstrap.servers": connection.kafka, "partitioner": PARTITIONER})

    def say(self, *said: AgentSettings) -> None:
        """Write settings under their own keys."""
        for settings in said:
            self.write(settings_key(settings.project_key, settings.agent_id), encode(settings))

    def write(self, key: bytes, value: bytes | None) -> None:
        """Write any record, acknowledged."""
        self._producer.produce(self._topic, value, key)
        assert self._producer.flush(20) == 0


def usage(number: int, run: int = 0) -> AnyRunEvent:
    """Make a report of ten input tokens."""
    return event("used", run, f"u{number}")
