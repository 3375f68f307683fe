"""Look at servers: does a broker answer, who is in a group, how far is a group behind; does an HTTP server answer."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # exported at run time

from runledger.refusals import Refusals
from runledger.schemas.kafka_security import KafkaSettings, kafka_client

_TIMEOUT_SECONDS = 3.0


class KafkaView:
    """Reads the broker's metadata; connects at the first look and keeps the connection.

    Groups are asked for as consumers do it, not by the admin client's own requests to coordinators. These abort the
    process while the broker goes away (librdkafka, issue 4605), and with the supervisor ends the whole stack.

    Args:
        settings: where the broker is.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: AdminClient | None = None
        self._refusals = Refusals()

    def answers(self) -> bool:
        """Tell whether a broker answers now."""
        # A plain connection first: the client would log its failed attempts.
        if not any(_accepts(address) for address in self._settings.kafka.split(",")):
            return False
        try:
            return bool(self._admin().list_topics(timeout=_TIMEOUT_SECONDS).brokers)
        except KafkaException:
            return False

    def refusal(self) -> str:
        """Say, in brackets, whether TLS or SASL is why no broker answers; else nothing."""
        return "" if self._client is None else self._refusals.words(self._client)

    def members(self, group: str) -> int:
        """Count the members of a consumer group whose partitions are assigned; 0 while it rebalances or is unknown."""
        try:
            described = self._admin().list_groups(group, timeout=_TIMEOUT_SECONDS)
        except KafkaException:
            return 0
        return sum(len(found.members) for found in described if found.id == group and found.state == "Stable")

    def lag(self, groups: Iterable[str]) -> dict[str, int | None]:
        """Sum, per group, the records behind its committed offsets; None where that is unknown."""
        return {group: self._lag(group) for group in groups}

    def _lag(self, group: str) -> int | None:
        try:
            committed = self._committed(group)
            latest = {
                TopicPartition(*source): OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped upstream
                for source in committed
            }
            ends = self._admin().list_offsets(latest, request_timeout=_TIMEOUT_SECONDS) if latest else {}
            behind = [end.result().offset - committed[part.topic, part.partition] for part, end in ends.items()]
        except KafkaException:
            return None
        return sum(behind) if behind else None

    def _committed(self, group: str) -> dict[tuple[str, int], int]:
        """{(topic, partition): next_offset} of a group, by a consumer that never joins it."""
        topics = self._admin().list_topics(timeout=_TIMEOUT_SECONDS).topics
        asked = [TopicPartition(name, number) for name, facts in topics.items() for number in facts.partitions]
        onlooker = Consumer(
            {
                **kafka_client(self._settings),
                "group.id": group,
                "enable.auto.commit": False,
                "isolation.level": "read_uncommitted",  # do not wait for open transactions
                "log_level": 0,
            }
        )
        try:
            held = onlooker.committed(asked, timeout=_TIMEOUT_SECONDS)
        finally:
            onlooker.close()
        return {(one.topic, one.partition): one.offset for one in held if one.error is None and one.offset >= 0}

    def _admin(self) -> AdminClient:
        if self._client is None:
            told = {"log_level": 0, "error_cb": self._refusals}
            self._client = AdminClient(kafka_client(self._settings) | told)  # type: ignore[arg-type]  # a callback too
        return self._client


def answers_http(host: str, port: int, path: str, *, tls: bool = False) -> bool:
    """Tell whether an HTTP server answers this path with success now."""
    connection = (HTTPSConnection if tls else HTTPConnection)(host, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _accepts(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT_SECONDS):
            return True
    except (OSError, ValueError):
        return False
