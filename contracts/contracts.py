"""Which messages each topic carries, under which keys, with which headers: what is promised to programs of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, get_args

from runledger.schemas import topics
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER
from runledger.schemas.dead_letter_marks import REPLAY_OF
from runledger.schemas.dead_letters import REASON
from runledger.schemas.outcomes import Incident, LoggedRun, RunOutcome, StreakRevised
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.scoring import RunScored, ScoringJob
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.topics import Topic

_PROJECT = "[a-z0-9_-]{1,64}"
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_AGENT = r"[^\x00]+"
KEYS: Mapping[str, str] = MappingProxyType(
    {
        "project/run_id": f"^{_PROJECT}/{_UUID}$",
        "project/agent_id": f"^{_PROJECT}/{_AGENT}$",
        "project or project/agent_id": f"^{_PROJECT}(/{_AGENT})?$",
    }
)
"""{a key, as the table of topics names it: its pattern}"""
EVENTS_VERSION = 1
"""Of the envelope; each type of event has its own version in its name."""
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "evicted": "the processors let go of a finished run to save memory: keep what you have, it is still true",
        "erased": "an operator had it erased: delete what you have",
    }
)
"""{why a tombstone was written: what that means}; one without the header takes back what was set."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a topic carries.

    Args:
        topic: its facts.
        messages: the record types of its values.
        reasons: why a record without a value may come; empty where none comes.
    """

    topic: Topic
    messages: tuple[type[Any], ...]
    reasons: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """The version that the records themselves carry."""
        if self.topic is topics.RUN_EVENTS:
            return EVENTS_VERSION
        return max(version_of(message) for message in self.messages)

    @property
    def name(self) -> str:
        """Name of the file."""
        return f"{self.topic.suffix}.v{self.version}"

    def key(self) -> dict[str, Any]:
        """JSON Schema of the key, which is text."""
        return {"type": "string", "pattern": KEYS[self.topic.key], "description": self.topic.key}

    def headers(self) -> dict[str, Any]:
        """JSON Schema of the headers, whose values are text."""
        allowed: dict[str, Any] = {}
        if self.topic is topics.RUN_EVENTS:
            allowed[EVENT_ID_HEADER] = _header("The event's id: repeats are found without parsing.")
            allowed["content-type"] = _header("Structured JSON of CloudEvents.", const=CONTENT_TYPE)
        allowed[REPLAY_OF] = _header("A dead letter that was sent again: reader/topic/partition/offset/log time.")
        return {"type": "object", "properties": allowed}

    def tombstone_headers(self) -> dict[str, Any]:
        """JSON Schema of the headers of a record without a value."""
        why = "; ".join(f"{reason}: {REASONS[reason]}" for reason in self.reasons)
        return {"type": "object", "properties": {REASON: _header(why, enum=list(self.reasons))}}


def _header(description: str, **rules: object) -> dict[str, Any]:
    return {"type": "string", "description": description, **rules}


def version_of(message: type[Any]) -> int:
    """Return the version with which records of a type are written."""
    defaults: dict[str, Any] = {field.name: field.default for field in fields(message)}
    return int(defaults["schema_version"])


CONTRACTS = (
    Contract(topics.RUN_EVENTS, get_args(AnyRunEvent)),
    Contract(topics.RUNS, (RunSnapshot,), ("evicted", "erased")),
    Contract(topics.RUN_OUTCOMES, (RunOutcome,), ("erased",)),
    Contract(topics.AGENTS, (AgentHealth,), ("evicted", "erased")),
    Contract(topics.RUN_LOG, (LoggedRun, StreakRevised)),
    Contract(topics.INCIDENTS, (Incident,)),
    Contract(topics.SCORING_JOBS, (ScoringJob,)),
    Contract(topics.RUN_SCORES, (RunScored,)),
    Contract(topics.SETTINGS, (AgentSettings,), ("erased",)),
)
"""Every topic that programs of others may read: positions are ours alone, dead letters are bytes as they came."""


def contract_of(topic: Topic) -> Contract:
    """Return a topic's contract.

    Raises:
        LookupError: it has none.
    """
    for contract in CONTRACTS:
        if contract.topic is topic:
            return contract
    raise LookupError(f"{topic.suffix} has no contract: it is not for programs of others")
