"""Send refused records again, or set them aside for good: each once, whoever does it and whoever is killed meanwhile.

A record and the mark on its letter are written in one transaction, so there is no moment between them. One
transactional id serves everybody: whoever begins ends what an earlier one left open and shuts it out, and only then
reads the marks. So nothing is sent twice, however long ago the first time was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Producer

from runledger.dlq.errors import DeadLetterError
from runledger.dlq.letters import Box, Headers, Letter, Selection, headers_again, why_not
from runledger.dlq.reading import BoxReader, Progress, opened
from runledger.schemas.dead_letter_marks import Deed, Mark
from runledger.schemas.dead_letters import original_headers
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import DEAD_LETTERS, PARTITIONER

_TIMEOUT_SECONDS = 30
_TRANSACTION_MS = 10_000
"""As long do the topics' readers wait for a transaction whose process was killed, unless the next one ends it."""
_AT_ONCE = 500
_AT_ONCE_BYTES = 8 * 1024 * 1024


@dataclass(slots=True)
class Report:
    """What was done.

    Args:
        done: letters that were replayed or dropped.
        before: letters that had been dealt with before.
        left: (letter, why not) of those that cannot be sent again.
    """

    done: int = 0
    before: int = 0
    left: list[tuple[Letter, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Order:
    """What to write for one letter: the record again, unless it is dropped, and the mark."""

    letter: Letter
    mark: Mark
    headers: Headers = field(default_factory=list)
    key: bytes | None = None
    value: bytes | None = None


class Desk:
    """The one who deals with letters: whoever opened one before is shut out.

    Args:
        connection: where the broker is, and the topics' prefix.

    Raises:
        DeadLetterError: the broker does not let us in.
    """

    def __init__(self, connection: ConnectionSettings) -> None:
        self._box_topic = DEAD_LETTERS.name(connection.topic_prefix)
        self._producer = Producer(
            {
                **kafka_client(connection),
                "client.id": "runledger-dlq",
                "transactional.id": f"{connection.topic_prefix}dlq",
                "transaction.timeout.ms": _TRANSACTION_MS,
                "compression.type": "lz4",
                "partitioner": PARTITIONER,
                "message.max.bytes": DEAD_LETTERS.max_message_bytes,
                "log_level": 0,
            }
        )
        try:
            self._producer.init_transactions(_TIMEOUT_SECONDS)
        except KafkaException as error:
            raise DeadLetterError(f"the broker does not let us write: {error.args[0].str()}") from error

    def write(self, orders: Sequence[Order]) -> None:
        """Write orders in one transaction: all or none.

        Raises:
            DeadLetterError: somebody else deals with letters now, or the broker is away or refuses; none is written.
        """
        try:
            self._commit(orders)
        except KafkaException as error:
            raise self._failed(error.args[0]) from error

    def _commit(self, orders: Sequence[Order]) -> None:
        producer = self._producer
        producer.begin_transaction()
        for order in orders:
            where = order.letter.letter_id
            if order.mark.deed == "replayed":
                producer.produce(where.topic, order.value, order.key, where.partition, headers=_as_sent(order.headers))
            box = order.letter.box_partition  # behind the letter in its own partition: the mark outlives it
            producer.produce(self._box_topic, b"", None, box, headers=_as_sent(order.mark.headers()))
        producer.commit_transaction(_TIMEOUT_SECONDS)

    def _failed(self, error: KafkaError) -> DeadLetterError:
        """Undo the transaction, so that nobody has to wait for its end."""
        fenced = error.fatal()
        try:
            self._producer.abort_transaction(_TIMEOUT_SECONDS)
        except KafkaException as lost:
            fenced = fenced or lost.args[0].fatal()
        why = "somebody else has begun to deal with dead letters" if fenced else f"the broker refuses: {error.str()}"
        return DeadLetterError(f"{why}; what is not marked as done was not done, try again")


def _as_sent(headers: Headers) -> list[tuple[str, str | bytes | None]]:
    return [(name, content) for name, content in headers]  # to mypy another type: lists are invariant


def preview(connection: ConnectionSettings, selection: Selection, deed: Deed) -> Report:
    """Say what `deal` would do, and write nothing.

    Raises:
        DeadLetterError: the topic cannot be read to its end.
    """
    with opened(connection) as reader:
        box = reader.read(selection)
        report = _begin(box)
        for _ in _orders(reader, box.chosen(), deed, "", connection, report):
            report.done += 1
    return report


def deal(
    connection: ConnectionSettings,
    selection: Selection,
    deed: Deed,
    by: str,
    *,
    progress: Progress = lambda _done, _of: None,
) -> Report:
    """Replay or drop the letters that are meant and wait.

    Args:
        connection: where the broker is, and the topics' prefix.
        selection: which letters.
        deed: what to do.
        by: who does it.
        progress: told (letters done, of how many).

    Raises:
        DeadLetterError: not all of it could be done; whatever is marked was.
        KafkaException: the broker is away.
    """
    desk = Desk(connection)
    with opened(connection) as reader:
        box = reader.read(selection)
        chosen, report = box.chosen(), _begin(box)
        orders = _orders(reader, chosen, deed, by, connection, report)
        for together in _batches(orders):
            desk.write(together)
            report.done += len(together)
            progress(report.done, len(chosen))
    return report


def _begin(box: Box) -> Report:
    return Report(before=sum(box.state_of(letter) != "waiting" for letter in box.all()))


def _orders(
    reader: BoxReader,
    letters: Sequence[Letter],
    deed: Deed,
    by: str,
    connection: ConnectionSettings,
    report: Report,
) -> Iterator[Order]:
    """Give what is to be written; note in the report which records cannot be sent again."""
    if deed == "dropped":
        for letter in letters:
            yield Order(letter, Mark(letter.letter_id, deed, by))
        return
    partitions = len(reader.partitions())
    for letter, headers, key, value in reader.whole(letters):
        original = original_headers(headers)
        why = why_not(letter, original, value, connection.topic_prefix, partitions)
        if why is None:
            yield Order(letter, Mark(letter.letter_id, deed, by), headers_again(letter, original), key, value)
        else:
            report.left.append((letter, why))


def _batches(orders: Iterable[Order]) -> Iterator[list[Order]]:
    """Cut orders into transactions so short that nobody waits long for one whose process was killed."""
    together: list[Order] = []
    held_bytes = 0
    for order in orders:
        together.append(order)
        held_bytes += len(order.value or b"")
        if len(together) == _AT_ONCE or held_bytes > _AT_ONCE_BYTES:
            yield together
            together, held_bytes = [], 0
    if together:
        yield together
