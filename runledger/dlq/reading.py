"""Read dead-letters with the operator's own connection; no group is joined and nothing is committed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from runledger.dlq.errors import DeadLetterError
from runledger.dlq.letters import Box, Headers, Letter, Selection, parse
from runledger.schemas.dead_letter_marks import Mark
from runledger.schemas.dead_letters import headers_of
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import DEAD_LETTERS

Progress = Callable[[int, int], None]
"""Told (records read, about how many in all)."""
_TIMEOUT_SECONDS = 20
_SILENCE_SECONDS = 30.0
_CHUNK = 500
_NEAR = 2000
"""Letters so close to each other are read in one go; farther ones are sought."""


class BoxReader:
    """Reads the topic dead-letters.

    Args:
        connection: where the broker is, and the topics' prefix.
    """

    def __init__(self, connection: ConnectionSettings) -> None:
        self._topic = DEAD_LETTERS.name(connection.topic_prefix)
        self._consumer = Consumer(
            {
                **kafka_client(connection),
                "client.id": "runledger-dlq",
                "group.id": f"{connection.topic_prefix}dlq-{uuid.uuid4()}",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
                "log_level": 2,
            }
        )

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()

    def partitions(self) -> list[int]:
        """Numbers of the topic's partitions; all topics have as many.

        Raises:
            DeadLetterError: there is no such topic.
        """
        found = self._consumer.list_topics(self._topic, timeout=_TIMEOUT_SECONDS).topics[self._topic]
        if found.error is not None:
            raise DeadLetterError(
                f"{self._topic} cannot be read: {found.error.str()} (`runledger migrate` creates missing topics)"
            )
        return sorted(found.partitions)

    def read(
        self, selection: Selection, progress: Progress = lambda _read, _of: None, newest: int | None = None
    ) -> Box:
        """Read the letters that are meant and every mark, up to where the topic ends now.

        Args:
            selection: which letters.
            progress: told how far it is.
            newest: only about so many of each partition; what marks them stands behind them, so it is among these.

        Raises:
            DeadLetterError: the topic cannot be read to its end.
        """
        box = Box(selection)
        spans = [(number, *self._bounds(number, selection.since)) for number in self.partitions()]
        if newest is not None:
            box.is_whole = all(end - begin <= newest for _, begin, end in spans)
            spans = [(number, max(begin, end - newest), end) for number, begin, end in spans]
        total, read = sum(end - begin for _, begin, end in spans), 0
        for number, begin, end in spans:
            for message in self._span(number, begin, end):
                box.add(_parsed(message))
                read += 1
                if not read % _CHUNK:
                    progress(read, total)
        progress(read, read)
        return box

    def whole(self, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Headers, bytes | None, bytes | None]]:
        """Give each letter's headers, key and value, in the order in which they stand in the topic."""
        wanted = sorted(letters, key=lambda letter: (letter.box_partition, letter.box_offset))
        while wanted:
            run = _near(wanted)
            wanted = wanted[len(run) :]
            by_offset = {letter.box_offset: letter for letter in run}
            for message in self._span(run[0].box_partition, run[0].box_offset, run[-1].box_offset + 1):
                letter = by_offset.get(message.offset() or 0)
                if letter is not None:
                    yield letter, headers_of(message.headers), message.key(), message.value()

    def _bounds(self, number: int, since: datetime | None) -> tuple[int, int]:
        """Offsets to read: from the first record logged at `since`, to the end."""
        place = TopicPartition(self._topic, number)
        begin, end = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_SECONDS)
        if since is not None:
            asked = TopicPartition(self._topic, number, int(since.timestamp() * 1000))
            (found,) = self._consumer.offsets_for_times([asked], timeout=_TIMEOUT_SECONDS)
            begin = end if found.offset < 0 else max(begin, found.offset)
        return begin, end

    def _span(self, number: int, begin: int, end: int) -> Iterator[Message]:
        """Give the committed records of [begin, end); transactions that are open in it are waited for."""
        if begin >= end:
            return
        self._consumer.assign([TopicPartition(self._topic, number, begin)])
        heard = time.monotonic()
        while time.monotonic() - heard < _SILENCE_SECONDS:
            for message in self._consumer.consume(_CHUNK, 0.2):
                error, offset = message.error(), message.offset() or 0
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                if offset >= end:
                    return
                if error is None:
                    heard = time.monotonic()
                    yield message
                    heard = time.monotonic()
                    if offset == end - 1:
                        return
        raise DeadLetterError(
            f"{self._topic}[{number}] could not be read to its end at {end} within {_SILENCE_SECONDS:g} s: the broker "
            "is away, or a transaction stays open"
        )


@contextmanager
def opened(connection: ConnectionSettings) -> Iterator[BoxReader]:
    """Open a reader and close it at the end."""
    reader = BoxReader(connection)
    try:
        yield reader
    finally:
        reader.close()


def _near(letters: list[Letter]) -> list[Letter]:
    """The first letters that stand near each other in one partition."""
    run = letters[:1]
    for letter in letters[1:]:
        if letter.box_partition != run[0].box_partition or letter.box_offset - run[-1].box_offset > _NEAR:
            break
        run.append(letter)
    return run


def _parsed(message: Message) -> Letter | Mark | None:
    key, value = message.key(), message.value()
    return parse(
        headers_of(message.headers),
        (message.partition() or 0, message.offset() or 0),
        datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
        (None if key is None else len(key), None if value is None else len(value)),
        key,
    )
