"""What the gateway's answer says of each event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import orjson

from runledger.producers.transport import Failure

_LONGEST_PAUSE_SECONDS = 60.0
_SUCCESS = range(200, 300)
_REFUSED = {400, 409, 413, 415, 422}
"""Statuses that no repetition mends; every other one may be another tomorrow, also 401 and 403: keys are renewed."""

_REFUSED_EVENT = _REFUSED | {403}
"""Of one event, 403 says that it belongs to another project than the key does: in a spool it would block the rest."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do after one request.

    Args:
        outcomes: one per event, in their order: None = acknowledged, a Failure = given up.
        retry: positions of the events to send again.
        pause_seconds: to wait before, where the gateway asked for it.
        split: the batch as a whole was too large.
    """

    outcomes: Sequence[Failure | None] = ()
    retry: frozenset[int] = frozenset()
    pause_seconds: float | None = None
    split: bool = False


def read_answer(status: int, retry_after: str | None, body: bytes, count: int, now: datetime) -> Answer:
    """Read the answer to a batch of `count` events."""
    pause = _pause_seconds(retry_after, now)
    results = _results(body, count)
    if results is not None:
        return _per_event(results, pause)
    if status == 413 and count > 1:  # noqa: PLR2004  # Content Too Large
        return Answer(split=True)
    if status in _SUCCESS:
        return Answer(outcomes=[Failure("the gateway's answer does not name every event")] * count)
    if _again(status):
        return Answer(outcomes=[Failure(_reason(status))] * count, retry=frozenset(range(count)), pause_seconds=pause)
    return Answer(outcomes=[Failure(_reason(status), final=status in _REFUSED)] * count)


def _per_event(statuses: Sequence[int], pause: float | None) -> Answer:
    outcomes = [
        None if status in _SUCCESS else Failure(_reason(status), final=status in _REFUSED_EVENT) for status in statuses
    ]
    retry = frozenset(position for position, status in enumerate(statuses) if _again(status))
    return Answer(outcomes, retry, pause if retry else None)


def _results(body: bytes, count: int) -> list[int] | None:
    """Statuses of the single events; None where the answer is about the request as a whole."""
    try:
        results = orjson.loads(body)["results"]
        statuses = [int(result["status"]) for result in results]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    return statuses if len(statuses) == count else None


def _again(status: int) -> bool:
    return status in {408, 425, 429} or status >= 500  # noqa: PLR2004  # server errors begin there


def _reason(status: int) -> str:
    return f"the gateway answered {status}"


def _pause_seconds(retry_after: str | None, now: datetime) -> float | None:
    """Read Retry-After (RFC 9110, section 10.2.3): seconds or a date; at most a minute is believed."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            at = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(max(0.0, seconds), _LONGEST_PAUSE_SECONDS)
