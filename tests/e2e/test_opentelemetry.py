"""The documented agents, which know nothing of ours, become runs with usage and cost; sent twice they count once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import yaml

from runledger.access.projects import create_key, create_project
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from runledger.stack.health import answers_http
from runledger.stack.ports import LOOPBACK, choose_port
from tests import documents
from tests.e2e.pipeline import pipeline, wait_for
from tests.integration.integrations.model_server import model_server

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

CONNECTING = documents.examples("docs/opentelemetry.md", "bash")
AGENT = documents.example("docs/opentelemetry.md", "python")
COLLECTOR = documents.example("docs/opentelemetry.md", "yaml")
ALONE = "\nimport sys\nassert not [name for name in sys.modules if name.startswith('runledger')]\n"
FAILING = """\
from openai import OpenAI, RateLimitError
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

# Every span is sent twice: by itself when it ends, and in a batch at the end.
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
tracer = provider.get_tracer("my-agent")
text = "my key is ghp_a1B2c3D4e5a1B2c3D4e5a1B2c3D4e5a1B2c3, what is six times seven"
asked = [{"role": "user", "content": text}]
with OpenAI(max_retries=0) as openai:
    try:
        with tracer.start_as_current_span("nightly"):
            openai.responses.create(model="gpt-4o-mini", input=text)
            for chunk in openai.chat.completions.create(
                model="gpt-4o-mini", messages=asked, stream=True, stream_options={"include_usage": True}
            ):
                pass
            openai.embeddings.create(model="mistral-embed", input="two words")
            with tracer.start_as_current_span("search") as tool:
                tool.set_attribute("openinference.span.kind", "TOOL")
                tool.set_attribute("tool.name", "search")
                tool.set_attribute("tool.parameters", '{"token": "ghp_a1B2c3D4e5a1B2c3D4e5a1B2c3D4e5a1B2c3"}')
            openai.chat.completions.create(model="fails-429", messages=asked)
    except RateLimitError:
        pass
provider.shutdown()
"""
TWICE_INSTRUMENTED = """\
from openai import OpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLLMetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenInference().instrument(tracer_provider=provider)
OpenLLMetry().instrument(tracer_provider=provider)
asked = [{"role": "user", "content": "what is six times seven"}]
with OpenAI() as openai, provider.get_tracer("my-agent").start_as_current_span("nightly"):
    openai.chat.completions.create(model="gpt-4o-mini", messages=asked)
provider.shutdown()
"""
LLMETRY = "opentelemetry.instrumentation.openai.v1"


@dataclass(frozen=True, slots=True)
class Stack:
    """A running pipeline with its gateway, and how a program finds both it and the model server."""

    connection: psycopg.Connection
    environment: dict[str, str]

    def run(self, connecting: str, program: str) -> None:
        """Run a program in a shell that was told where to report."""
        shell = f'{connecting}\nexec "$0" -c "$1"'
        command = ["bash", "-euo", "pipefail", "-c", shell, sys.executable, program + ALONE]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert "export" not in done.stderr.lower(), done.stderr

    def finished(self) -> list[tuple[object, ...]]:
        """Read the finished runs: project, agent, status, tokens in and out, cost, where from, calls, failures."""
        query = (
            "SELECT project_key, agent_id, status, input_tokens, output_tokens, cost_usd, cost_source, llm_calls, "
            "failures FROM agent_run WHERE ended_at IS NOT NULL ORDER BY project_key"
        )
        return self.connection.execute(query).fetchall()


@contextmanager
def stack(settings: ConnectionSettings, folder: Path) -> Iterator[Stack]:
    migrate(settings.postgres)
    port = choose_port()
    names = ("processor", "sink", "gateway")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNLEDGER_", "OTEL_"))}
    with psycopg.connect(settings.postgres, autocommit=True) as connection, model_server() as models:
        create_project(connection, "acme")
        key = create_key(connection, "acme", ["emit"]).text()
        with pipeline(settings, folder, names, RUNLEDGER_HTTP_PORT=str(port)):
            wait_for("the gateway answers", lambda: answers_http(LOOPBACK, port, "/readyz"), 120)
            environment = {
                "RUNLEDGER_HTTP": f"http://{LOOPBACK}:{port}",
                "RUNLEDGER_API_KEY": key,
                "OPENAI_BASE_URL": models.url,
                "OPENAI_API_KEY": "none",
            }
            yield Stack(connection, kept | environment)


def test_the_documented_agent_becomes_one_run_by_each_way_to_connect(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    """Of gpt-4o-mini: 2 fresh input tokens, 3 cached ones and 12 output tokens, at 0.15, 0.075 and 0.60 a million."""
    assert len(CONNECTING) == 2
    with stack(topics.model_copy(update={"postgres": database}), tmp_path) as running:
        for connecting in CONNECTING:
            running.run(connecting, AGENT)
        wait_for("both runs are finished", lambda: len(running.finished()) == 2, 60)
        wait_for("no difference is left", lambda: verify(running.connection).clean, 30)
        cost_usd = Decimal("0.0000077250")
        assert running.finished() == [
            (project_key, "sage", "completed", 5, 12, cost_usd, "estimated", 1, 0)
            for project_key in ("acme", "default")
        ]
        outcome = running.connection.execute("SELECT DISTINCT agent_id, status, action_summary FROM agent_run_log")
        assert outcome.fetchall() == [("sage", "success", "Six times seven is forty-two.")]


def test_every_way_of_calling_and_a_failure_count_once_though_sent_twice(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    with stack(topics.model_copy(update={"postgres": database}), tmp_path) as running:
        running.run(CONNECTING[0], FAILING)
        wait_for("the run is finished", lambda: len(running.finished()) == 1, 60)
        wait_for("no difference is left", lambda: verify(running.connection).clean, 30)
        ((_, agent, status, input_tokens, output_tokens, cost_usd, source, calls, failures),) = running.finished()
        assert (agent, status, source, calls, failures) == ("sage", "failed", "estimated", 3, 2)
        assert (input_tokens, output_tokens) == (9 + 9 + 2, 12 + 12)
        assert isinstance(cost_usd, Decimal)
        assert cost_usd > 0
        told = running.connection.execute("SELECT run_id, data::text FROM run_event").fetchall()
        assert len({run_id for run_id, _ in told}) == 1
        assert isinstance(told[0][0], UUID)
        everything = "\n".join(document for _, document in told)
        assert "RateLimitError" in everything
        assert "ghp_a1B2" not in everything
        assert "[masked:" in everything


def test_of_two_instrumentations_of_one_call_one_can_be_chosen(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    """OpenInference's and OpenLLMetry's spans of the same call stand one within the other."""
    chosen = f"{CONNECTING[1]}\nexport OTEL_RESOURCE_ATTRIBUTES=runledger.usage_scopes={LLMETRY}"
    with stack(topics.model_copy(update={"postgres": database}), tmp_path) as running:
        running.run(CONNECTING[0], TWICE_INSTRUMENTED)
        running.run(chosen, TWICE_INSTRUMENTED)
        wait_for("both runs are finished", lambda: len(running.finished()) == 2, 60)
        one, both = running.finished()
        assert one[:5] == ("acme", "sage", "completed", 5, 12)
        assert both[:5] == ("default", "sage", "completed", 10, 24)
        entries = "SELECT project_key, traces FROM agent_run ORDER BY project_key"
        assert running.connection.execute(entries).fetchall() == [("acme", 2), ("default", 2)]


def test_the_documented_collector_configuration_names_a_base_and_a_bearer() -> None:
    exporter = yaml.safe_load(COLLECTOR)["exporters"]["otlphttp/runledger"]
    assert not exporter["endpoint"].endswith("/v1/traces")
    assert exporter["headers"]["authorization"].startswith("Bearer ")
