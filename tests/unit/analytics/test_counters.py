"""Registered counts: added where they answer, unknown where they do not, and never in the way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runledger.analytics.counters import CompletedCounts
from runledger.analytics.errors import CounterError

TODAY = datetime(2026, 3, 1, tzinfo=UTC)
IMPROVEMENTS = """
def loops(since):
    return 4

async def tasks(since):
    return since.day
"""


def _raising(_since: datetime) -> int:
    raise RuntimeError("secret")


async def _raising_later(_since: datetime) -> int:
    raise RuntimeError("secret")


def _told(value: Any) -> Any:  # noqa: ANN401  # whatever a stranger's count returns
    return lambda _since: value


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Something to hang on until the test's end."""
    event = threading.Event()
    yield event
    event.set()


async def test_sync_and_async_counts_are_asked_since_the_same_moment() -> None:
    asked: list[datetime] = []

    def plain(since: datetime) -> int:
        asked.append(since)
        return 3

    async def slow(since: datetime) -> int:
        asked.append(since)
        return 5

    assert await CompletedCounts({"plain": plain, "slow": slow}).since(TODAY) == {"plain": 3, "slow": 5}
    assert asked == [TODAY, TODAY]


@pytest.mark.parametrize(
    "counter",
    [None, _raising, _raising_later, _told(-1), _told(True), _told(1.5), _told("7"), _told(None)],
    ids=["unloadable", "raising", "raising-later", "negative", "bool", "float", "text", "none"],
)
async def test_a_count_that_fails_is_unknown_and_leaves_the_others_alone(counter: Any) -> None:  # noqa: ANN401
    counts = CompletedCounts({"bad": counter, "good": _told(2)})
    assert await counts.since(TODAY) == {"bad": None, "good": 2}


async def test_a_count_that_hangs_is_unknown_in_time_and_not_asked_again_meanwhile(gate: threading.Event) -> None:
    asked: list[datetime] = []

    def hanging(since: datetime) -> int:
        asked.append(since)
        gate.wait()
        return 1

    counts = CompletedCounts({"hanging": hanging, "good": _told(2)}, seconds=0.1)
    began = time.monotonic()
    assert await counts.since(TODAY) == {"good": 2, "hanging": None}
    assert await counts.since(TODAY) == {"good": 2, "hanging": None}
    assert time.monotonic() - began < 2
    assert len(asked) == 1


async def test_a_coroutine_that_hangs_is_unknown_in_time() -> None:
    async def hanging(_since: datetime) -> int:
        await asyncio.Event().wait()
        return 1

    assert await CompletedCounts({"hanging": hanging}, seconds=0.05).since(TODAY) == {"hanging": None}


def test_our_own_name_is_taken() -> None:
    with pytest.raises(CounterError, match="agent_runs"):
        CompletedCounts({"agent_runs": _told(1)})


def _install(folder: Path, name: str, entry_points: str) -> None:
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[runledger.completed_counts]\n{entry_points}\n")


async def test_another_package_brings_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "improvements.py").write_text(IMPROVEMENTS)
    _install(tmp_path, "improvements", "loops = improvements:loops\ntasks = improvements:tasks\ngone = missing:x")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert await CompletedCounts.installed().since(TODAY) == {"gone": None, "loops": 4, "tasks": 1}


def test_two_packages_may_not_bring_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "improvements.py").write_text(IMPROVEMENTS)
    _install(tmp_path, "improvements", "loops = improvements:loops")
    _install(tmp_path, "others", "loops = improvements:tasks")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CounterError, match="loops"):
        CompletedCounts.installed()


async def test_a_slow_count_answers_everybody_who_asks_at_once() -> None:
    both_asked = threading.Barrier(2)

    def slow(_since: datetime) -> int:
        both_asked.wait(10)
        return 6

    counts = CompletedCounts({"slow": slow}, seconds=10)
    one, other = await asyncio.gather(counts.since(TODAY), counts.since(TODAY))
    assert one == other == {"slow": 6}


async def test_a_count_that_came_back_is_asked_again(gate: threading.Event) -> None:
    def hanging(_since: datetime) -> int:
        gate.wait()
        return 6

    counts = CompletedCounts({"hanging": hanging}, seconds=0.1)
    assert await counts.since(TODAY) == {"hanging": None}
    gate.set()
    deadline = time.monotonic() + 10
    while (told := await counts.since(TODAY)) != {"hanging": 6}:
        assert time.monotonic() < deadline, told
        await asyncio.sleep(0.01)
