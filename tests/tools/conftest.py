"""Node and what npm installed for these tests: `make test-tools` sees to it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from runledger.contracts.files import FOLDER, TOPICS
from runledger.schemas.settings import ConnectionSettings
from tests.e2e.command import environment

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "typescript"
IDLE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Subscriber:
    """The subscriber in TypeScript, compiled."""

    folder: Path

    def read(self, settings: ConnectionSettings, *topics: str) -> subprocess.CompletedProcess[str]:
        """Let it read until nothing comes any more."""
        contracts = {"RUNLEDGER_CONTRACTS": str(FOLDER / TOPICS)}
        return _run(
            ["node", "build/subscriber.js", "--until-idle", str(IDLE_SECONDS), *topics],
            self.folder,
            os.environ | environment(settings) | contracts,
        )

    def judge(self, topic: str, key: str, files: Iterable[Path]) -> subprocess.CompletedProcess[str]:
        """Let its validator judge documents."""
        arguments = [str(self.folder / "build" / "contracts.js"), str(FOLDER / TOPICS), topic, key, *map(str, files)]
        return _run(["node", str(HERE / "judge.mjs"), *arguments], self.folder, os.environ)


@pytest.fixture(scope="session")
def subscriber() -> Subscriber:
    """The example, compiled by the TypeScript of its own lock file: that checks its types too."""
    assert (EXAMPLE / "node_modules").is_dir(), "npm has not installed what the example needs: make test-tools"
    done = _run(["npm", "run", "build"], EXAMPLE, os.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return Subscriber(EXAMPLE)


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
