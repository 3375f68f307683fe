"""Records of one topic, one after the other, for threads and for asyncio."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from runledger.schemas.errors import DecodeError
from runledger.schemas.topics import Topic
from runledger.subscribers.decoding import receive
from runledger.subscribers.errors import SubscriptionError
from runledger.subscribers.received import Received

if TYPE_CHECKING:  # it needs an extra
    from runledger.contracts.validating import ContractValidator

RecordT = TypeVar("RecordT")

_POLL_SECONDS = 0.2
_LOG = logging.getLogger(__name__)


class Subscription(Iterator[Received[RecordT]], AsyncIterator[Received[RecordT]], Generic[RecordT]):
    """Iterate with `for` or with `async for`; close it, or use it as a context manager. Made by `subscribe`.

    A subscription that is closed while somebody waits for a record ends that wait.

    Args:
        consumer: assigned or subscribed; closed with the subscription.
        topic: what it reads.
        grouped: whether positions are committed. One moves past a record when the next one is asked for.
        project: skip the records of other projects.
        until: {partition: end} where to stop; None for never.
        validator: holds each record against the topic's contract; None for not.
    """

    def __init__(
        self,
        consumer: Consumer,
        topic: Topic,
        *,
        grouped: bool,
        project: str | None,
        until: dict[int, int] | None,
        validator: ContractValidator | None = None,
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._grouped = grouped
        self._validator = validator
        self._project = None if project is None else project.encode()
        self._unread = None if until is None else {partition: end for partition, end in until.items() if end > 0}
        self._handed_out: Message | None = None
        self._using = threading.Lock()
        self._closing = False
        self._closed = False
        self._taking: asyncio.Task[Received[RecordT] | None] | None = None
        self.skipped = 0
        """Records that could not be decoded, or broke the contract: each was logged with its place and left out."""

    def poll(self, timeout_seconds: float) -> Received[RecordT] | None:
        """Give the next record; None if none comes in time, or the subscription has ended.

        Raises:
            SubscriptionError: the topic can be read no longer.
        """
        with self._using:
            self._move_on()
            deadline = time.monotonic() + timeout_seconds
            while not self._ended():
                message = self._consumer.poll(max(0.0, min(_POLL_SECONDS, deadline - time.monotonic())))
                received = None if message is None else self._receive(message)
                if received is not None:
                    return received
                if time.monotonic() >= deadline:
                    return None
            return None

    def close(self) -> None:
        """Stop, let go of the group's partitions, and commit. Closing twice is harmless.

        The record handed out last counts as dealt with only if the next one was asked for.
        """
        self._closing = True
        with self._using:
            if not self._closed:
                self._closed = True
                self._consumer.close()

    def __next__(self) -> Received[RecordT]:
        while True:
            received = self.poll(1.0)
            if received is not None:
                return received
            if self._ended():
                raise StopIteration

    async def __anext__(self) -> Received[RecordT]:
        while True:
            if self._taking is None:
                self._taking = asyncio.create_task(asyncio.to_thread(self.poll, _POLL_SECONDS))
            # Shielded, and kept: a cancelled wait must not lose the record that its thread is about to take.
            # That may be done in the very moment of the cancellation: only who receives the record lets go of it.
            try:
                received = await asyncio.shield(self._taking)
            except asyncio.CancelledError:
                raise
            except BaseException:
                self._taking = None
                raise
            self._taking = None
            if received is not None:
                return received
            if self._ended():
                raise StopAsyncIteration

    def __iter__(self) -> Self:
        return self

    def __aiter__(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)
        if self._taking is not None:
            await asyncio.wait([self._taking])

    def _ended(self) -> bool:
        return self._closing or (self._unread is not None and not self._unread)

    def _move_on(self) -> None:
        """The record handed out last has been dealt with: its offset may be committed."""
        if self._handed_out is not None:
            self._dealt_with(self._handed_out)
        self._handed_out = None

    def _dealt_with(self, message: Message) -> None:
        if not self._grouped:
            return
        try:
            self._consumer.store_offsets(message)
        except KafkaException as error:  # its partition went to another member: that one gets the record again
            _LOG.info("a position is not kept: %s", error.args[0].str())

    def _receive(self, message: Message) -> Received[RecordT] | None:
        error = message.error()
        if error is not None:
            self._note(error, message)
            return None
        if self._lies_beyond(message):
            return None
        # What is set for a whole project has its key alone.
        if self._project is not None and (message.key() or b"").partition(b"/")[0] != self._project:
            self._dealt_with(message)
            return None
        try:
            received: Received[RecordT] = receive(self._topic, message, self._validator)
        except DecodeError as undecodable:
            self.skipped += 1
            place = (message.topic(), message.partition(), message.offset())
            _LOG.warning("a record that cannot be decoded is left out: %s %s %s: %s", *place, undecodable)
            self._dealt_with(message)
            return None
        self._handed_out = message
        return received

    def _lies_beyond(self, message: Message) -> bool:
        """Tell whether a record came after the end that was asked for; note the partitions whose end is reached."""
        if self._unread is None:
            return False
        partition, offset = message.partition() or 0, message.offset() or 0
        end = self._unread.get(partition, 0)
        if offset + 1 >= end:
            self._read_to_its_end(message)
        return offset >= end

    def _read_to_its_end(self, message: Message) -> None:
        topic, partition = message.topic() or "", message.partition() or 0
        if self._unread is not None and self._unread.pop(partition, None) is not None:
            # Those who write on must not keep us from the partitions that are left.
            self._consumer.pause([TopicPartition(topic, partition)])

    def _note(self, error: KafkaError, message: Message) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            self._read_to_its_end(message)
        elif error.fatal() or error.code() in {
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.GROUP_AUTHORIZATION_FAILED,
            KafkaError._AUTO_OFFSET_RESET,
        }:
            raise SubscriptionError(f"{self._topic.suffix} can be read no longer: {error.str()}")
        else:
            _LOG.info("Kafka says, and goes on: %s", error.str())
