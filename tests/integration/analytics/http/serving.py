"""Start the read API, and ask it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import requests

from tests.http_worker import KeyedClient, http_worker


def serving(postgres: str, log: Path, *, path: str = "/readyz", **environment: str) -> AbstractContextManager[str]:
    """Run the read API for the length of a block; give its URL once `path` answers."""
    return http_worker("api", "RUNLEDGER_API_PORT", {"RUNLEDGER_POSTGRES": postgres, **environment}, log, path)


class Asker(KeyedClient):
    """Asks the read API with one key."""

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
