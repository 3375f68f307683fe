from __future__ import annotations

import socket
import stat
from dataclasses import astuple
from pathlib import Path

import pytest

from runledger.stack.errors import PortTakenError, StackError
from runledger.stack.ports import LOOPBACK, choose_port, is_free, remembered_ports, require_free, settle_ports


def listening() -> socket.socket:
    server = socket.socket()
    server.bind((LOOPBACK, 0))
    server.listen(1)
    return server


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with listening() as server:
        assert not is_free(server.getsockname()[1])


def test_chosen_ports_are_free_and_below_the_ephemeral_range() -> None:
    port = choose_port()
    assert is_free(port)
    assert 20_000 <= port < 32_000


def test_settled_ports_differ_and_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = settle_ports(path)
    assert len(set(astuple(first))) == 7
    assert settle_ports(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_ports_of_an_earlier_version_are_kept_and_the_missing_ones_chosen(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text('{"kafka": 1, "controller": 2, "postgres": 3}')
    ports = settle_ports(path)
    assert (ports.kafka, ports.controller, ports.postgres) == (1, 2, 3)
    assert min(ports.http, ports.mcp, ports.api) > 3
    assert settle_ports(path) == ports


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    with listening() as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port}.*Kafka.*ports.json"):
            require_free(port, "Kafka", tmp_path / "ports.json")


@pytest.mark.parametrize("text", ["", "[]", '{"kafka": 1}', '{"kafka": "x", "controller": 1, "postgres": 2}'])
def test_a_damaged_file_is_refused_with_the_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ports.json"
    path.write_text(text)
    with pytest.raises(StackError, match="remove it"):
        remembered_ports(path)


def test_nothing_is_remembered_before_the_first_start(tmp_path: Path) -> None:
    assert remembered_ports(tmp_path / "ports.json") is None
