"""What an operator sets for a project or one of its agents; None leaves it to the wider scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import Field

from runledger.schemas.values import AgentId, Name, ProjectKey

MAX_SETTING = 2**31 - 1
"""Settings are integer columns in Postgres."""

_Setting: TypeAlias = Annotated[int, Field(ge=1, le=MAX_SETTING)]


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Settings of a project (agent_id None) or of one agent."""

    project_key: ProjectKey
    agent_id: AgentId | None = None
    deadline_seconds: _Setting | None = None
    silence_threshold: _Setting | None = None
    failure_threshold: _Setting | None = None
    expected_interval_seconds: _Setting | None = None
    name: Name | None = None
    role: Name | None = None
    retired: bool | None = None
    """Not expected to report any more, so never called quiet."""
    schema_version: int = 1
