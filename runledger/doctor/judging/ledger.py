"""Judge what stands in the tables: the watermark, jobs and posts that wait, projects and keys."""

from __future__ import annotations

from collections.abc import Iterator

from runledger.doctor.database_facts import Outbox, Projects, Webhooks
from runledger.doctor.findings import Finding, count, lasting, ok, problem, some, warning

_BEHIND_SECONDS = 30.0
"""As for the auditor: it is moved every two seconds."""


def judge_watermark(age_seconds: float | None) -> Iterator[Finding]:
    """The watch runs, and everything logged reaches the tables."""
    if age_seconds is None:
        yield problem(
            "no watch has ever told how far the pipeline has come: no agent is called quiet, no webhook is told",
            "start it",
            "runledger worker watch",
        )
    elif age_seconds > _BEHIND_SECONDS:
        yield problem(
            f"the tables are known to hold only what was logged {lasting(age_seconds)} ago: the watch is away, or the "
            "pipeline is behind",
            "start the watch, if none runs; else see processor and sink",
            "runledger worker watch",
        )
    else:
        yield ok(f"{lasting(max(0.0, age_seconds))} old")


def judge_outbox(outbox: Outbox, patience_seconds: float) -> Iterator[Finding]:
    """Scoring jobs are sent."""
    if outbox.oldest_seconds is not None and outbox.oldest_seconds > patience_seconds:
        yield problem(
            f"{count(outbox.jobs, 'scoring job')} not sent, the oldest for {lasting(outbox.oldest_seconds)}: no "
            "relay runs, "
            "or the broker refuses it",
            "start one, or see its log",
            "runledger worker relay",
        )
    else:
        yield ok("nothing waits" if not outbox.jobs else f"{count(outbox.jobs, 'job')} on the way")


def judge_webhooks(webhooks: Webhooks, patience_seconds: float) -> Iterator[Finding]:
    """Incidents are posted to those who want to hear of them."""
    if webhooks.overdue_seconds is not None and webhooks.overdue_seconds > patience_seconds:
        yield problem(
            f"{count(webhooks.overdue, 'post')} due, the first for {lasting(webhooks.overdue_seconds)}: nobody makes "
            "them",
            "start the watch, or see its log",
            "runledger worker watch",
        )
    if webhooks.given_up:
        why = f" (the last: {webhooks.last_error[:80]})" if webhooks.last_error else ""
        yield warning(
            f"{count(webhooks.given_up, 'post')} given up since yesterday{why}",
            "mend the receiver, and try it: runledger project webhook test PROJECT (docs/webhooks.md)",
        )
    elif not (webhooks.overdue_seconds or 0) > patience_seconds:
        yield ok("nothing is overdue")


def judge_projects(projects: Projects) -> Iterator[Finding]:
    """The project that is asked for is there and has a key; the key of this environment works."""
    wanted, sound = projects.wanted, True
    if not projects.known:
        sound = False
        yield problem("there is no project", "make one, with a key", "runledger project create default")
    elif wanted is not None and wanted not in projects.known:
        sound = False
        yield problem(
            f"there is no project {wanted}; there are {some(list(projects.known))}",
            "make it, with a key",
            f"runledger project create {wanted}",
        )
    elif wanted is not None and projects.living_keys == 0:
        sound = False
        yield warning(
            f"project {wanted} has no API key in force: its agents report through a trusted listener or Kafka alone, "
            "and "
            "nobody reads over HTTP",
            "make one",
            f"runledger project create {wanted}",
        )
    if projects.own_key:
        sound = False
        yield problem(
            f"RUNLEDGER_API_KEY does not work: {projects.own_key}",
            "set it to a key in force: `runledger project list` shows them, `runledger project create` makes one",
        )
    if sound:
        yield ok(some(list(projects.known), 5))
