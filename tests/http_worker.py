"""One worker that answers over HTTP, in a process of its own, and a client with one key."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from runledger.stack.ports import choose_port

DEADLINE_SECONDS = 90.0


@contextmanager
def http_worker(name: str, port_setting: str, environment: Mapping[str, str], log: Path, path: str) -> Iterator[str]:
    """Run a worker for the length of a block; give its URL once `path` answers. It must end with exit code 0.

    Args:
        name: of the worker.
        port_setting: the variable that tells it its port.
        environment: variables besides this process's own.
        log: where it writes, after what stands there.
        path: what answers once it is ready.
    """
    port = choose_port()
    env = {**os.environ, port_setting: str(port), **environment}
    url = f"http://127.0.0.1:{port}"
    with log.open("ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "runledger", "worker", name], env=env, stderr=output)
    try:
        _wait_until_ready(name, process, url + path)
        yield url
        process.terminate()
        assert process.wait(DEADLINE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(name: str, process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        assert process.poll() is None, f"worker {name} ended"
        try:
            if requests.get(url, timeout=10).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            pass
        assert time.monotonic() < deadline, f"worker {name} does not get ready"
        time.sleep(0.05)


class KeyedClient:
    """Ask a server with one key, or with none."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        self._session = requests.Session()
        if key is not None:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def get(self, path: str, **options: Any) -> requests.Response:  # noqa: ANN401  # as requests takes them
        """Get a path."""
        return self._session.get(self.url + path, timeout=30, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
