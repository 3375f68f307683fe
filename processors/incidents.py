"""Incidents: a streak reached its threshold, and ended after it had."""

from __future__ import annotations

from runledger.schemas.identifiers import incident_id
from runledger.schemas.outcomes import Incident, IncidentKind, RunOutcome
from runledger.schemas.snapshots import AgentHealth, OpenIncident, WindowEntry


def _streak(entry: WindowEntry, kind: IncidentKind) -> int:
    return entry.consecutive_silence_count if kind == "silent" else entry.consecutive_failure_count


def _opened_by(window: tuple[WindowEntry, ...], kind: IncidentKind, threshold: int) -> WindowEntry:
    """Find the run with which the current streak reached the threshold, or the oldest run still known of it."""
    opener = window[-1]
    for entry in reversed(window):
        if _streak(entry, kind) < threshold:
            break
        opener = entry
    return opener


def _say(health: AgentHealth, incident: OpenIncident, recovery: RunOutcome | None) -> Incident:
    return Incident(
        incident_id=incident.incident_id,
        project_key=health.project_key,
        agent_id=health.agent_id,
        kind=incident.kind,
        state="open" if recovery is None else "recovered",
        threshold=incident.threshold,
        run_id=incident.run_id,
        opened_at=incident.opened_at,
        version=health.version,
        # A run that arrived late may end a streak at a time before it was long enough to open the incident.
        recovered_at=None if recovery is None else max(recovery.ended_at, incident.opened_at),
        recovered_run_id=None if recovery is None else recovery.run_id,
    )


def review(
    health: AgentHealth, outcome: RunOutcome, thresholds: dict[IncidentKind, int]
) -> tuple[tuple[OpenIncident, ...], tuple[Incident, ...]]:
    """Compare the current streaks with what is open.

    An open incident recovers below the threshold it was opened by, whatever the threshold is now.

    Args:
        health: the agent with its new streaks, and the incidents that were open before.
        outcome: what just arrived.
        thresholds: {kind: runs in a row}.

    Returns:
        The incidents open now, and what there is to say.
    """
    streaks = {"silent": health.consecutive_silence_count, "failing": health.consecutive_failure_count}
    open_now: list[OpenIncident] = []
    said: list[Incident] = []
    for incident in health.incidents:
        if streaks[incident.kind] < incident.threshold:
            said.append(_say(health, incident, outcome))
        else:
            open_now.append(incident)
    open_kinds = {incident.kind for incident in open_now}
    for kind, threshold in thresholds.items():
        if streaks[kind] >= threshold and kind not in open_kinds and health.window:
            opener = _opened_by(health.window, kind, threshold)
            identity = incident_id(health.project_key, health.agent_id, kind, health.version)
            incident = OpenIncident(kind, identity, opener.ended_at, opener.run_id, threshold)
            open_now.append(incident)
            said.append(_say(health, incident, None))
    return tuple(open_now), tuple(said)
