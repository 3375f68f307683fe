"""Every example of docs/integrations.md, run as a program of its own against the real broker and the model server."""

from __future__ import annotations

from pathlib import Path

import pytest

from runledger.schemas.run_events import RunEnded, UsageReported
from runledger.schemas.settings import ConnectionSettings
from tests import documents
from tests.integration.integrations.model_server import ModelServer
from tests.integration.integrations.programs import run_program
from tests.integration.producers.events import read_run_events

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EXAMPLES = documents.examples("docs/integrations.md", "python")


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_each_example_reports_its_call_with_tokens(
    number: int, topics: ConnectionSettings, server: ModelServer, tmp_path: Path
) -> None:
    run_program(EXAMPLES[number], topics, server, tmp_path)
    events = read_run_events(topics)
    assert len({(event.project_key, event.run_id) for event in events}) == 1
    assert {event.project_key for event in events} == {"myproject"}
    (usage,) = [event for event in events if isinstance(event, UsageReported)]
    assert usage.data.token_usage.output_tokens == 12
    assert any(isinstance(event, RunEnded) for event in events)


def test_there_are_examples_for_both_libraries() -> None:
    shown = "\n".join(EXAMPLES)
    assert len(EXAMPLES) == 4
    assert all(name in shown for name in ("OpenAI", "AsyncOpenAI", "litellm.completion", "litellm.acompletion"))
