"""Start a gateway, and call it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from runledger.schemas.settings import ConnectionSettings
from runledger.stack.ports import choose_port

DEADLINE_SECONDS = 30.0


@contextmanager
def serving(settings: ConnectionSettings, log: Path, *, path: str = "/readyz", **environment: str) -> Iterator[str]:
    """Run a gateway for the length of a block; give its URL once `path` answers."""
    port = choose_port()
    env = os.environ | {
        "RUNLEDGER_KAFKA": settings.kafka,
        "RUNLEDGER_POSTGRES": settings.postgres,
        "RUNLEDGER_TOPIC_PREFIX": settings.topic_prefix,
        "RUNLEDGER_HTTP_PORT": str(port),
        **environment,
    }
    url = f"http://127.0.0.1:{port}"
    with log.open("ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "runledger", "worker", "gateway"], env=env, stderr=output)
    try:
        _wait_until_ready(process, url + path)
        yield url
        process.terminate()
        assert process.wait(DEADLINE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        assert process.poll() is None, "the gateway ended"
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, "the gateway does not get ready"
        time.sleep(0.05)


class Caller:
    """Call a gateway with one key."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        self._session = requests.Session()
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    def post(self, route: str, body: Any = None, **headers: str) -> requests.Response:  # noqa: ANN401  # any JSON
        """Post JSON to a route below /api/v1; a header's name is written with underscores."""
        return self.send(route, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def send(self, route: str, *, headers: dict[str, str] | None = None, **options: Any) -> requests.Response:  # noqa: ANN401  # as requests takes them
        """Post anything to a route below /api/v1."""
        sent = self._headers | (headers or {})
        return self._session.post(f"{self.url}/api/v1/{route}", headers=sent, timeout=30, **options)

    def get(self, path: str) -> requests.Response:
        """Get a path."""
        return self._session.get(self.url + path, headers=self._headers, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
