"""A program that calls models through LiteLLM and the OpenAI client becomes runs with exact usage and cost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from tests.e2e.pipeline import pipeline, wait_for
from tests.integration.integrations.model_server import model_server
from tests.integration.integrations.programs import run_program

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PROGRAM = """\
import litellm
from openai import AuthenticationError, OpenAI

from runledger import RunClient
from runledger.integrations.litellm import RunledgerLogger
from runledger.integrations.openai import track

ASKED = [{"role": "user", "content": "what is six times seven"}]
COUNTED = {"stream": True, "stream_options": {"include_usage": True}}

client = RunClient()
logger = RunledgerLogger(client)
litellm.callbacks = [logger]
with client.run("acme", "through-litellm"):
    litellm.completion("openai/gpt-4o-mini", ASKED)
    list(litellm.completion("openai/gpt-4o-mini", ASKED, **COUNTED))
    list(litellm.responses(model="openai/gpt-4o-mini", input="what is six times seven", stream=True))
    logger.flush()
litellm.callbacks = []
with OpenAI(max_retries=0) as openai:
    track(openai, client)
    with client.run("acme", "through-openai"):
        openai.chat.completions.create(model="gpt-4o-mini", messages=ASKED)
        list(openai.chat.completions.create(model="gpt-4o-mini", messages=ASKED, **COUNTED))
        openai.responses.create(model="gpt-4o-mini", input="what is six times seven")
    try:
        with client.run("acme", "refused"):
            openai.responses.create(model="fails-401", input="what is six times seven")
    except AuthenticationError:
        pass
client.close()
"""
COST_USD = Decimal("0.0000231750")
"""Three calls at the price of gpt-4o-mini, the same for both sides: 2 fresh input tokens, 3 cached, 12 output each."""


def test_calls_of_models_become_runs_with_usage_and_cost(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    migrate(database)
    settings = topics.model_copy(update={"postgres": database})
    with psycopg.connect(database, autocommit=True) as connection, model_server() as server:
        with pipeline(settings, tmp_path, ("processor", "sink")):
            run_program(PROGRAM, settings, server, tmp_path)
            wait_for("every run has its row", lambda: len(finished_runs(connection)) == 3, 60)
            wait_for("no difference is left", lambda: verify(connection).clean, 30)
        assert finished_runs(connection) == {
            "through-litellm": ("completed", 15, 36, 9, 12, COST_USD, "reported", 3, 0),
            "through-openai": ("completed", 15, 36, 9, 12, COST_USD, "estimated", 3, 0),
            "refused": ("failed", None, None, None, None, None, "unknown", None, 1),
        }


def finished_runs(connection: psycopg.Connection) -> dict[str, tuple[object, ...]]:
    """Read what the tables know of each agent's finished run."""
    query = (
        "SELECT agent_id, status, input_tokens, output_tokens, cache_read_tokens, reasoning_tokens, cost_usd, "
        "cost_source, llm_calls, failures FROM agent_run WHERE ended_at IS NOT NULL"
    )
    return {row[0]: row[1:] for row in connection.execute(query).fetchall()}
