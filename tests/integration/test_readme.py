"""What the README shows is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from runledger.schemas.run_events import RunEnded, RunStarted, UsageReported
from runledger.schemas.settings import ConnectionSettings
from tests import documents
from tests.integration.producers.events import read_run_events

pytestmark = pytest.mark.integration


def test_the_example_tells_a_whole_run(topics: ConnectionSettings) -> None:
    example = documents.example("README.md", "python")
    assert "127.0.0.1:9092" in example
    program = example.replace("127.0.0.1:9092", topics.kafka)
    environment = os.environ | {"RUNLEDGER_TOPIC_PREFIX": topics.topic_prefix}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    started, usage, ended = read_run_events(topics)
    assert isinstance(started, RunStarted)
    assert isinstance(usage, UsageReported)
    assert isinstance(ended, RunEnded)
    assert (started.project_key, started.agent_id, usage.data.token_usage.llm_calls) == ("myproject", "sage", 3)
    assert (ended.data.status, ended.data.summary) == ("completed", "Leak fixed, tests pass")


def test_every_file_it_links_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", documents.text("README.md"))
    assert len(links) > 5
    assert [link for link in links if not (documents.ROOT / link).exists()] == []
