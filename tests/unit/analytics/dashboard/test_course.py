"""How logs grew, from looks at their ends."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from runledger.analytics.dashboard.backstage import BrokerLook, Partition
from runledger.analytics.dashboard.course import Course


def look(ends: Mapping[Partition, int], **stands: Mapping[Partition, int]) -> BrokerLook:
    return BrokerLook(ends, {}, stands, {})


def grown(*notes: tuple[float, int]) -> Course:
    course = Course()
    for at, end in notes:
        course.note(at, look({("t", 0): end, ("t", 1): 7}))
    return course


def test_a_rate_is_of_the_last_half_minute() -> None:
    assert Course().rate("t") is None
    assert grown((0, 5)).rate("t") is None
    assert grown((0, 0), (10, 50)).rate("t") == 5
    assert grown((0, 0), (100, 5000), (110, 5010), (130, 5060)).rate("t") == 2
    assert grown((0, 0), (10, 50)).rate("other") is None


def test_a_topic_that_was_made_anew_has_no_rate() -> None:
    assert grown((0, 500), (10, 3)).rate("t") is None


def test_looks_that_come_often_add_no_notes_and_the_newest_counts() -> None:
    course = grown(*((at / 2, at) for at in range(201)))
    assert course.rate("t") == pytest.approx(2)
    assert course.curve("t", 5, 10) == [2.0] * 5


def test_a_curve_has_gaps_where_nobody_looked() -> None:
    course = grown((0, 0), (10, 100), (20, 100), (200, 500), (210, 700))
    assert course.curve("t", 3, 10) == [None, None, 20.0]
    assert course.curve("t", 22, 10)[:3] == [None, 10.0, 0.0]
    assert Course().curve("t", 2, 10) == [None, None]


def test_what_is_older_than_a_quarter_of_an_hour_is_forgotten() -> None:
    course = grown(*((minute * 60, minute) for minute in range(60)))
    assert course.curve("t", 20, 60)[:5] == [None] * 5


def test_ends_are_those_of_the_latest_look_before() -> None:
    course = grown((10, 1), (20, 2), (30, 3))
    assert course.ends_before(9) == {}
    assert course.ends_before(25)["t", 0] == 2
    assert course.ends_before(30)["t", 0] == 3


def test_a_reader_stood_only_if_every_look_for_so_long_says_so() -> None:
    course = Course()
    for at, place in ((0, 1), (20, 5), (50, 5), (85, 5)):
        course.note(at, look({("t", 0): 9}, processor={("t", 0): place}))
    assert course.stood("processor", ("t", 0), 60)
    assert not course.stood("processor", ("t", 0), 80)
    assert not course.stood("processor", ("t", 0), 100)
    assert not Course().stood("processor", ("t", 0), 60)
