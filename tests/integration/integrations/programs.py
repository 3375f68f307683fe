"""Programs of their own, as a user would write them: the libraries' warnings are theirs, not the tests'."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from runledger.schemas.settings import ConnectionSettings
from tests.integration.integrations.model_server import ModelServer


def run_program(program: str, settings: ConnectionSettings, server: ModelServer, folder: Path) -> str:
    """Run a Python program that finds the broker and the model server in its environment; return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNLEDGER_", "OPENAI_"))}
    environment = kept | {
        "RUNLEDGER_KAFKA": settings.kafka,
        "RUNLEDGER_TOPIC_PREFIX": settings.topic_prefix,
        "OPENAI_BASE_URL": server.url,
        "OPENAI_API_KEY": "none",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{program}\n{done.stderr}"
    assert "a model call was not reported" not in done.stderr, done.stderr
    return done.stdout
