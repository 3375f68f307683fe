"""Read single records and join no group: what waits for a reader, what opened a transaction, where a stage is."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from runledger.doctor.broker_facts import Bounds, Partition
from runledger.doctor.seeing.kafka import Clock
from runledger.schemas.codec import decode
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import Position

_POLL_SECONDS = 0.2
_QUIET_SECONDS = 3.0
"""Whatever is not heard of for so long stays unknown: what lies behind an open transaction is not shown."""
_TAIL = 50
_REFUSALS = 5


@contextmanager
def _consumer(settings: ConnectionSettings, *, committed: bool, group: str | None = None) -> Iterator[Consumer]:
    """Open a consumer that never joins a group and commits nothing; it takes little at once."""
    made = Consumer(
        {
            **kafka_client(settings),
            "client.id": "runledger-doctor",
            "group.id": group or f"{settings.topic_prefix}doctor-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
            "fetch.message.max.bytes": 64 * 1024,
            "queued.min.messages": 1,
            "log_level": 0,
        }
    )
    try:
        yield made
    finally:
        made.close()


_COORDINATOR_MOVES = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
"""A new broker says so for a moment, to whoever asks for a group first."""


def committed_positions(
    settings: ConnectionSettings, group: str, partitions: list[Partition], clock: Clock
) -> dict[Partition, int]:
    """{partition: next_offset that the group has committed}; what it never committed is left out.

    Asked as a member would ask: the admin client's own question aborts the process when the broker goes away.

    Raises:
        KafkaException: the broker refused, or does not answer.
    """
    wanted, end = [TopicPartition(*one) for one in partitions], time.monotonic() + clock.one_question
    with _consumer(settings, committed=False, group=group) as onlooker:
        try:
            held = _committed(onlooker, wanted, end)
        except KafkaException as error:
            raise _forbidden(onlooker) or error from error
    return {(one.topic, one.partition): one.offset for one in held if one.offset >= 0}


def _committed(onlooker: Consumer, wanted: list[TopicPartition], end: float) -> list[TopicPartition]:
    """Ask for committed offsets; while the group's coordinator is being found, again."""
    while True:
        try:
            held = onlooker.committed(wanted, timeout=max(_POLL_SECONDS, end - time.monotonic()))
        except KafkaException as error:
            refused = error.args[0]
        else:
            refused = next((one.error for one in held if one.error is not None), None)
            if refused is None:
                return held
        if refused.code() not in _COORDINATOR_MOVES or time.monotonic() + _POLL_SECONDS > end:
            raise KafkaException(refused)
        time.sleep(_POLL_SECONDS)


def _forbidden(onlooker: Consumer) -> KafkaException | None:
    """What the broker has refused an onlooker: its question only says that no answer came in time."""
    for _ in range(_REFUSALS):
        message = onlooker.poll(_POLL_SECONDS / 2)
        error = None if message is None else message.error()
        if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return KafkaException(error)
    return None


def first_records(
    settings: ConnectionSettings, places: Mapping[Partition, int], clock: Clock, *, committed: bool
) -> dict[Partition, datetime]:
    """{partition: log time of the first record at or after a place}; partitions without one are left out.

    Args:
        settings: where the broker is.
        places: {partition: offset}.
        clock: how much time is left.
        committed: whether records of open and aborted transactions are passed over; markers always are.

    Raises:
        KafkaException: the broker refused, or does not answer.
    """
    found: dict[Partition, datetime] = {}
    left = set(places)
    for message in _read(settings, places, clock, left, committed=committed):
        source = message.topic() or "", message.partition() or 0
        left.discard(source)
        if message.error() is None:
            found.setdefault(source, datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC))
    return found


def stage_positions(
    settings: ConnectionSettings,
    sources: Mapping[Partition, Partition],
    bounds: Mapping[Partition, Bounds],
    clock: Clock,
) -> dict[Partition, Position]:
    """Read the newest position record of each partition; one that has none is left out.

    Args:
        settings: where the broker is.
        sources: {partition of a positions topic: partition of the source it speaks of}.
        bounds: of the partitions of the positions topics.
        clock: how much time is left.

    Raises:
        KafkaException: the broker refused, or does not answer.
    """
    found: dict[Partition, Position] = {}
    for back in (_TAIL, None):
        left = {one for one, source in sources.items() if source not in found and bounds[one].high > bounds[one].low}
        places = {
            one: bounds[one].low if back is None else max(bounds[one].low, bounds[one].high - back) for one in left
        }
        for message in _read(settings, places, clock, left, committed=True):
            source = message.topic() or "", message.partition() or 0
            value = message.value()
            if message.error() is not None:
                left.discard(source)
            elif value is not None:
                found[sources[source]] = decode(Position, value)
    return found


def _read(
    settings: ConnectionSettings,
    places: Mapping[Partition, int],
    clock: Clock,
    left: set[Partition],
    *,
    committed: bool,
) -> Iterator[Message]:
    """Give the records from these places on and the ends of partitions, until nothing is left or nothing comes."""
    if not left:
        return
    with _consumer(settings, committed=committed) as reader:
        reader.assign([TopicPartition(*one, places[one]) for one in sorted(left)])
        heard = time.monotonic()
        while left and clock.left > _POLL_SECONDS and time.monotonic() - heard < _QUIET_SECONDS:
            message = reader.poll(_POLL_SECONDS)
            if message is None:
                continue
            heard, error = time.monotonic(), message.error()
            if error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET:
                left.discard(
                    (message.topic() or "", message.partition() or 0)
                )  # outside the log: another check says so
            elif error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                continue  # looked up by the library for nothing: no group is joined
            elif error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            else:
                yield message
