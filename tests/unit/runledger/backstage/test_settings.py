"""Where workers are said to be."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runledger.backstage.settings import BackstageSettings


def test_workers_are_read_from_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_DASHBOARD_WORKERS", "sink=127.0.0.1:9464, relay=[::1]:9465,")
    assert BackstageSettings().dashboard_workers == (("sink", "127.0.0.1", 9464), ("relay", "::1", 9465))
    monkeypatch.delenv("RUNLEDGER_DASHBOARD_WORKERS")
    assert BackstageSettings().dashboard_workers == ()


@pytest.mark.parametrize("text", ["sink", "sink=host", "=host:1", "sink=:1", "sink=host:x", "sink=host:70000"])
def test_what_names_no_address_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_DASHBOARD_WORKERS", text)
    with pytest.raises(ValidationError, match="name=host:port"):
        BackstageSettings()
