from __future__ import annotations

import pytest
from pydantic import ValidationError

from runledger.sinks.settings import SinkSettings


def test_settings_refuse_to_switch_a_protection_off_outside_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_UNSAFE_DISABLE", "outbox")
    with pytest.raises(ValidationError, match="RUNLEDGER_TESTING"):
        SinkSettings()


def test_settings_take_a_comma_list_and_leave_other_processes_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_TESTING", "1")
    monkeypatch.setenv("RUNLEDGER_UNSAFE_DISABLE", "outbox,fencing,compare_and_set")
    assert SinkSettings().unsafe_disable == {"outbox", "compare_and_set"}


def test_group_stands_under_the_prefix() -> None:
    assert SinkSettings(topic_prefix="x.").group == "x.sink"
