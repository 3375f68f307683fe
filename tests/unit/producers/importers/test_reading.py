from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runledger.producers.errors import FileFormatError
from runledger.producers.importers import read_events


def script_line(number: int, at: str) -> dict[str, Any]:
    return {
        "format": "script.v1",
        "run_id": f"00000000-0000-4000-8000-{number:012d}",
        "agent_id": "sage",
        "events": [{"type": "logged", "at": at, "status": "success"}],
    }


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def test_runs_come_in_the_order_they_ended_in(tmp_path: Path) -> None:
    path = write(
        tmp_path / "runs.jsonl",
        script_line(1, "2026-03-02T11:00:00Z"),
        script_line(2, "2026-03-02T10:00:00Z"),
        "",
        script_line(3, "2026-03-02T12:00:00+03:00"),
    )
    assert [str(event.run_id)[-1] for event in read_events(path)] == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "script.v1"),
        ({"format": "script.v9"}, "script.v1"),
        ({"run_id": "x", "task_id": "1", "reward": 1, "agent": {}, "simulated_user": {}}, "run_id"),
        (script_line(4, "2026-03-02") | {"events": [{"type": "logged", "at": "2026-03-02T10:00:00Z"}]}, "status"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, broken: object, reason: str) -> None:
    path = write(tmp_path / "runs.jsonl", script_line(1, "2026-03-02T11:00:00Z"), broken)
    with pytest.raises(FileFormatError, match=reason) as refused:
        list(read_events(path))
    assert refused.value.line == 2
    assert f"{path}, line 2" in str(refused.value)


def test_an_unreadable_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_events(tmp_path / "none.jsonl"))
