from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.integrations.model_server import ModelServer, model_server


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model server of the test's own."""
    with model_server() as serving:
        yield serving
