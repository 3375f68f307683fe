"""Topics of a benchmark: filled once, read by every contestant under its own name."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # exported at run time

from benchmarks.errors import TooSlowError
from benchmarks.load import LoadRecord
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER
from runledger.schemas.topics import PARTITIONER

_TIMEOUT_SECONDS = 60
_LOOK_SECONDS = 5
_NO_ANSWER_YET = frozenset(
    {
        KafkaError._TIMED_OUT,
        KafkaError._WAIT_COORD,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.REQUEST_TIMED_OUT,
    }
)
"""What a look at a group may meet while a coordinator starts or moves."""


def producer_of(kafka: str, linger_ms: int = 20) -> Producer:
    """Make a producer as durable as the SDK's."""
    return Producer(
        {
            "bootstrap.servers": kafka,
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "lz4",
            "partitioner": PARTITIONER,
            "linger.ms": linger_ms,
            "queue.buffering.max.messages": 1_000_000,
        }
    )


def fill(kafka: str, topic: str, records: Iterable[LoadRecord]) -> None:
    """Write records and wait for the acknowledgement of each.

    Raises:
        TooSlowError: some were not acknowledged.
    """
    producer, failed = producer_of(kafka), 0

    def told(error: KafkaError | None, _message: object) -> None:
        nonlocal failed
        failed += error is not None

    for record in records:
        headers: list[tuple[str, str | bytes | None]] = [
            (EVENT_ID_HEADER, record.event_id.encode()),
            ("content-type", CONTENT_TYPE.encode()),
        ]
        while True:
            try:
                producer.produce(topic, record.value, record.key, on_delivery=told, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    if producer.flush(_TIMEOUT_SECONDS) or failed:
        raise TooSlowError(f"{topic} could not be filled")


def create(kafka: str, names: Sequence[str], partitions: int, config: dict[str, str] | None = None) -> None:
    """Create topics and wait until a broker leads each of their partitions."""
    admin = AdminClient({"bootstrap.servers": kafka})
    new = [NewTopic(name, partitions, -1, config=config or {}) for name in names]
    for created in admin.create_topics(new).values():
        created.result()
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        known = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        found = [known[name].partitions.values() for name in names if name in known]
        if len(found) == len(names) and all(each and all(part.leader >= 0 for part in each) for each in found):
            return
        time.sleep(0.05)
    raise TooSlowError(f"{names[0]} was created but no broker leads it")


def delete_all(kafka: str, word: str) -> None:
    """Delete every topic whose name holds a word: peers name theirs after their group."""
    admin = AdminClient({"bootstrap.servers": kafka})
    names = [name for name in admin.list_topics(timeout=_TIMEOUT_SECONDS).topics if word in name]
    if names:
        for deleted in admin.delete_topics(names).values():
            deleted.result()


def find(kafka: str, *words: str) -> list[str]:
    """Names of the topics that hold all these words."""
    names = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=_TIMEOUT_SECONDS).topics
    return sorted(name for name in names if all(word in name for word in words))


def _onlooker(kafka: str, group: str) -> Consumer:
    """Make a consumer that never joins its group, and does not wait for the open transactions of those in it."""
    return Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_uncommitted",
            "log_level": 0,
        }
    )


def wait_for_coordinators(kafka: str, word: str, topic: str) -> None:
    """Wait until groups and transactions can be begun: a broker that has just started answers before it can.

    Args:
        kafka: bootstrap servers.
        word: the beginning of the names of those who will begin some.
        topic: one that exists.

    Raises:
        TooSlowError: no coordinator was found.
    """
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": f"{word}probe", "log_level": 0})
    onlooker, deadline = _onlooker(kafka, f"{word}processors"), time.monotonic() + _TIMEOUT_SECONDS
    try:
        producer.init_transactions(_TIMEOUT_SECONDS)
        while not _answers(onlooker, topic):
            if time.monotonic() > deadline:
                raise TooSlowError(f"no coordinator after {_TIMEOUT_SECONDS} s")
            time.sleep(0.1)
    except KafkaException as error:
        raise TooSlowError(f"no coordinator after {_TIMEOUT_SECONDS} s: {error}") from error
    finally:
        onlooker.close()


def _answers(onlooker: Consumer, topic: str) -> bool:
    try:
        onlooker.committed([TopicPartition(topic, 0)], timeout=_LOOK_SECONDS)
    except KafkaException as error:
        if error.args[0].code() in _NO_ANSWER_YET:
            return False
        raise
    return True


class GroupPosition:
    """How many records of a topic a consumer group has committed.

    Args:
        kafka: bootstrap servers.
        group: the group.
        topic: whose offsets; it is read from offset 0.
        partitions: their number.
    """

    def __init__(self, kafka: str, group: str, topic: str, partitions: int) -> None:
        self._consumer = _onlooker(kafka, group)
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]
        self._last = 0

    def __call__(self) -> int:
        """Sum of the committed offsets, or the last known one while no coordinator answers."""
        try:
            committed = self._consumer.committed(self._partitions, timeout=_LOOK_SECONDS)
        except KafkaException as error:
            if error.args[0].code() not in _NO_ANSWER_YET:
                raise
        else:
            self._last = sum(max(0, partition.offset) for partition in committed)
        return self._last

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()


def read_all(
    kafka: str, topic: str, take: Callable[[bytes, bytes | None], None], seconds: float = _TIMEOUT_SECONDS
) -> None:
    """Hand (key, value) of every committed record of a topic to `take`, in the order of each partition.

    Raises:
        TooSlowError: the topic's end was not reached in so many seconds.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": f"bench-reader-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    try:
        count = len(consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, number, 0) for number in range(count)])
        ended, deadline = 0, time.monotonic() + seconds
        while ended < count:
            for message in consumer.consume(5000, 0.2):
                error = message.error()
                if error is None:
                    take(message.key() or b"", message.value())
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended += 1
                else:
                    raise KafkaException(error)
            if time.monotonic() > deadline:
                raise TooSlowError(f"{topic} was not read within {seconds:.0f} s")
    finally:
        consumer.close()


def read_latest(kafka: str, topic: str) -> dict[bytes, bytes]:
    """Read a compacted topic: the last value of each key that has no tombstone."""
    latest: dict[bytes, bytes] = {}

    def take(key: bytes, value: bytes | None) -> None:
        if value is None:
            latest.pop(key, None)
        else:
            latest[key] = value

    read_all(kafka, topic, take)
    return latest
