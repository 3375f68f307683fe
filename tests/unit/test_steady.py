"""What a second run may excuse, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.steady import MOST_AGAIN, main

ONCE = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_first_time(number):
    met = Path(f"met-{{number}}")
    if not met.exists():
        met.touch()
        assert False

def test_good():
    Path("good").write_text(Path("good").read_text() + "x" if Path("good").exists() else "x")
"""


def run(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    (folder / "test_it.py").write_text(text)
    (folder / "build").mkdir()
    monkeypatch.chdir(folder)
    return main(["-q", "-p", "no:xdist", "test_it.py"])


def test_who_passes_alone_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, ONCE.format(count=MOST_AGAIN), monkeypatch) == 0
    names = [f"test_it.py::test_first_time[{number}]" for number in range(MOST_AGAIN)]
    assert (tmp_path / "build" / "unsteady.txt").read_text().splitlines() == names
    assert "UNSTEADY" in capfd.readouterr().out
    assert (tmp_path / "good").read_text() == "x", "who passed is not run again"


def test_who_fails_alone_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path, "def test_bad():\n    assert False\n", monkeypatch) == 1
    assert not (tmp_path / "build" / "unsteady.txt").exists()


def test_of_many_none_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path, ONCE.format(count=MOST_AGAIN + 1), monkeypatch) == 1
    assert not (tmp_path / "build" / "unsteady.txt").exists()


def test_what_cannot_be_collected_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path, "import nothing_of_that_name\n", monkeypatch) == 2


def test_where_all_pass_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path, "def test_good():\n    pass\n", monkeypatch) == 0
    assert not (tmp_path / "build" / "unsteady.txt").exists()


def test_who_is_not_found_again_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name holds the time of the run."""
    text = "import pytest, time\n\n@pytest.mark.parametrize('at', [time.time()])\ndef test_bad(at):\n    assert False\n"
    assert run(tmp_path, ONCE.format(count=1) + text, monkeypatch) == 1
    assert not (tmp_path / "build" / "unsteady.txt").exists()
