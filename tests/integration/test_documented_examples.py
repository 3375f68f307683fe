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
from runledger.schemas.run_events import RunLogged
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from tests import documents
from tests.integration.producers.events import read_run_events
from tests.integration.producers.gateway.serving import serving

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EXAMPLES = {
    "sdk": documents.examples("docs/sdk.md", "python"),
    "subscribe": documents.examples("docs/subscribe.md", "python"),
    "contracts": documents.examples("docs/contracts.md", "python"),
}
MASKED = "asked [masked:staff]"


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


def _run(command: list[str], environment: dict[str, str], folder: Path) -> None:
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command[-1]}\n{done.stderr}"


@pytest.mark.parametrize("page", EXAMPLES)
def test_each_example_runs(page: str, environment: dict[str, str], tmp_path: Path) -> None:
    for program in EXAMPLES[page]:
        own = dict(environment)
        if "RUNLEDGER_URL" in program:
            own |= {"RUNLEDGER_URL": own["GATEWAY_URL"], "RUNLEDGER_API_KEY": own["GATEWAY_KEY"]}
        _run([sys.executable, "-W", "error", "-c", program], own, tmp_path)


def test_a_pattern_of_ones_own_masks_as_an_argument_and_from_the_environment(
    topics: ConnectionSettings, tmp_path: Path
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
    known = kept | {
        "RUNLEDGER_KAFKA": topics.kafka,
        "RUNLEDGER_TOPIC_PREFIX": topics.topic_prefix,
        "PYTHON": sys.executable,
    }
    program = documents.example("docs/masking.md", "python")
    without, times = re.subn(r"mask=\{.*\}", "", program)
    assert times == 1
    _run([sys.executable, "-W", "error", "-c", program], known, tmp_path)
    script = f'{documents.example("docs/masking.md", "bash")}\n"$PYTHON" -W error -c "$1"'
    _run(["bash", "-euc", script, "bash", without], known, tmp_path)
    told = [event.data for event in read_run_events(topics) if isinstance(event, RunLogged)]
    assert [data.actions_taken for data in told] == [{"summary": MASKED}] * 2
    assert f"# {MASKED}" in program


def test_each_public_name_has_a_docstring_and_an_example() -> None:
    shown = "\n".join(program for programs in EXAMPLES.values() for program in programs)
    for name in runledger.__all__:
        assert getattr(runledger, name).__doc__, name
        assert re.search(rf"\b{name}\b", shown), name
