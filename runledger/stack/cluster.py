"""A database cluster's files: created whole or not at all, protected by a password."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path

import psutil

from runledger.stack.errors import ServerFailedError, explained_disk_errors
from runledger.stack.files import tail, write_privately
from runledger.stack.paths import StackFolder
from runledger.stack.ports import LOOPBACK
from runledger.stack.system_user import give_to

SUPERUSER = DATABASE = "runledger"
_CREATE_TIMEOUT_SECONDS = 120
_HOST_BASED_AUTHENTICATION = f"host all all {LOOPBACK}/32 scram-sha-256\n"


def create_cluster(folder: StackFolder, binaries: Path, user: str | None) -> None:
    """Create the cluster with our user, a new password and our database.

    Args:
        folder: the stack's data folder.
        binaries: folder of the server's programs.
        user: system user who shall own it; None for ourselves.

    Raises:
        ServerFailedError: initdb or the server refused.
        FolderError, DiskFullError: the folder cannot be written.
    """
    # Made beside and renamed when it is whole, so that an interrupted start leaves nothing half made.
    fresh = folder.postgres.with_name("postgres-new")
    with explained_disk_errors(folder.root):
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if user is not None:
            give_to(user, fresh)
        password = secrets.token_urlsafe(24)
        write_privately(folder.password_file, password)
    log = folder.logs / "postgres-create.log"
    log.unlink(missing_ok=True)
    initdb = [str(binaries / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
    _run([*initdb, "--locale-provider=builtin", "--locale=C.UTF-8"], user, log)
    # Single-user mode: nobody can connect before the password is set.
    statements = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}';\nCREATE DATABASE {DATABASE};\n"
    _run([str(binaries / "postgres"), "--single", "-j", "-D", str(fresh), "postgres"], user, log, _single(statements))
    with explained_disk_errors(folder.root):
        (fresh / "pg_hba.conf").write_text(_HOST_BASED_AUTHENTICATION, encoding="utf-8")
        fresh.rename(folder.postgres)


def forget_recycled_pid(data: Path) -> None:
    """Remove a pid file whose number is somebody else's since a crash of the machine: Postgres would not start.

    The file guards against two servers on one cluster, so it goes only when the number is in use and nobody works in
    the folder (each of the server's processes has it as its working directory).
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if psutil.pid_exists(pid) and not any(_works_in(process, data) for process in psutil.process_iter()):
        pid_file.unlink()


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()) == folder.resolve()
    except psutil.Error:
        return False


def _single(statements: str) -> bytes:
    # With -j a statement ends at a semicolon followed by an empty line, and nothing of it is echoed into the log.
    return statements.replace(";\n", ";\n\n").encode()


def _run(command: list[str], user: str | None, log: Path, stdin: bytes = b"") -> None:
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            command,
            input=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=_CREATE_TIMEOUT_SECONDS,
            check=False,
            cwd="/",
            user=user,
            group=user,
            extra_groups=None if user is None else (),
        )
    if done.returncode != 0:
        raise ServerFailedError(
            f"the database cluster could not be created ({Path(command[0]).name}); see {log}", tail(log)
        )
