from __future__ import annotations

import re
from pathlib import Path

import pytest

from runledger.stack.artifacts import KAFKA_VERSION, fetch_jars, pinned_jars
from runledger.stack.errors import FetchError

KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"


def silent(_: str) -> None:
    """Take no notice."""


def test_every_jar_is_pinned_to_a_version_and_a_digest() -> None:
    jars = pinned_jars()
    assert KAFKA in jars
    assert all(re.fullmatch(r"[\w.-]+:[\w.-]+:[\w.-]+", coordinate) for coordinate in jars)
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in jars.values())


def test_a_full_cache_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_network(monkeypatch)
    folder = tmp_path / f"kafka-{KAFKA_VERSION}"
    folder.mkdir()
    jar = folder / f"kafka_2.13-{KAFKA_VERSION}.jar"
    jar.touch()
    assert fetch_jars(tmp_path, silent, {KAFKA: "0" * 64}) == [jar]


def test_without_network_the_error_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_network(monkeypatch)
    with pytest.raises(FetchError, match=r"could not be fetched.*RUNLEDGER_KAFKA"):
        fetch_jars(tmp_path, silent, {KAFKA: "0" * 64})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy at a port that nobody listens on.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
