"""Every snippet of docs/http.md runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import documents

pytestmark = pytest.mark.integration
SNIPPETS = [("bash", text) for text in documents.examples("docs/http.md", "bash")]
SNIPPETS += [("python", text) for text in documents.examples("docs/http.md", "python")]
RUNNING = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-W", "error", "-c"]}


@pytest.mark.parametrize(("language", "snippet"), SNIPPETS)
def test_a_snippet_runs(language: str, snippet: str, url: str, keys: dict[str, str]) -> None:
    env = os.environ | {"RUNLEDGER_HTTP": url, "RUNLEDGER_API_KEY": keys["acme"]}
    command = [*RUNNING[language], snippet]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
