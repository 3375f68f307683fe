"""The ledger keeps the best that is known of each event."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest

from tests.faults.ledger import EventKey, Fate, SentLedger

KEY: EventKey = ("p", UUID(int=1), "e")


@pytest.mark.parametrize(
    ("deliveries", "fate"),
    [(("ok", "info", "fail"), "ok"), (("info", "fail"), "info"), (("fail",), "fail")],
)
def test_an_events_fate_is_that_of_its_best_delivery(deliveries: tuple[Fate, ...], fate: Fate) -> None:
    for order in permutations(deliveries):
        ledger = SentLedger()
        for told in order:
            ledger.note(KEY, told)
        assert ledger.fates == {KEY: fate}
        assert ledger.counts() == {fate: 1}
