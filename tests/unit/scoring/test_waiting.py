from __future__ import annotations

from runledger.scoring.jobs import TakenJob
from runledger.scoring.progress import PartitionProgress
from runledger.scoring.scorers import HeuristicScorer
from runledger.scoring.waiting import Attempt, WaitingRoom
from tests.unit.scoring.jobs import job


def attempt(number: int) -> Attempt:
    taken = TakenJob("scoring-jobs", 0, number, None, None, 0, (), PartitionProgress(0))
    return Attempt(job(), HeuristicScorer(), taken, number)


def test_attempts_come_out_when_they_are_due_and_in_that_order() -> None:
    room = WaitingRoom()
    for number, due in ((1, 30.0), (2, 10.0), (3, 20.0), (4, 10.0)):
        room.put(attempt(number), due)
    assert room.seconds_until_due(4.0) == 6.0
    assert room.take_due(9.9) == []
    assert [waiting.number for waiting in room.take_due(20.0)] == [2, 4, 3]
    assert len(room) == 1
    assert room.seconds_until_due(40.0) == 0.0


def test_an_empty_room_waits_for_nothing() -> None:
    assert WaitingRoom().seconds_until_due(0.0) is None
