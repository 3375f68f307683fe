from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runledger.stack.cluster import forget_recycled_pid


def pid_file(folder: Path, pid: int) -> Path:
    path = folder / "postmaster.pid"
    path.write_text(f"{pid}\n{folder}\n")
    return path


def test_a_pid_file_with_a_strangers_number_is_removed(tmp_path: Path) -> None:
    path = pid_file(tmp_path, os.getpid())
    forget_recycled_pid(tmp_path)
    assert not path.exists()


def test_a_pid_file_stays_while_a_process_works_in_the_folder(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=tmp_path) as server:
        path = pid_file(tmp_path, os.getpid())
        forget_recycled_pid(tmp_path)
        assert path.exists()
        server.communicate(b"\n")


@pytest.mark.parametrize("text", ["", "no number\n"])
def test_a_strange_pid_file_is_left_to_postgres(tmp_path: Path, text: str) -> None:
    (tmp_path / "postmaster.pid").write_text(text)
    forget_recycled_pid(tmp_path)
    assert (tmp_path / "postmaster.pid").exists()


def test_no_pid_file_is_no_error(tmp_path: Path) -> None:
    forget_recycled_pid(tmp_path)
