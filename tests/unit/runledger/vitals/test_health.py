from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from runledger.vitals.health import Health
from runledger.vitals.watchdog import Standstill
from runledger.vitals.watched import Watched

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Server:
    """A dependency that answers as it is told."""

    problem = "broker_away"

    def __init__(self) -> None:
        self.why: str | None = None

    def absence(self) -> str | None:
        return self.why


class Stores(Watched):
    def __init__(self) -> None:
        self.closed: dict[str, str] = {}

    def troubles(self) -> Mapping[str, str]:
        return self.closed


def test_a_process_without_problems_is_well() -> None:
    assert Health([Server()]).problems() == []


def test_a_problem_stands_since_it_was_first_seen_and_no_longer_than_it_lasts() -> None:
    clock, server = Clock(), Server()
    health = Health([server], clock)
    server.why = "Kafka does not answer"
    assert [(it.problem, it.detail, it.since) for it in health.problems()] == [
        ("broker_away", "Kafka does not answer", NOON)
    ]
    clock.now += timedelta(minutes=5)
    assert health.problems()[0].since == NOON
    server.why = None
    assert health.problems() == []
    server.why = "again"
    assert health.problems()[0].since == clock.now


def test_the_longest_standing_problem_comes_first() -> None:
    clock, server, stores = Clock(), Server(), Stores()
    health = Health([server], clock)
    health.watch(stores)
    server.why = "gone"
    health.problems()
    clock.now += timedelta(seconds=1)
    stores.closed = {"stores_not_open": "2 of 8 stores are not open"}
    health.stands([Standstill("sink loop", 31.4, 120), Standstill("fold", 5, 120)])
    health.is_ending = True
    found = health.problems()
    assert [it.problem for it in found] == ["broker_away", "stores_not_open", "no_progress", "ending"]
    assert found[2].detail == "sink loop for 31 s"
