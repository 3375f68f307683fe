from __future__ import annotations

import pytest

from runledger.producers.gateway.settings import GatewaySettings


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  # nothing is bound here
        ("::", False),
        ("10.0.0.7", False),
        ("gateway.internal", False),
    ],
)
def test_only_a_loopback_listener_is_trusted_by_default(host: str, trusted: bool) -> None:
    assert GatewaySettings(http_host=host).is_trusted is trusted


def test_an_operator_decides_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_INTERNAL_LISTENER_TRUSTED", "true")
    monkeypatch.setenv("RUNLEDGER_HTTP_HOST", "10.0.0.7")
    assert GatewaySettings().is_trusted
    monkeypatch.setenv("RUNLEDGER_INTERNAL_LISTENER_TRUSTED", "false")
    assert not GatewaySettings(http_host="127.0.0.1").is_trusted
