"""A protection switched off makes its faults fail: so the faults above do test it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.faults.site import MakeSite
from tests.faults.test_groups import (
    test_fault_06_processor_stopped_past_its_session_comes_back as processor_zombie,
)
from tests.faults.test_groups import (
    test_fault_06_sink_stopped_past_its_session_comes_back as sink_zombie,
)
from tests.faults.test_killed import test_fault_01_sink_killed_in_mid_transaction as sink_killed
from tests.faults.test_killed import test_fault_03_relay_killed_between_sending_and_marking as relay_killed
from tests.faults.test_killed import test_fault_04_processor_gone_with_timeouts_in_its_hands as timeouts_lost
from tests.faults.test_time import test_fault_21_late_and_reordered as reordered

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.unprotected, pytest.mark.timeout(400)]


@pytest.mark.parametrize(
    ("protection", "fault"),
    [
        ("outbox", relay_killed),
        ("fencing", processor_zombie),
        ("dedupe", sink_killed),
        ("dedupe", reordered),
        ("compare_and_set", sink_zombie),
        ("read_committed:processor", timeouts_lost),
        ("read_committed:sink", timeouts_lost),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__.removeprefix("test_"),
)
def test_without_its_protection_a_fault_does_harm(
    site: MakeSite, protection: str, fault: Callable[[MakeSite], None]
) -> None:
    with pytest.raises(AssertionError, match=r"differences|O7"):
        fault(partial(site, unprotected=protection))
