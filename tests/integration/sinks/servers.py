"""A database server of one's own: roles belong to a whole server, so a shared one cannot be without one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runledger.stack import child
from runledger.stack.paths import StackFolder
from runledger.stack.ports import settle_ports
from runledger.stack.postgres import postgres_service, postgres_uri
from tests.servers import stack_folder

_START_SECONDS = 60


@contextmanager
def own_postgres() -> Iterator[str]:
    """Give the superuser's URI of a server that nobody else uses, for the length of the block."""
    with stack_folder() as root:
        folder = StackFolder(root)
        folder.prepare()
        ports = settle_ports(folder.ports_file)
        service = postgres_service(folder, ports, lambda _progress: None, durable=False)
        log = (folder.root / "postgres.log").open("wb")
        drop_to_user = (sys.executable, "-I", "-S", child.__file__, str(os.getpid()), str(int(service.death_signal)))
        command = (*drop_to_user, service.user or "", *service.command)
        with log, subprocess.Popen(command, stdout=log, stderr=log) as server:
            try:
                deadline = time.monotonic() + _START_SECONDS
                while not service.ready():
                    assert server.poll() is None, "the server ended"
                    assert time.monotonic() < deadline, "the server does not answer"
                yield postgres_uri(folder, ports)
            finally:
                server.send_signal(service.stop_signal)
                server.wait(_START_SECONDS)
