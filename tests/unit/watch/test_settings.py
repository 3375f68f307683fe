from __future__ import annotations

import pytest
from pydantic import ValidationError

from runledger.watch.settings import WatchSettings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_PROBE_SECONDS", "0.5")
    monkeypatch.setenv("RUNLEDGER_WEBHOOK_TIMEOUT_SECONDS", "3")
    settings = WatchSettings()
    assert (settings.probe_seconds, settings.webhook_timeout_seconds) == (0.5, 3)


@pytest.mark.parametrize("name", ["probe_seconds", "pause_seconds", "request_seconds", "webhook_lease_seconds"])
def test_settings_refuse_no_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"RUNLEDGER_{name.upper()}", "0")
    with pytest.raises(ValidationError, match=f"RUNLEDGER_{name}|{name}"):
        WatchSettings()
