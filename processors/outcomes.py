"""What is said about a finished run, and when it is said again."""

from __future__ import annotations

from hashlib import blake2b

import orjson

from runledger.processors.evolve import Draft
from runledger.processors.silence import is_silent
from runledger.schemas.identifiers import row_id
from runledger.schemas.outcomes import UNKNOWN_AGENT, RunOutcome
from runledger.schemas.snapshots import RunSnapshot


def outcome_of(run: RunSnapshot, agent_id: str, revision: int) -> RunOutcome | None:
    """Say how a run ended; None while it goes on."""
    if run.ended_at is None or run.end_logged_at is None or run.outcome is None or run.status == "running":
        return None
    actions_taken = run.actions_taken or {}
    summary = actions_taken.get("summary")
    return RunOutcome(
        project_key=run.project_key,
        agent_id=agent_id,
        run_id=run.run_id,
        row_id=row_id(run.project_key, run.run_id),
        revision=revision,
        kind=run.kind,
        status=run.outcome,
        run_status=run.status,
        inferred=run.inferred,
        silent=is_silent(actions_taken, run.traces, run.end_summary),
        ended_at=run.ended_at,
        logged_at=run.end_logged_at,
        actions_taken=actions_taken,
        action_summary=summary if isinstance(summary, str) else None,
        usage=run.usage,
        cost_source=run.cost_source,
        started_at=run.started_at,
        failures=run.failures,
        traces=run.traces,
        models=run.models,
    )


def digest(outcome: RunOutcome) -> str:
    """Hash what an outcome says. Usage is not in it: late reports change the run's totals, not how it ended."""
    said = (
        outcome.agent_id,
        outcome.kind,
        outcome.status,
        outcome.run_status,
        outcome.inferred,
        outcome.silent,
        outcome.ended_at,
        outcome.actions_taken,
        outcome.action_summary,
    )
    return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def conclude(run: Draft, *, nameless: bool = False) -> tuple[RunOutcome, ...]:
    """Emit the run's outcome where there is one and it says something new, and note in the run that it did.

    An outcome waits for an agent. Once one is out, its agent stays: a run that went out as `unknown` keeps that name.

    Args:
        run: a draft of its new state.
        nameless: wait no longer for an agent.
    """
    if run.ended_at is None:
        return ()
    agent_id = run.agent_id or (UNKNOWN_AGENT if nameless or run.outcome_revision else None)
    if agent_id is None:
        return ()
    outcome = outcome_of(run, agent_id, run.outcome_revision + 1)
    if outcome is None:
        return ()
    said = digest(outcome)
    if said == run.outcome_digest:
        return ()
    run.outcome_revision, run.outcome_digest = outcome.revision, said
    return (outcome,)
