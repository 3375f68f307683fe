"""What an operator sets for a project or one of its agents; None leaves it to the wider scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Settings of a project (agent_id None) or of one agent."""

    project_key: str
    agent_id: str | None = None
    deadline_seconds: Annotated[int, Field(ge=1)] | None = None
    silence_threshold: Annotated[int, Field(ge=1)] | None = None
    failure_threshold: Annotated[int, Field(ge=1)] | None = None
    expected_interval_seconds: Annotated[int, Field(ge=1)] | None = None
    name: str | None = None
    role: str | None = None
    retired: bool | None = None
    """Not expected to report any more, so never called quiet."""
    schema_version: int = 1
