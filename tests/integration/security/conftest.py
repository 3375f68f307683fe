"""The secured servers, started once for these tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from runledger.stack.paths import StackFolder
from runledger.stack.ports import settle_ports
from runledger.stack.postgres import postgres_service, postgres_uri
from runledger.stack.supervisor import Supervisor
from tests.certificates import Authority
from tests.secure_servers import SecureBroker, secure_broker
from tests.servers import stack_folder
from tests.tls_front import TlsFront, tls_front


@pytest.fixture(scope="session")
def broker() -> Iterator[SecureBroker]:
    """A broker with TLS, SASL and ACLs."""
    with stack_folder() as folder, secure_broker(folder) as made:
        yield made


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """URI of a superuser on a database server that asks everybody for a password."""
    with stack_folder() as root:
        folder = StackFolder(root)
        folder.prepare()
        ports = settle_ports(folder.ports_file)
        supervisor = Supervisor(folder.logs, lambda _: None, lambda: False)
        try:
            supervisor.start([postgres_service(folder, ports, lambda _: None, durable=False)])
            yield postgres_uri(folder, ports)
        finally:
            supervisor.stop()


@pytest.fixture
def database(database_server: str) -> Iterator[str]:
    """URI of an empty database of the test's own on that server."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield f"{database_server.rpartition('/')[0]}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """One of the test's own."""
    return Authority(tmp_path)


@pytest.fixture
def front(database: str, authority: Authority) -> Iterator[TlsFront]:
    """TLS in front of the database server, for 127.0.0.1 alone."""
    parts = urlsplit(database)
    with tls_front((str(parts.hostname), int(parts.port or 0)), authority.sign("database", "127.0.0.1")) as made:
        yield made


@pytest.fixture
def tls_uri(database: str, front: TlsFront, authority: Authority) -> str:
    """URI of the test's own database through the front, with everything checked."""
    through = database.replace(f":{urlsplit(database).port}/", f":{front.port}/")
    return f"{through}?sslmode=verify-full&sslrootcert={authority.certificate}"
