"""What a worker needs, and whether that answers now: to wait for it is right, to be restarted would not help."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Protocol

import psycopg
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # exported at run time

from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS
from runledger.vitals.watched import Partition

_ANSWER_SECONDS = 2.0
_REFUSALS = {KafkaError._SSL, KafkaError._AUTHENTICATION}


class Dependency(Protocol):
    """A server that a worker cannot do without."""

    @property
    def problem(self) -> str:
        """What is wrong where it does not answer, such as database_away."""

    def absence(self) -> str | None:
        """Say why it does not answer, in words without secrets; None where it does. Takes some seconds at most."""


class BrokerView:
    """The broker, as a worker's watchdog sees it: by a connection of its own.

    Args:
        settings: where it is.
    """

    problem = "broker_away"

    def __init__(self, settings: ConnectionSettings) -> None:
        self._topic = RUN_EVENTS.name(settings.topic_prefix)
        self._refusal: str | None = None
        told = {"client.id": "runledger-vitals", "error_cb": self._note}
        self._admin = AdminClient(kafka_client(settings) | told)  # type: ignore[arg-type]  # a callback too

    def _note(self, error: KafkaError) -> None:
        """Keep why TLS or SASL fails: a call that gets no answer only says that. Such errors name no secret."""
        if error.code() in _REFUSALS:
            self._refusal = error.str()

    def absence(self) -> str | None:
        """Say why it does not answer."""
        try:
            self._admin.list_topics(self._topic, timeout=_ANSWER_SECONDS)
        except KafkaException as error:
            return f"Kafka does not answer: {self._refusal or error.args[0].name()}"
        self._refusal = None
        return None

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """{(topic, partition): end of what is committed}; empty where the broker does not answer."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its only untyped name
        wanted = {TopicPartition(*source): latest for source in partitions}
        if not wanted:
            return {}
        try:
            asked = self._admin.list_offsets(
                wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_ANSWER_SECONDS
            )
            return {(part.topic, part.partition): answer.result().offset for part, answer in asked.items()}
        except KafkaException:
            return {}


class DatabaseView:
    """The database, by a connection for each question: it is asked seldom, and holds none meanwhile.

    It begins its session as all others do: a pooler may refuse settings of ours, and the URI may hold some.

    Args:
        uri: connection URI.
    """

    problem = "database_away"

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def absence(self) -> str | None:
        """Say why it does not answer; the server's and the driver's own words may quote the URI."""
        try:
            with psycopg.connect(
                self._uri,
                autocommit=True,
                connect_timeout=round(_ANSWER_SECONDS),
                application_name="runledger-vitals",
                tcp_user_timeout=round(_ANSWER_SECONDS * 1000),
            ) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error as error:
            return f"Postgres does not answer: {error.sqlstate or type(error).__name__}"
        return None


class Remembered:
    """A dependency that is asked at most every few seconds, by one thread at a time.

    Args:
        dependency: what to ask.
        seconds: an answer holds for so long.
    """

    def __init__(self, dependency: Dependency, seconds: float) -> None:
        self._dependency = dependency
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._answer: str | None = None

    @property
    def problem(self) -> str:
        """What is wrong where it does not answer."""
        return self._dependency.problem

    def absence(self) -> str | None:
        """Say why it does not answer, as far as was known a moment ago."""
        with self._lock:
            if time.monotonic() - self._asked_at >= self._seconds:
                self._answer = self._dependency.absence()
                self._asked_at = time.monotonic()
            return self._answer
