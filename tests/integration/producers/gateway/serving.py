"""Start a gateway, and call it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import requests

from runledger.schemas.settings import ConnectionSettings
from tests.http_worker import KeyedClient, http_worker


def serving(
    settings: ConnectionSettings, log: Path, *, path: str = "/readyz", **environment: str
) -> AbstractContextManager[str]:
    """Run a gateway for the length of a block; give its URL once `path` answers."""
    env = {
        "RUNLEDGER_KAFKA": settings.kafka,
        "RUNLEDGER_POSTGRES": settings.postgres,
        "RUNLEDGER_TOPIC_PREFIX": settings.topic_prefix,
        **environment,
    }
    return http_worker("gateway", "RUNLEDGER_HTTP_PORT", env, log, path)


class Caller(KeyedClient):
    """Call a gateway with one key."""

    def post(self, route: str, body: Any = None, **headers: str) -> requests.Response:  # noqa: ANN401  # any JSON
        """Post JSON to a route below /api/v1; a header's name is written with underscores."""
        return self.send(route, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def send(self, route: str, **options: Any) -> requests.Response:  # noqa: ANN401  # as requests takes them
        """Post anything to a route below /api/v1."""
        return self._session.post(f"{self.url}/api/v1/{route}", timeout=30, **options)
