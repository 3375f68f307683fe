"""The jobs of this worker's partitions: taken in order, finished in any, committed up to the first open one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from runledger.schemas.dead_letter_limits import Excess, Limits, Refusals
from runledger.schemas.dead_letters import OriginalHeaders, headers_of
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import SCORING_JOBS
from runledger.scoring.errors import DeadLetterLimitError, PositionError, ReadError
from runledger.scoring.progress import PartitionProgress
from runledger.vitals.complaints import Complaints

_LOG = structlog.get_logger()
_KAFKA_TIMEOUT_SECONDS = 10
_NOT_FATAL = frozenset({KafkaError._MAX_POLL_EXCEEDED, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})


@dataclass(frozen=True, slots=True)
class TakenJob:
    """One record of scoring-jobs, where it stood, and the progress that waits for it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    logged_at_ms: int
    headers: OriginalHeaders
    progress: PartitionProgress

    def finish(self) -> None:
        """Say that the broker has its answer: its offset need not be read again."""
        self.progress.finish(self.offset)

    def answered(self, limits: Limits) -> None:
        """Say that it was no dead letter."""
        self.progress.refusals = self.progress.refusals.after_good(1, limits)

    def refuse(self, limits: Limits) -> None:
        """Count it as a dead letter, before it is sent.

        Raises:
            DeadLetterLimitError: it would be one too many.
        """
        refusals = self.progress.refusals.after_letter(limits)
        if (why := refusals.excess(limits)) is not None:
            raise DeadLetterLimitError(self.topic, self.partition, Excess(self.offset, why))
        self.progress.refusals = refusals


class Jobs:
    """A member of the group `{prefix}scoring`.

    Args:
        settings: where the broker is.
        before_revoke: called before partitions are given away: what is finished by then is committed.
    """

    def __init__(self, settings: ConnectionSettings, before_revoke: Callable[[], None]) -> None:
        self._topic = SCORING_JOBS.name(settings.topic_prefix)
        self._before_revoke = before_revoke
        self._progress: dict[int, PartitionProgress] = {}
        self._consumer = Consumer(
            {
                **kafka_client(settings),
                "error_cb": Complaints(),
                "client.id": "runledger-scoring",
                "group.id": f"{settings.topic_prefix}scoring",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",  # every start is explicit: see _assigned
                "isolation.level": "read_committed",
                "session.timeout.ms": 6_000,
            }
        )
        self._consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def take(self, at_most: int, wait_seconds: float) -> list[TakenJob]:
        """Take what is there, waiting only for the first.

        Raises:
            ReadError: the broker refused the read.
            PositionError: the log no longer holds the group's committed position.
        """
        first = self._consumer.poll(wait_seconds)
        if first is None:
            return []
        messages = [first, *self._consumer.consume(at_most - 1, 0)] if at_most > 1 else [first]
        return [taken for message in messages if (taken := self._admit(message)) is not None]

    def hold(self, *, held: bool) -> None:
        """Stop taking, or go on, while staying a member of the group."""
        assigned = self._consumer.assignment()
        if held:
            self._consumer.pause(assigned)
        else:
            self._consumer.resume(assigned)

    def owns(self, job: TakenJob) -> bool:
        """Whether the job's partition is still this worker's, without a break since the job was taken."""
        return self._progress.get(job.partition) is job.progress

    def commit(self) -> None:
        """Commit what is finished. A refusal is a warning: the next owner of the partition does those jobs again."""
        due = {p: offset for p in self._progress.values() if (offset := p.due_commit()) is not None}
        if not due:
            return
        offsets = [
            TopicPartition(self._topic, p.partition, offset, metadata=p.refusals.as_text()) for p, offset in due.items()
        ]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            _LOG.warning("commit_refused", error=error.args[0].name())
            return
        for progress, offset in due.items():
            progress.committed(offset)

    def positions(self) -> dict[tuple[str, int], int]:
        """{(topic, partition): next_offset} of what was committed since the last assignment; for any thread."""
        committed = {number: progress.committed_offset for number, progress in list(self._progress.items())}
        return {(self._topic, number): offset for number, offset in committed.items() if offset is not None}

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _admit(self, message: Message) -> TakenJob | None:
        error = message.error()
        if error is not None:
            if error.code() in _NOT_FATAL or error.retriable():
                _LOG.warning("read_refused", error=error.name())
                return None
            if error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise PositionError(self._topic, message.partition(), error.str())
            raise ReadError(f"{self._topic}: {error.str()}")
        partition, offset = message.partition(), message.offset()
        progress = None if partition is None else self._progress.get(partition)
        if partition is None or offset is None or progress is None:
            return None
        progress.take(offset)
        return TakenJob(
            topic=self._topic,
            partition=partition,
            offset=offset,
            key=message.key(),
            value=message.value(),
            logged_at_ms=message.timestamp()[1],
            headers=headers_of(message.headers),
            progress=progress,
        )

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Start where the group stands, else at the log's beginning; a position the log no longer holds is an error."""
        starts = consumer.committed(partitions, timeout=_KAFKA_TIMEOUT_SECONDS)
        for start in starts:
            start.offset = start.offset if start.offset >= 0 else OFFSET_BEGINNING
            refusals = Refusals.from_text(start.metadata or "")
            self._progress[start.partition] = PartitionProgress(start.partition, refusals)
        consumer.assign(starts)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._before_revoke()
        self.commit()
        self._lost(consumer, partitions)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            self._progress.pop(partition.partition, None)
