"""Scoring jobs for tests, and what stands in the topics."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from runledger.schemas.codec import decode, encode
from runledger.schemas.identifiers import job_id, row_id, run_key
from runledger.schemas.outcomes import Baseline, RunOutcome
from runledger.schemas.scoring import DEFAULT_RUBRIC, RunScored, ScoringJob
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import DEAD_LETTERS, PARTITIONER, RUN_SCORES, SCORING_JOBS
from runledger.schemas.usage import UsageTotals

ENDED_AT = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
DEADLINE_SECONDS = 60


def job(number: int, rubric: str = DEFAULT_RUBRIC) -> ScoringJob:
    """The job of a plain successful run."""
    run_id = UUID(int=number)
    row = row_id("default", run_id)
    outcome = RunOutcome(
        project_key="default",
        agent_id="sage",
        run_id=run_id,
        row_id=row,
        revision=1,
        kind="lifecycle",
        status="success",
        run_status="completed",
        inferred=False,
        silent=False,
        ended_at=ENDED_AT,
        logged_at=ENDED_AT + timedelta(seconds=1),
        actions_taken={"summary": "done"},
        action_summary="done",
        usage=UsageTotals(),
    )
    return ScoringJob(job_id(row, rubric), rubric, outcome, Baseline(0))


def send(settings: ConnectionSettings, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Put (key, value) records on scoring-jobs."""
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": PARTITIONER})
    for key, value in records:
        producer.produce(SCORING_JOBS.name(settings.topic_prefix), value, key)
    assert producer.flush(30) == 0


def send_jobs(settings: ConnectionSettings, jobs: Iterable[ScoringJob]) -> None:
    """Put jobs on scoring-jobs."""
    send(settings, ((run_key("default", job.outcome.run_id), encode(job)) for job in jobs))


class TopicReader:
    """Everything in a topic from its beginning."""

    def __init__(self, settings: ConnectionSettings, topic: str) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": settings.kafka, "group.id": "reader", "enable.auto.commit": False}
        )
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(settings.partitions)])
        self.records: list[Message] = []

    def read_until(self, enough: Callable[[list[Message]], bool]) -> list[Message]:
        """Read until the records are enough; fail at the deadline."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not enough(self.records):
            assert time.monotonic() < deadline, f"only {len(self.records)} records came"
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None:
                self.records.append(message)
        return self.records

    def close(self) -> None:
        """Let the consumer go."""
        self._consumer.close()


def read_scores(settings: ConnectionSettings, job_ids: set[UUID]) -> list[RunScored]:
    """Read run-scores until each of the jobs is answered at least once."""
    reader = TopicReader(settings, RUN_SCORES.name(settings.topic_prefix))
    try:
        answered: set[UUID] = set()

        def enough(records: list[Message]) -> bool:
            if records:
                answered.add(decode(RunScored, records[-1].value()).job_id)
            return job_ids <= answered

        return [decode(RunScored, record.value()) for record in reader.read_until(enough)]
    finally:
        reader.close()


def read_dead_letters(settings: ConnectionSettings, count: int) -> list[Message]:
    """Read so many dead letters."""
    reader = TopicReader(settings, DEAD_LETTERS.name(settings.topic_prefix))
    try:
        return reader.read_until(lambda records: len(records) >= count)
    finally:
        reader.close()


def committed(settings: ConnectionSettings) -> int:
    """Sum of the scoring group's committed offsets."""
    group = f"{settings.topic_prefix}scoring"
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": group, "enable.auto.commit": False})
    try:
        topic = SCORING_JOBS.name(settings.topic_prefix)
        partitions = [TopicPartition(topic, partition) for partition in range(settings.partitions)]
        return sum(max(0, partition.offset) for partition in consumer.committed(partitions, timeout=10))
    finally:
        consumer.close()


def wait_for(condition: Callable[[], bool]) -> None:
    """Poll until it holds; fail at the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never came to hold"
        waiting.wait(0.05)
