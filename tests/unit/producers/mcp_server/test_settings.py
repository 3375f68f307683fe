import pytest

from runledger.producers.mcp_server.settings import McpSettings


def test_lists_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_MCP_ALLOWED_HOSTS", "a.example, b.example,")
    monkeypatch.setenv("RUNLEDGER_MCP_ALLOWED_ORIGINS", "")
    settings = McpSettings()
    assert settings.mcp_allowed_hosts == ("a.example", "b.example")
    assert settings.mcp_allowed_origins == ()


def test_it_listens_on_the_loopback_address_unless_told_otherwise() -> None:
    assert (McpSettings().mcp_host, McpSettings().mcp_port) == ("127.0.0.1", 8788)
