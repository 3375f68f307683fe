from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runledger.producers import ConfigurationError, ProducerSettings, RunClient
from runledger.producers.masking import MaskPatternError


@pytest.fixture
def dead_port() -> Iterator[str]:
    """An address where nobody listens, and nobody else will."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{holder.getsockname()[1]}"


def test_a_spool_file_holds_no_secret(dead_port: str, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with RunClient(kafka=dead_port, spool=spool, mask={"staff": r"EMP-\d{6}"}) as client:
        client.log_run(
            "sage", "success", {"summary": "for alice@example.com", "password": "hunter2", "by": "EMP-123456"}
        )
        client.close(0)
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert b"for [masked:email]" in written
    assert b"[masked:password]" in written
    assert b"[masked:staff]" in written
    for secret in (b"alice", b"hunter2", b"EMP-"):
        assert secret not in written


def test_own_patterns_come_from_the_environment_and_the_argument(
    dead_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNLEDGER_MASK_PATTERNS", '{"staff": "EMP-[0-9]{6}", "room": "R[0-9]{3}"}')
    assert ProducerSettings().mask_patterns == {"staff": "EMP-[0-9]{6}", "room": "R[0-9]{3}"}
    with RunClient(kafka=dead_port, mask={"room": "ROOM[0-9]{3}"}) as client:
        assert client.settings.mask_patterns == {"staff": "EMP-[0-9]{6}", "room": "ROOM[0-9]{3}"}


def test_a_pattern_that_cannot_be_used_stops_the_client_at_once(dead_port: str) -> None:
    with pytest.raises(MaskPatternError, match="repeats without end"):
        RunClient(kafka=dead_port, mask={"staff": r"EMP-\d+"})
    with pytest.raises(ConfigurationError):
        RunClient(kafka=dead_port, mask={"Staff": r"EMP-\d{6}"})
