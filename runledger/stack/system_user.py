"""The user Postgres runs as when we are root, as which it refuses to run.

Root's folders stay unreadable to that user: where a parent of the data or of the programs is closed to others, others
get the right to pass through it (x), not to list it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from runledger.stack.errors import StackError, explained_disk_errors

_NAME = "runledger"
_FALLBACK = "nobody"


def server_user() -> str | None:
    """Name the system user for the server, created if need be; None where we are no root and stay who we are.

    Raises:
        StackError: there is no such user and none could be made.
    """
    if os.geteuid() != 0:
        return None
    if _exists(_NAME):
        return _NAME
    if useradd := shutil.which("useradd"):
        command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _NAME]
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - a fixed command
    for name in (_NAME, _FALLBACK):
        if _exists(name):
            return name
    raise StackError(
        f"Postgres does not run as root and no system user {_NAME} could be created; "
        f"create one (useradd --system {_NAME}), or run as another user"
    )


def _exists(name: str) -> bool:
    try:
        return pwd.getpwnam(name).pw_uid != 0
    except KeyError:
        return False


def give_to(user: str, folder: Path) -> None:
    """Make `user` the owner of everything in `folder`, and let it get there."""
    entry = pwd.getpwnam(user)
    with explained_disk_errors(folder):
        if folder.stat().st_uid != entry.pw_uid:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
        let_pass(folder)


def let_pass(folder: Path) -> None:
    """Let every user pass through the parents of `folder`, where they may not yet."""
    for parent in folder.resolve().parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def make_readable(programs: Path) -> None:
    """Let every user read and run an installation that was made under a tight umask."""
    for path in (programs, *programs.rglob("*")):
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        readable = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if readable != mode:
            path.chmod(readable)
