from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from runledger.stack.system_user import let_pass, make_readable, server_user


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_postgres_never_runs_as_root() -> None:
    user = server_user()
    assert (user is None) == (os.geteuid() != 0)
    assert user is None or pwd.getpwnam(user).pw_uid != 0


def test_others_may_pass_through_a_closed_parent_but_not_list_it(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    data = closed / "data"
    data.mkdir(parents=True)
    closed.chmod(0o700)
    data.chmod(0o700)
    let_pass(data)
    assert mode(closed) == 0o701
    assert mode(data) == 0o700


@pytest.mark.parametrize(("before", "after"), [(0o600, 0o604), (0o700, 0o705), (0o755, 0o755)])
def test_an_installation_becomes_readable_and_no_more(tmp_path: Path, before: int, after: int) -> None:
    program = tmp_path / "program"
    program.touch()
    program.chmod(before)
    make_readable(tmp_path)
    assert mode(program) == after
