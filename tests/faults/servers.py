"""A broker or a database of a test's own: started, stopped, killed and started again at the same address."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import Signals

import psutil

from runledger.stack import child
from runledger.stack.kafka import kafka_service
from runledger.stack.paths import StackFolder, default_cache_dir
from runledger.stack.ports import LOOPBACK, settle_ports
from runledger.stack.postgres import postgres_service, postgres_uri
from runledger.stack.service import Service
from tests.faults.proxy import Proxy
from tests.servers import stack_folder

_START_SECONDS = 150


class Server:
    """One server process, which may be ended and started again.

    Args:
        service: how it is run.
        address: bootstrap servers or URI.
        folder: its data, and its log.
    """

    def __init__(self, service: Service, address: str, folder: Path) -> None:
        self._service = service
        self._log = folder / f"{service.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.address = address
        self.folder = folder

    def start(self) -> None:
        """Start it, and wait until it answers."""
        drop_to_user = (sys.executable, "-I", "-S", child.__file__, str(os.getpid()), str(int(Signals.SIGKILL)))
        command = (*drop_to_user, self._service.user or "", *self._service.command)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._service.ready():
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            assert time.monotonic() < deadline, f"{self._service.name} does not answer"
            time.sleep(0.1)

    def send_signal(self, number: Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: Signals | None = None) -> None:
        """End it by a signal, its own stop signal if none is given, and wait until it and its children are gone."""
        if self._process is None:
            return
        children = psutil.Process(self._process.pid).children(recursive=True)
        self.send_signal(number or self._service.stop_signal)
        self._process.wait(_START_SECONDS)
        psutil.wait_procs(children, _START_SECONDS)
        self._process = None


@contextmanager
def _running(make: Callable[[StackFolder], tuple[Service, str]]) -> Iterator[Server]:
    with stack_folder() as root:
        folder = StackFolder(root)
        folder.prepare()
        service, address = make(folder)
        server = Server(service, address, folder.root)
        server.start()
        try:
            yield server
        finally:
            server.stop(Signals.SIGKILL)


@contextmanager
def own_postgres() -> Iterator[Server]:
    """Run a database server for the length of a block; `address` is the superuser's URI."""

    def make(folder: StackFolder) -> tuple[Service, str]:
        ports = settle_ports(folder.ports_file)
        # Durable: what it has committed must survive an immediate shutdown.
        service = postgres_service(folder, ports, lambda _progress: None)
        return service, postgres_uri(folder, ports)

    with _running(make) as server:
        yield server


@contextmanager
def own_kafka(proxy_to: Callable[[int], Proxy] | None = None) -> Iterator[Server]:
    """Run a broker for the length of a block; `address` is where clients find it.

    Args:
        proxy_to: makes a proxy for the broker's port, which the broker then names to its clients as its own.
    """

    def make(folder: StackFolder) -> tuple[Service, str]:
        ports = settle_ports(folder.ports_file)
        service = kafka_service(folder, default_cache_dir(), ports, lambda _progress: None)
        if proxy_to is None:
            return service, f"{LOOPBACK}:{ports.kafka}"
        address = f"{LOOPBACK}:{proxy_to(ports.kafka).port}"
        properties = folder.kafka / "server.properties"
        own = f"advertised.listeners=PLAINTEXT://{LOOPBACK}:{ports.kafka}"
        text = properties.read_text(encoding="utf-8")
        assert own in text
        properties.write_text(text.replace(own, f"advertised.listeners=PLAINTEXT://{address}"), encoding="utf-8")
        return service, address

    with _running(make) as server:
        yield server
