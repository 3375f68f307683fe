"""Every snippet of docs/http.md runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
TEXT = (Path(__file__).parents[4] / "docs" / "http.md").read_text()
SNIPPETS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
RUNNING = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-W", "error", "-c"]}


@pytest.mark.parametrize(("language", "snippet"), SNIPPETS)
def test_a_snippet_runs(language: str, snippet: str, url: str, keys: dict[str, str]) -> None:
    env = os.environ | {"RUNLEDGER_HTTP": url, "RUNLEDGER_API_KEY": keys["acme"]}
    command = [*RUNNING[language], snippet]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_there_are_snippets_of_both_languages() -> None:
    assert {language for language, _ in SNIPPETS} == RUNNING.keys()
