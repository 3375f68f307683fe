"""Follow the settings topic: read it whole before the first fold, and go on while the processor runs."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from runledger.processors.policies import Policies, Subject, read_settings
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.errors import DecodeError
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import SETTINGS

_CHUNK = 1000
_POLL_SECONDS = 0.1
_ANSWER_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_LEAVE_SECONDS = 1.0
_log = structlog.get_logger()


class SettingsFollower:
    """Keeps policies as the settings topic has them, in a thread of its own, outside any group.

    While the broker is away what is known holds. A record that is no settings record is left out; the sink, which reads
    the topic too, puts it into dead-letters.

    Args:
        settings: where the broker is, and the topics' prefix.
        policies: what to keep.
        crash: called with what nobody expected; does not return.
    """

    def __init__(
        self, settings: ConnectionSettings, policies: Policies, crash: Callable[[BaseException], None]
    ) -> None:
        self._settings = settings
        self._policies = policies
        self._crash = crash
        self._topic = SETTINGS.name(settings.topic_prefix)
        self._read = threading.Event()
        self._stopping = threading.Event()
        self._is_away = False
        self._all_down = False
        self._thread = threading.Thread(target=self._run, name="settings", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def wait_until_read(self, timeout_seconds: float) -> bool:
        """Wait until all that stood in the topic is known; whether it is."""
        return self._read.wait(timeout_seconds)

    def close(self) -> None:
        """Stop following, within a second."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_LEAVE_SECONDS)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                consumer = self._consumer()
                try:
                    self._follow(consumer)
                except KafkaException as error:
                    self._note_away(error.args[0])
                    self._stopping.wait(_RETRY_SECONDS)
                finally:
                    consumer.close()
        except BaseException as error:  # noqa: BLE001  # nothing may end this thread unseen: the process restarts instead
            self._crash(error)

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                **kafka_client(self._settings),
                "client.id": "runledger-settings",
                "group.id": f"{self._settings.topic_prefix}settings-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "error_cb": self._note_error,
                "log_level": 2,
            }
        )

    def _follow(self, consumer: Consumer) -> None:
        """Read the topic from its beginning: at its end it replaces what was known, from then on it changes it.

        Raises:
            KafkaException: the topic cannot be read; it is read from the beginning again.
        """
        unread = self._assign(consumer)
        said: dict[Subject, AgentSettings | None] = {}
        is_whole = False
        while not self._stopping.is_set():
            for message in consumer.consume(_CHUNK, _POLL_SECONDS):
                error = message.error()
                if error is None:
                    self._note(message, said)
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition())
                else:
                    raise KafkaException(error)
            self._probe(consumer)
            if unread:
                continue
            if is_whole:
                self._policies.take(said)
            else:
                self._policies.replace(said)
                _log.info("settings_read", subjects=len(said))
                is_whole = True
                self._note_back()
                self._read.set()
            said = {}

    def _assign(self, consumer: Consumer) -> set[int | None]:
        found = consumer.list_topics(self._topic, timeout=_ANSWER_SECONDS).topics[self._topic]
        if found.error is not None:
            raise KafkaException(found.error)
        consumer.assign([TopicPartition(self._topic, partition, OFFSET_BEGINNING) for partition in found.partitions])
        return set(found.partitions)

    def _note(self, message: Message, said: dict[Subject, AgentSettings | None]) -> None:
        try:
            subject, settings = read_settings(message.key(), message.value())
        except DecodeError as error:
            place = {"partition": message.partition(), "offset": message.offset()}
            _log.warning("settings_ignored", reason=error.reason, detail=error.detail, **place)
        else:
            said[subject] = settings

    def _note_error(self, error: KafkaError) -> None:
        self._all_down = self._all_down or error.code() == KafkaError._ALL_BROKERS_DOWN

    def _probe(self, consumer: Consumer) -> None:
        """Ask, once the connections are gone, whether the broker is: an idle one may close them, too."""
        if not self._all_down:
            return
        try:
            consumer.list_topics(self._topic, timeout=_RETRY_SECONDS)
        except KafkaException as error:
            self._note_away(error.args[0])
        else:
            self._all_down = False
            self._note_back()

    def _note_away(self, error: KafkaError) -> None:
        if not self._is_away:
            self._is_away = True
            _log.warning("settings_not_followed", error=error.str())

    def _note_back(self) -> None:
        if self._is_away:
            self._is_away = False
            _log.info("settings_followed_again")
