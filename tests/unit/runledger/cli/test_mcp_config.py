from __future__ import annotations

from typing import Any

import orjson
import pytest

from runledger.cli.mcp_config import ClientName, client_config

SET = {
    "RUNLEDGER_KAFKA": "k:1",
    "RUNLEDGER_POSTGRES": "postgresql://u:geheim@h/d",
    "RUNLEDGER_API_KEY": "rl.id.geheim",
    "PATH": "/bin",
}
URL = "http://127.0.0.1:8788/mcp"
CLIENTS: tuple[ClientName, ...] = ("claude", "cursor", "vscode", "json")


def _entry(client: ClientName, document: dict[str, Any]) -> dict[str, Any]:
    if client == "json":
        return document
    (servers,) = document.values()
    entry: dict[str, Any] = servers["runledger"]
    return entry


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_told_how_to_start_the_server_and_no_secret(client: ClientName) -> None:
    document = client_config(client, SET, ("--data-dir", "/d"))
    entry = _entry(client, document)
    assert entry["args"][-3:] == ["mcp", "--data-dir", "/d"]
    assert entry["env"].keys() == {"RUNLEDGER_KAFKA", "RUNLEDGER_POSTGRES", "RUNLEDGER_API_KEY"}
    assert entry["env"]["RUNLEDGER_KAFKA"] == "k:1"
    assert "geheim" not in orjson.dumps(document).decode()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_of_a_running_server_bears_the_key_of_its_environment(client: ClientName) -> None:
    entry = _entry(client, client_config(client, SET, url=URL))
    assert entry["url"] == URL
    assert entry["headers"]["Authorization"].startswith("Bearer ${")
    assert "RUNLEDGER_API_KEY" in entry["headers"]["Authorization"]
    assert "command" not in entry


def test_nothing_set_is_nothing_passed_on() -> None:
    assert "env" not in client_config("json", {})


def test_servers_stand_where_each_client_looks() -> None:
    assert [next(iter(client_config(client, {}))) for client in CLIENTS[:3]] == ["mcpServers", "mcpServers", "servers"]
