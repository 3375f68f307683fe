"""The recount agrees with the processors, and is not blind."""

from __future__ import annotations

import pytest

from runledger.sinks.verify import Report, verify
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import random_story

pytestmark = pytest.mark.integration


def _verify(ledger: Ledger) -> Report:
    return verify(ledger.connection)


@pytest.mark.parametrize("seed", range(12))
def test_verify_agrees_with_the_reducers_on_any_story(ledger: Ledger, seed: int) -> None:
    events, runs, agents = [(60, 5, 2), (300, 40, 3), (400, 150, 2)][seed % 3]
    ledger.write(random_story(seed, events, runs, agents).records)
    report = _verify(ledger)
    assert report.differences == ()
    assert report.clean
    assert report.deliveries == events
