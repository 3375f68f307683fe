"""All of it together, as the dashboard is given it."""

from __future__ import annotations

from runledger.analytics.dashboard.backstage import (
    BackstageError,
    BrokerLook,
    LettersLook,
    Replay,
    Word,
    WorkerLook,
)
from runledger.backstage.broker import BrokerEye
from runledger.backstage.letters import look_at_letters, replay_letter
from runledger.backstage.settings import BackstageSettings
from runledger.backstage.workers import look_at_workers
from runledger.producers.errors import ProducerError
from runledger.producers.settings import ProducerSettings
from runledger.resolving import Word as Said
from runledger.resolving import resolve_failure
from runledger.schemas.settings import ConnectionSettings
from runledger.stack.health import KafkaView


class Stage:
    """Does what the dashboard's `Backstage` promises, with the environment's servers.

    Args:
        settings: where they are.
    """

    def __init__(self, settings: BackstageSettings) -> None:
        self._settings = settings
        self._broker = BrokerEye(settings)
        self._view = KafkaView(settings)

    def look_at_broker(self) -> BrokerLook:
        """Look where logs end and where readers stand."""
        return self._broker.look()

    def look_at_workers(self) -> tuple[WorkerLook, ...]:
        """Ask the workers that are known how they do."""
        return look_at_workers(self._settings.dashboard_workers)

    def look_at_letters(self) -> LettersLook:
        """Look at the dead letters."""
        return look_at_letters(self._settings)

    def replay(self, project_key: str, place: str, by: str) -> Replay:
        """Send the record of one dead letter again."""
        self._require_broker()
        return replay_letter(self._settings, project_key, place, by)

    def resolve(self, project_key: str, word: Word) -> None:
        """Say that a kind of failure is resolved."""
        self._require_broker()
        said = Said(word.note, word.by, word.event_id)
        own = {name: getattr(self._settings, name) for name in ConnectionSettings.model_fields}
        try:
            resolve_failure(ProducerSettings().model_copy(update=own), project_key, word.fingerprint, said)
        except ProducerError as error:
            raise BackstageError(str(error)) from error

    def _require_broker(self) -> None:
        """See that the broker answers, before a client waits for it for half a minute."""
        if not self._view.answers():
            why = f"the broker at {self._settings.kafka} does not answer{self._view.refusal()}"
            raise BackstageError(f"{why}; nothing was sent, so try again when it does")
