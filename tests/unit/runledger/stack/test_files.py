from __future__ import annotations

from pathlib import Path

from runledger.stack.files import rotate, tail, write_privately


def test_rotate_keeps_the_last_starts_and_drops_older_ones(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    for start in range(5):
        rotate(log, kept=2)
        log.write_text(f"start {start}")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "kafka.log": "start 4",
        "kafka.1.log": "start 3",
        "kafka.2.log": "start 2",
    }


def test_tail_gives_the_last_lines_of_a_large_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(100_000)))
    assert tail(log, lines=2) == "line 99998\nline 99999"


def test_tail_of_no_log_is_empty(tmp_path: Path) -> None:
    assert tail(tmp_path / "none.log") == ""


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old and long")
    write_privately(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
