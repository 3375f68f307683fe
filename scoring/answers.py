"""Answers and dead letters to Kafka; each tells when the broker has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, Message, Producer

from runledger.schemas.codec import encode
from runledger.schemas.dead_letters import DeadLetter
from runledger.schemas.identifiers import run_key
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.scoring import RunScored
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import DEAD_LETTERS, PARTITIONER, RUN_SCORES
from runledger.scoring.errors import AnswerError
from runledger.vitals.complaints import Complaints

_QUEUE_WAIT_SECONDS = 30
_POLL_SECONDS = 0.1


class Answers:
    """Send answers; callbacks run inside `serve` and `flush`, in the caller's own thread."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._scores_topic = RUN_SCORES.name(settings.topic_prefix)
        self._dead_letters_topic = DEAD_LETTERS.name(settings.topic_prefix)
        self._refused: KafkaError | None = None
        self._producer = Producer(
            {
                **kafka_client(settings),
                "error_cb": Complaints(),
                "client.id": "runledger-scoring",
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "lz4",
                "partitioner": PARTITIONER,
                "message.max.bytes": DEAD_LETTERS.max_message_bytes,
            }
        )

    def send_scored(self, scored: RunScored, on_acknowledged: Callable[[], None]) -> None:
        """Answer a job.

        Raises:
            AnswerError: the local queue stayed full.
        """
        key = run_key(scored.project_key, scored.run_id)
        self._send(self._scores_topic, key, encode(scored), [], on_acknowledged)

    def send_dead_letter(self, letter: DeadLetter, on_acknowledged: Callable[[], None]) -> None:
        """Give a job up.

        Raises:
            AnswerError: the local queue stayed full.
        """
        self._send(self._dead_letters_topic, letter.key, letter.value, letter.headers(), on_acknowledged)

    def serve(self) -> None:
        """Run the callbacks that are due, without waiting.

        Raises:
            AnswerError: the broker refused an answer.
        """
        self._producer.poll(0)
        self._raise_refusal()

    def flush(self, timeout_seconds: float) -> None:
        """Wait for the acknowledgements; what is still out then stays uncommitted and is answered again.

        Raises:
            AnswerError: the broker refused an answer.
        """
        self._producer.flush(timeout_seconds)
        self._raise_refusal()

    def _send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
        on_acknowledged: Callable[[], None],
    ) -> None:
        def report(error: KafkaError | None, _message: Message) -> None:
            if error is None:
                on_acknowledged()
            else:
                self._refused = self._refused or error

        deadline = time.monotonic() + _QUEUE_WAIT_SECONDS
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=report, headers=[*headers])
            except BufferError as error:
                if time.monotonic() > deadline:
                    raise AnswerError(f"the local queue stayed full for {_QUEUE_WAIT_SECONDS} s") from error
                self._producer.poll(_POLL_SECONDS)
            else:
                return

    def _raise_refusal(self) -> None:
        if self._refused is not None:
            raise AnswerError(f"the broker refused an answer: {self._refused.str()}")
