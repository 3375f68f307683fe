from __future__ import annotations

import pytest

from runledger import ConfigurationError, RunClient
from runledger.producers.endpoint import Endpoint


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("kafka://h:9092", Endpoint("kafka", "h:9092")),
        ("kafka://a:1,b:2/", Endpoint("kafka", "a:1,b:2")),
        ("h:9092", Endpoint("kafka", "h:9092")),
        ("https://ledger.example", Endpoint("https", "ledger.example", 443)),
        ("http://127.0.0.1:8787/", Endpoint("http", "127.0.0.1", 8787)),
        ("https://[::1]:8443/team/ledger/", Endpoint("https", "::1", 8443, "/team/ledger")),
    ],
)
def test_the_scheme_chooses_the_way(url: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(url) == endpoint


@pytest.mark.parametrize(
    "url",
    ["", "kafka://", "ftp://h", "h:9092/path", "https://", "https://key@h", "https://h?key=1", "http://h:port"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        RunClient(url)


def test_url_and_kafka_together_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        RunClient("h:1", kafka="h:1")


def test_a_key_that_would_break_the_header_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="api_key"):
        RunClient("http://h", api_key="rl.1\r\nHost: other")


def test_the_environment_names_the_way(monkeypatch: pytest.MonkeyPatch, dead_port: str) -> None:
    monkeypatch.setenv("RUNLEDGER_URL", f"http://{dead_port}")
    monkeypatch.setenv("RUNLEDGER_API_KEY", "rl.1.secret")
    with RunClient() as client:
        assert client.settings.url == f"http://{dead_port}"
        assert "rl.1.secret" not in repr(client.settings)
    monkeypatch.setenv("RUNLEDGER_SPOOL_BYTES", "1")
    with pytest.raises(ConfigurationError, match="spool_bytes"):
        RunClient()


def test_an_argument_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch, dead_port: str) -> None:
    monkeypatch.setenv("RUNLEDGER_URL", "ftp://nowhere")
    with RunClient(kafka=dead_port) as client:
        assert client.settings.url == f"kafka://{dead_port}"
