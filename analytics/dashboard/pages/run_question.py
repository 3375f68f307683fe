"""What may be asked of the list of runs: the filters that stand in the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from runledger.analytics.http.values import AgentName, CursorText, TaskName
from runledger.analytics.run_list import RunFilter, RunSort
from runledger.schemas.outcomes import OutcomeStatus
from runledger.schemas.values import Timestamp

SPANS: dict[str, tuple[str, timedelta]] = {
    "1h": ("last hour", timedelta(hours=1)),
    "24h": ("last 24 hours", timedelta(days=1)),
    "7d": ("last 7 days", timedelta(days=7)),
    "30d": ("last 30 days", timedelta(days=30)),
}
"""Values of `within`, as people read them."""
Within: TypeAlias = Literal["1h", "24h", "7d", "30d"]
_DIGITS = 32
_ID = re.compile(r"[0-9a-f]{1,32}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}.*)?")


def _in_utc(value: object) -> object:
    """Read what a browser's field of date and time says, which names no zone, as UTC: so the label has it."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise PydanticCustomError("time", "must be a time, such as 2026-01-31T12:00, in UTC unless it names its offset")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("time", "is not a time that there is") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _digits(value: object) -> object:
    digits = value.replace("-", "").strip().lower() if isinstance(value, str) else ""
    if not _ID.fullmatch(digits):
        raise PydanticCustomError("run_id", "must be a run's id or its first digits, such as 0193c6f2")
    return digits


Moment: TypeAlias = Annotated[Timestamp, BeforeValidator(_in_utc)]


class RunsQuestion(BaseModel):
    """Filters, order and place. What a form sends empty is not asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: Annotated[str, BeforeValidator(_digits)] | None = None
    agent: AgentName | None = None
    status: Literal["running", "completed", "failed", "interrupted"] | None = None
    outcome: OutcomeStatus | None = None
    kind: Literal["lifecycle", "record", "log"] | None = None
    task: TaskName | None = None
    parent: UUID | None = None
    silent: Literal["yes", "no"] | None = None
    within: Within | None = None
    since: Moment | None = None
    until: Moment | None = None
    sort: RunSort = "-heard_at"
    cursor: CursorText | None = Field(default=None, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _leave_empty_out(cls, given: Any) -> Any:  # noqa: ANN401  # anything may be given
        if isinstance(given, Mapping):
            return {name: value for name, value in given.items() if value not in ("", None)}
        return given

    @property
    def run_id(self) -> UUID | None:
        """The run, where its whole id is asked for."""
        return UUID(self.run) if self.run is not None and len(self.run) == _DIGITS else None

    def wanted(self, now: datetime) -> RunFilter:
        """Say which runs.

        Args:
            now: the end of `within`.
        """
        since = self.since
        if self.within is not None:
            began_at = now - SPANS[self.within][1]
            since = began_at if since is None else max(since, began_at)
        return RunFilter(
            agent_id=self.agent,
            status=self.status,
            outcome=self.outcome,
            kind=self.kind,
            task_id=self.task,
            parent_run_id=self.parent,
            since=since,
            until=self.until,
            silent=None if self.silent is None else self.silent == "yes",
            first_run_id=None if self.run is None else UUID(self.run.ljust(_DIGITS, "0")),
            last_run_id=None if self.run is None else UUID(self.run.ljust(_DIGITS, "f")),
        )

    def address(self) -> dict[str, str]:
        """Write the question as parameters of an address, without its place: what was not asked is left out."""
        said = self.model_dump(exclude={"cursor"}, exclude_none=True, mode="json")
        if self.sort == "-heard_at":
            del said["sort"]
        for name in ("since", "until"):
            if name in said:
                said[name] = said[name].removesuffix("Z").removesuffix("+00:00")
        return said
