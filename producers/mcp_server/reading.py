"""The tools that read, beyond the Run Tools document: one run, failures met before, and costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastmcp import FastMCP
from mcp_types import ToolAnnotations
from pydantic import BaseModel

from runledger.producers.masking import Masker
from runledger.producers.mcp_server import arguments as a
from runledger.producers.mcp_server import results as r
from runledger.producers.mcp_server.credentials import Identify
from runledger.producers.mcp_server.errors import refusal, told_plainly
from runledger.producers.mcp_server.reader import Reader
from runledger.schemas.fingerprint import fingerprint as fingerprint_of
from runledger.schemas.values import MAX_ERROR

_COST_GROUPS = 100
_COST_WINDOW = timedelta(days=30)
_HINTS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


class ReadingTools:
    """Answer from the tables, about the caller's project alone.

    Args:
        identify: says who calls.
        reader: reads the tables.
        masker: the one through which recorded errors went, so that the same error finds them.
    """

    def __init__(self, identify: Identify, reader: Reader, masker: Masker) -> None:
        self._identify = identify
        self._reader = reader
        self._masker = masker

    def add_to(self, server: FastMCP[Any]) -> None:
        """Offer the tools."""
        for tool in (self.get_run, self.recent_failures, self.run_costs):
            server.tool(tool, annotations=_HINTS)

    async def get_run(self, run_id: a.RunId) -> r.RunAnswer:
        """Read one run of your project: status, times, token usage, cost in US dollars, failures and quality score.

        A run appears here about a second after it is reported. Null is unknown, never zero.
        """
        with told_plainly():
            project_key = await self._project()
            found = await self._reader.get_run(project_key, run_id)
        if found is None:
            raise refusal(f"run not found: {run_id}. A run appears about a second after it is reported.")
        failures = [
            r.FailureAnswer(**_facts(r.FailureFacts, one), untrusted=r.FailureWords.model_validate(one))
            for one in found.failures
        ]
        words = r.RunWords.model_validate(found.run)
        return r.RunAnswer(**_facts(r.RunFacts, found.run), failures=failures, untrusted=words)

    async def recent_failures(
        self,
        error: a.KnownError | None = None,
        fingerprint: a.Fingerprint | None = None,
        limit: a.GroupLimit = 10,
    ) -> r.FailuresAnswer:
        """Ask whether a failure was met before by any agent of your project, and whether it was resolved.

        Give the error you have (or a fingerprint) to look up its kind; without either the latest kinds of failures
        are listed. resolved_before says that it was resolved: by a later run that completed a task on which it had
        happened (read that run with get_run to learn how), or by somebody's word (resolution_note).
        """
        with told_plainly():
            project_key = await self._project()
            if error is not None and fingerprint is not None:
                raise refusal("give error or fingerprint, not both")
            wanted = fingerprint if error is None else self._fingerprint(project_key, error)
            groups = await self._reader.recent_failures(project_key, wanted, limit)
        return r.FailuresAnswer(fingerprint=wanted, groups=[_group(group) for group in groups])

    async def run_costs(
        self,
        since: a.Since | None = None,
        group_by: a.Grouping | None = None,
    ) -> r.CostsAnswer:
        """Add up what the runs of your project used and cost, in tokens and US dollars.

        A run counts on the day it ended, or was last heard of if it still runs. Only known costs are added: compare
        runs_with_cost with runs before you call a sum complete.
        """
        since = datetime.now(UTC) - _COST_WINDOW if since is None else since
        with told_plainly():
            project_key = await self._project()
            costs = await self._reader.run_costs(project_key, since, group_by, _COST_GROUPS)
        groups = [
            r.CostGroup(**_facts(r.CostGroupFacts, one), untrusted=r.CostWords.model_validate(one))
            for one in costs.groups
        ]
        total = r.CostFacts.model_validate(costs.total)
        return r.CostsAnswer(since=since, total=total, groups=groups, more_groups=costs.more_groups)

    def _fingerprint(self, project_key: str, error: str) -> str:
        return fingerprint_of(project_key, self._masker.mask_text(error, MAX_ERROR))

    async def _project(self) -> str:
        principal = await self._identify()
        principal.require("read")
        return principal.project_key


def _facts(kind: type[BaseModel], found: object) -> dict[str, Any]:
    """Take the attributes that a model names."""
    return dict(kind.model_validate(found))


def _group(found: object) -> r.GroupAnswer:
    facts = r.GroupFacts.model_validate(found)
    return r.GroupAnswer(
        **dict(facts),
        resolved_before=facts.resolved_at is not None,
        seen_since_resolved=facts.state == "regressed",
        untrusted=r.GroupWords.model_validate(found),
    )
