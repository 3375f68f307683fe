"""Every snippet of docs/reading.md runs, and its table of routes is whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from runledger.analytics.http.app import create_app
from runledger.analytics.http.settings import ApiSettings

pytestmark = pytest.mark.integration
TEXT = (Path(__file__).parents[4] / "docs" / "reading.md").read_text()
SNIPPETS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
RUNNING = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-W", "error", "-c"]}


@pytest.mark.parametrize("snippet", [text for language, text in SNIPPETS if language == "sql"])
def test_a_question_in_sql_is_answered_to_the_reading_role(snippet: str, uri: str) -> None:
    with psycopg.connect(uri) as connection:
        connection.execute("SET ROLE runledger_read")
        connection.execute(snippet.replace("myproject", "acme").encode())


@pytest.mark.parametrize(("language", "snippet"), [pair for pair in SNIPPETS if pair[0] != "sql"])
def test_a_snippet_runs(language: str, snippet: str, url: str, keys: dict[str, str]) -> None:
    env = os.environ | {"RUNLEDGER_API": url, "RUNLEDGER_API_KEY": keys["acme"]}
    command = [*RUNNING[language], snippet]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_table_names_every_route_and_parameter() -> None:
    for path, operations in create_app(ApiSettings()).openapi()["paths"].items():
        if path.startswith("/api/v1/"):
            route = path.removeprefix("/api/v1")
            (line,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{route}` |")]
            named = {parameter["name"] for parameter in operations["get"].get("parameters", [])}
            shared = {"cursor", "limit", "run_id", "agent_id", "fingerprint"}
            assert {name for name in named - shared if f"`{name}`" not in line} == set(), route
