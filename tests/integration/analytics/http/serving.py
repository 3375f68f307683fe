"""Start the read API, and ask it."""

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

from runledger.stack.ports import choose_port

DEADLINE_SECONDS = 30.0


@contextmanager
def serving(postgres: str, log: Path, *, path: str = "/readyz", **environment: str) -> Iterator[str]:
    """Run the read API for the length of a block; give its URL once `path` answers."""
    port = choose_port()
    env = os.environ | {"RUNLEDGER_POSTGRES": postgres, "RUNLEDGER_API_PORT": str(port), **environment}
    url = f"http://127.0.0.1:{port}"
    with log.open("ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "runledger", "worker", "api"], env=env, stderr=output)
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
        assert process.poll() is None, "the read API ended"
        try:
            if requests.get(url, timeout=10).ok:
                return
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, "the read API does not get ready"
        time.sleep(0.05)


class Asker:
    """Asks the read API with one key."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        self._session = requests.Session()
        if key is not None:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def ask(self, route: str, **parameters: object) -> requests.Response:
        """Ask a route below /api/v1; parameters are sent as they are."""
        return self.get(f"/api/v1/{route}", params={name: str(value) for name, value in parameters.items()})

    def told(self, route: str, **parameters: object) -> Any:  # noqa: ANN401  # any JSON
        """Ask a route below /api/v1 and give what a good answer says."""
        answer = self.ask(route, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, route: str, **parameters: object) -> tuple[int, str, str | None]:
        """Ask a route below /api/v1 and give status, code and field of the error."""
        answer = self.ask(route, **parameters)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["field"]

    def walk(self, route: str, of: str, **parameters: object) -> list[dict[str, Any]]:
        """Read all pages of a list."""
        rows, cursor = [], None
        while True:
            page = self.told(route, **parameters, **({} if cursor is None else {"cursor": cursor}))
            rows += page[of]
            if (cursor := page["next_cursor"]) is None:
                return rows
            assert page[of], "an empty page has a next one"

    def get(self, path: str, **options: Any) -> requests.Response:  # noqa: ANN401  # as requests takes them
        """Get a path."""
        return self._session.get(self.url + path, timeout=30, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
