"""What holds for a project and its agents: an operator's settings over the processor's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from runledger.processors.deadlines import DeadlinePolicy
from runledger.processors.settings import ProcessorSettings
from runledger.processors.streaks import StreakPolicy
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import decode
from runledger.schemas.errors import DecodeError
from runledger.schemas.identifiers import settings_key

Subject: TypeAlias = tuple[str, str | None]
"""(project, agent), or (project, None) for what holds for all its agents."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long to wait for a run, and how many of them in a row open an incident."""

    deadlines: DeadlinePolicy
    streaks: StreakPolicy


def default_policy(settings: ProcessorSettings) -> Policy:
    """Read what holds where no operator said anything."""
    deadlines = DeadlinePolicy(
        run_deadline=timedelta(seconds=settings.run_deadline_seconds),
        ended_retention=timedelta(seconds=settings.ended_retention_seconds),
        record_retention=timedelta(seconds=settings.record_retention_seconds),
    )
    return Policy(deadlines, StreakPolicy(settings.silence_threshold, settings.failure_threshold))


def read_settings(key: bytes | None, value: bytes | None) -> tuple[Subject, AgentSettings | None]:
    """Read one record of the settings topic; a tombstone takes back what was said.

    Raises:
        DecodeError: it is no settings record, or stands under another subject's key.
    """
    if value is not None:
        said = decode(AgentSettings, value)
        if key != settings_key(said.project_key, said.agent_id):
            raise DecodeError("wrong_key", "the record's key is not the settings' project and agent", "key")
        return (said.project_key, said.agent_id), said
    try:
        project_key, slash, agent_id = (key or b"").decode().partition("/")
    except UnicodeDecodeError as error:
        raise DecodeError("wrong_key", "the tombstone's key is no project and agent", "key") from error
    return (project_key, agent_id if slash else None), None


def _over(wider: Policy, said: AgentSettings) -> Policy:
    """Lay what was said over what holds anyway."""
    deadlines, streaks = wider.deadlines, wider.streaks
    if said.deadline_seconds is not None:
        deadlines = replace(deadlines, run_deadline=timedelta(seconds=said.deadline_seconds))
    silence, failures = said.silence_threshold, said.failure_threshold
    if silence is not None or failures is not None:
        silence = streaks.silence_threshold if silence is None else silence
        failures = streaks.failure_threshold if failures is None else failures
        streaks = replace(streaks, silence_threshold=silence, failure_threshold=failures)
    return Policy(deadlines, streaks)


class Policies:
    """The policies in force: an agent's own settings, else its project's, else the default, setting by setting.

    One thread changes them while others ask: whoever asks sees one state or the next.

    Args:
        default: what holds where nobody said anything.
    """

    def __init__(self, default: Policy) -> None:
        self._default = default
        self._said: dict[Subject, AgentSettings] = {}
        self._in_force: Mapping[Subject, Policy] = {}
        self.revision = 0
        """Grows whenever a deadline changes: what is filed by an older one has to be filed anew."""

    def of(self, project_key: str, agent_id: str | None) -> Policy:
        """Return what holds for an agent of a project, or for a run that names none yet."""
        in_force = self._in_force
        if not in_force:
            return self._default
        return in_force.get((project_key, agent_id)) or in_force.get((project_key, None)) or self._default

    def take(self, said: Mapping[Subject, AgentSettings | None]) -> None:
        """Take over what was said since; None takes back what was said of a subject."""
        if said:
            merged: dict[Subject, AgentSettings | None] = {**self._said, **said}
            self._hold({subject: settings for subject, settings in merged.items() if settings is not None})

    def replace(self, said: Mapping[Subject, AgentSettings | None]) -> None:
        """Take over all that stands in the topic: what is not in it holds no more."""
        self._hold({subject: settings for subject, settings in said.items() if settings is not None})

    def _hold(self, said: dict[Subject, AgentSettings]) -> None:
        # Projects before their agents: what a project says is what its agents' settings lie over.
        in_force: dict[Subject, Policy] = {}
        for (project_key, agent_id), settings in sorted(said.items(), key=lambda item: item[0][1] is not None):
            wider = self._default if agent_id is None else in_force.get((project_key, None), self._default)
            in_force[project_key, agent_id] = _over(wider, settings)
        before, self._said, self._in_force = self._in_force, said, in_force
        subjects = before.keys() | in_force.keys()
        if any(_deadline(before, subject) != _deadline(in_force, subject) for subject in subjects):
            self.revision += 1  # last: who sees it sees the new deadlines as well


def _deadline(in_force: Mapping[Subject, Policy], subject: Subject) -> timedelta | None:
    policy = in_force.get(subject)
    return None if policy is None else policy.deadlines.run_deadline
