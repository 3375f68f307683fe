from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from runledger.stack.errors import DiskFullError, FolderError, explained_disk_errors
from runledger.stack.paths import StackFolder, default_cache_dir, default_data_dir


def test_data_dir_follows_the_xdg_rules() -> None:
    assert default_data_dir({"HOME": "/h", "XDG_DATA_HOME": "/x"}) == Path("/x/runledger")


def test_a_relative_xdg_folder_is_ignored() -> None:
    assert default_data_dir({"HOME": "/h", "XDG_DATA_HOME": "x"}).is_relative_to("/h")


def test_the_variables_of_our_own_win(tmp_path: Path) -> None:
    environ = {"RUNLEDGER_DATA_DIR": str(tmp_path / "d"), "RUNLEDGER_CACHE_DIR": str(tmp_path / "c"), "HOME": "/h"}
    assert default_data_dir(environ) == tmp_path / "d"
    assert default_cache_dir(environ) == tmp_path / "c"


def test_jars_are_cached_apart_from_the_data() -> None:
    assert default_cache_dir({"HOME": "/h"}) != default_data_dir({"HOME": "/h"})


def test_prepare_makes_a_folder_for_its_owner_alone(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path / "a" / "b")
    folder.prepare(min_free_bytes=0)
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    folder.prepare(min_free_bytes=0)


def test_prepare_names_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderError, match="--data-dir"):
        StackFolder(tmp_path / "file" / "data").prepare()


def test_prepare_names_a_read_only_folder() -> None:
    with pytest.raises(FolderError, match="cannot be written"), explained_disk_errors(Path("/data")):
        raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_the_remedy(code: int) -> None:
    with pytest.raises(DiskFullError, match="/data is full; free some space"), explained_disk_errors(Path("/data")):
        raise OSError(code, "No space left on device")


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(InterruptedError), explained_disk_errors(Path("/data")):
        raise OSError(errno.EINTR, "Interrupted")
