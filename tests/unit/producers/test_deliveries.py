from __future__ import annotations

import logging
import threading
import time
from typing import Literal, TypeAlias
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.producers.deliveries import MAX_NAMED, Deliveries, Fate
from runledger.producers.records import Record

Told: TypeAlias = Fate | Literal["pending", "forgotten"]
FATES: list[Fate] = ["acknowledged", "spooled", "dropped", "refused"]
ALL: list[Told] = [*FATES, "pending", "forgotten"]


def record(name: str) -> Record:
    return Record(name, "acme", UUID(int=1), b"{}")


@given(st.lists(st.sampled_from(ALL)))
def test_every_event_is_counted_in_one_place(fates: list[Told]) -> None:
    deliveries = Deliveries()
    for told in fates:
        number = deliveries.expect(record("e"))
        match told:
            case "forgotten":
                deliveries.forget(number)
            case "pending":
                pass
            case "acknowledged" | "spooled" | "dropped" | "refused":
                deliveries.settle(number, told)
                deliveries.settle(number, "dropped")  # a second word counts for nothing
    stats = deliveries.stats()
    assert stats.sent == stats.acknowledged + stats.pending + stats.spooled + stats.dropped + stats.refused
    assert stats.sent == len(fates) - fates.count("forgotten")
    for fate in FATES:
        assert getattr(stats, fate) == fates.count(fate)
    assert stats.pending == fates.count("pending")


def test_the_memory_of_what_was_lost_is_bounded() -> None:
    deliveries = Deliveries()
    for number in range(MAX_NAMED + 3):
        deliveries.settle(deliveries.expect(record(str(number))), "dropped", "full")
    lost, unnamed = deliveries.take_lost()
    assert (len(lost), lost[0].event_id, unnamed) == (MAX_NAMED, "3", 3)
    assert deliveries.take_lost() == ((), 0)


def test_a_wait_ends_when_the_last_event_is_forgotten() -> None:
    deliveries = Deliveries()
    expected = deliveries.expect(record("e"))
    ended: list[bool] = []
    waiting = threading.Thread(target=lambda: ended.append(deliveries.wait(60)))
    waiting.start()
    deadline = time.monotonic() + 20
    while not deliveries._waiting and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    deliveries.forget(expected)
    waiting.join(20)
    assert ended == [True]


def test_losses_are_logged_once_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    deliveries = Deliveries()
    for fate in ["dropped", "dropped", "spooled", "dropped", "acknowledged", "acknowledged", "refused"]:
        deliveries.settle(deliveries.expect(record("e")), fate, "full")  # type: ignore[arg-type]  # each is a fate
    assert [message.partition(",")[0].partition(";")[0] for message in caplog.messages] == [
        "events are being lost",
        "delivery works again",
        "events are being lost",
    ]


def test_a_callback_that_raises_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    deliveries = Deliveries()

    def raises(_failure: object) -> None:
        raise LookupError

    deliveries.settle(deliveries.expect(record("e"), raises), "acknowledged")
    assert deliveries.stats().acknowledged == 1
    assert "on_delivered raised" in caplog.text
