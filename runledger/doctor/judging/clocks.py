"""Judge clocks: log time is the broker's, the watermark the database's, and we compare both with this machine's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from runledger.doctor.broker_facts import BrokerClock
from runledger.doctor.database_facts import Database
from runledger.doctor.findings import Finding, lasting, ok, problem, warning

_NOTICED_SECONDS = 5.0
_SERIOUS_SECONDS = 300.0
"""An agent's event from more than five minutes ahead of log time is set back to it (design: the event model)."""
_REMEDY = "keep both machines on NTP (`timedatectl set-ntp true`); what is in the log keeps its time"


def ahead(stamp: float, since: float, until: float) -> float:
    """By how many seconds at least another clock runs ahead of ours; negative where it is behind.

    Args:
        stamp: what that clock showed at a moment between the other two.
        since: ours, before.
        until: ours, after.
    """
    if stamp > until:
        return stamp - until
    return min(0.0, stamp - since)


def judge_broker_clock(clock: BrokerClock, now: datetime) -> Iterator[Finding]:
    """Compare the broker's clock with ours, as far as its records tell."""
    if clock.latest is None:
        yield ok("no record tells the broker's time yet")
    elif clock.ahead_seconds is None:
        age = (now - clock.latest).total_seconds()
        yield ok(f"no record is of the future; the newest was logged {lasting(max(0.0, age))} ago")
    else:
        yield _judge("the broker's", clock.ahead_seconds)


def judge_database_clock(database: Database) -> Iterator[Finding]:
    """Compare the database's clock with ours."""
    if database.refusal is not None:
        return
    seconds = database.ahead_seconds
    beyond = max(0.0, abs(seconds) - database.off_seconds)
    yield _judge("the database's", beyond if seconds > 0 else -beyond)


def _judge(whose: str, seconds: float) -> Finding:
    if abs(seconds) < _NOTICED_SECONDS:
        return ok(f"differs from this machine's by less than {_NOTICED_SECONDS:.0f} s")
    found = f"{whose} clock is {lasting(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} this machine's"
    if abs(seconds) >= _SERIOUS_SECONDS:
        return problem(f"{found}: deadlines, quiet agents and ages are wrong by as much", _REMEDY)
    return warning(found, _REMEDY)
