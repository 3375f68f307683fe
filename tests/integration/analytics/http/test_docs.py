"""Every snippet of docs/reading.md runs, and its table of routes is whole."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest

from runledger.analytics.http.app import create_app
from runledger.analytics.http.settings import ApiSettings
from tests import documents

pytestmark = pytest.mark.integration
SNIPPETS = [("bash", text) for text in documents.examples("docs/reading.md", "bash")]
SNIPPETS += [("python", text) for text in documents.examples("docs/reading.md", "python")]
RUNNING = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-W", "error", "-c"]}


@pytest.mark.parametrize("snippet", documents.examples("docs/reading.md", "sql"))
def test_a_question_in_sql_is_answered_to_the_reading_role(snippet: str, uri: str) -> None:
    with psycopg.connect(uri) as connection:
        connection.execute("SET ROLE runledger_read")
        connection.execute(snippet.replace("myproject", "acme").encode())


@pytest.mark.parametrize(("language", "snippet"), SNIPPETS)
def test_a_snippet_runs(language: str, snippet: str, url: str, keys: dict[str, str]) -> None:
    env = os.environ | {"RUNLEDGER_API": url, "RUNLEDGER_API_KEY": keys["acme"]}
    command = [*RUNNING[language], snippet]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_table_names_every_route_and_parameter() -> None:
    lines = documents.text("docs/reading.md").splitlines()
    for path, operations in create_app(ApiSettings()).openapi()["paths"].items():
        if path.startswith("/api/v1/"):
            route = path.removeprefix("/api/v1")
            (line,) = [line for line in lines if line.startswith(f"| `{route}` |")]
            named = {parameter["name"] for parameter in operations["get"].get("parameters", [])}
            shared = {"cursor", "limit", "run_id", "agent_id", "fingerprint"}
            assert {name for name in named - shared if f"`{name}`" not in line} == set(), route
