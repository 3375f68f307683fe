from __future__ import annotations

import pytest

from runledger.sinks.errors import StopLoudlyError
from runledger.sinks.offsets import LogFacts, Position, check_position

_SOURCE = ("runledger.runs", 1)
_HELD = Position(10, "id", 4)


@pytest.mark.parametrize("log", [LogFacts(0, 10, "id", 4), LogFacts(10, 10, "id", 4), LogFacts(3, 90, "id", 4)])
def test_check_position_goes_on_where_the_log_reaches(log: LogFacts) -> None:
    assert check_position(_SOURCE, _HELD, log) == _HELD


def test_check_position_starts_at_0_where_nothing_was_read_and_nothing_is_gone() -> None:
    assert check_position(_SOURCE, None, LogFacts(0, 7, "id", 4)) == Position(0, "id", 4)


@pytest.mark.parametrize(
    ("held", "log", "why"),
    [
        (None, LogFacts(1, 7, "id", 4), "no position"),
        (_HELD, LogFacts(0, 90, "other", 4), "recreated"),
        (_HELD, LogFacts(0, 90, "id", 5), "re-partitioned"),
        (_HELD, LogFacts(11, 90, "id", 4), "the position is 10"),
        (_HELD, LogFacts(0, 9, "id", 4), "the position is 10"),
    ],
)
def test_check_position_stops_rather_than_guess(held: Position | None, log: LogFacts, why: str) -> None:
    with pytest.raises(StopLoudlyError, match=why) as caught:
        check_position(_SOURCE, held, log)
    assert (caught.value.topic, caught.value.partition) == _SOURCE
