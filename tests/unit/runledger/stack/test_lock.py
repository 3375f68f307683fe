from __future__ import annotations

from pathlib import Path

import pytest

from runledger.stack.errors import AlreadyRunningError
from runledger.stack.lock import held, is_held


def test_only_one_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    with held(path):
        assert is_held(path)
        with pytest.raises(AlreadyRunningError, match="runledger status"), held(path):
            pytest.fail("two hold the lock")
    assert not is_held(path)


def test_the_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path / "lock"):
            pass
