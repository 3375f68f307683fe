"""Programs of their own, as a user would write them: the libraries' warnings are theirs, not the tests'."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runledger.schemas.settings import ConnectionSettings
from tests.integration.integrations.model_server import ModelServer


def run_program(program: str, settings: ConnectionSettings, server: ModelServer, folder: Path) -> str:
    """Run a Python program that finds the broker and the model server in its environment; return what it printed."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command,
        env=_environment(settings, server),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return _judged(program, done.returncode, done.stdout, done.stderr)


class Template:
    """A process with LiteLLM in it, forked for each program."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, program: str, settings: ConnectionSettings, server: ModelServer, folder: Path) -> str:
        """Run a program as `run_program` does, without waiting for its imports."""
        request = {"program": program, "environment": _environment(settings, server), "folder": str(folder)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return _judged(program, code, *((folder / name).read_text() for name in ("stdout", "stderr")))


@contextmanager
def template() -> Iterator[Template]:
    """Have one for the length of the block."""
    command = [sys.executable, "-m", "tests.integration.integrations.forked"]
    environment = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Template(process)


def _environment(settings: ConnectionSettings, server: ModelServer) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNLEDGER_", "OPENAI_"))}
    return kept | {
        "RUNLEDGER_KAFKA": settings.kafka,
        "RUNLEDGER_TOPIC_PREFIX": settings.topic_prefix,
        "OPENAI_BASE_URL": server.url,
        "OPENAI_API_KEY": "none",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }


def _judged(program: str, code: int, printed: str, complaints: str) -> str:
    assert code == 0, f"{program}\n{complaints}"
    assert "a model call was not reported" not in complaints, complaints
    return printed
