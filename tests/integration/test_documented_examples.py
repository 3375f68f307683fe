"""Every Python example of the documentation, run as a program of its own against real servers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import runledger
from runledger.access.projects import create_key, create_project
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from tests.integration.producers.gateway.serving import serving

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("sdk.md", "subscribe.md")
_EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples(page: str) -> list[str]:
    return _EXAMPLE.findall((DOCS / page).read_text(encoding="utf-8"))


@pytest.fixture
def environment(topics: ConnectionSettings, database: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a program finds in its environment; the gateway is behind RUNLEDGER_URL where the example asks for it."""
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        create_project(connection, "myproject")
        key = create_key(connection, "myproject", ["emit"]).text()
    with serving(topics.model_copy(update={"postgres": database}), tmp_path / "gateway.log") as url:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
        yield kept | {
            "RUNLEDGER_KAFKA": topics.kafka,
            "RUNLEDGER_TOPIC_PREFIX": topics.topic_prefix,
            "GATEWAY_URL": url,
            "GATEWAY_KEY": key,
        }


@pytest.mark.parametrize("page", PAGES)
def test_each_example_runs(page: str, environment: dict[str, str], tmp_path: Path) -> None:
    assert len(examples(page)) >= 4
    for number, program in enumerate(examples(page)):
        own = dict(environment)
        if "RUNLEDGER_URL" in program:
            own |= {"RUNLEDGER_URL": own["GATEWAY_URL"], "RUNLEDGER_API_KEY": own["GATEWAY_KEY"]}
        command = [sys.executable, "-W", "error", "-c", program]
        done = subprocess.run(command, env=own, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{page}, example {number + 1}:\n{program}\n{done.stderr}"


def test_each_public_name_has_a_docstring_and_an_example() -> None:
    shown = "\n".join(program for page in PAGES for program in examples(page))
    for name in runledger.__all__:
        assert getattr(runledger, name).__doc__, name
        assert re.search(rf"\b{name}\b", shown), name
