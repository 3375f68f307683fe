"""What the figures were measured on, without saying which machine it was."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.errors import NotInstalledError
from benchmarks.programs import peer_version
from benchmarks.rivals import ARROYO_ENVIRONMENT, ENVIRONMENT

_OURS = ("runledger", "faust-streaming", "confluent-kafka", "pydantic", "orjson", "psycopg", "uvicorn")
_PEERS = {"quixstreams": ENVIRONMENT, "bytewax": ENVIRONMENT, "sentry-arroyo": ARROYO_ENVIRONMENT}
TRACING_ENVIRONMENT = ".venv-bench-tracing"
_TRACING = ("arize-phoenix", "mlflow", "opentelemetry-sdk")


def facts() -> dict[str, str]:
    """Cores, memory and system."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def load_average() -> float:
    """Processes that wanted a core in the last minute: a figure taken beside other work says so."""
    return os.getloadavg()[0]


def versions() -> Mapping[str, str]:
    """Versions of what was measured."""
    found = {"python": platform.python_version()}
    for name in _OURS:
        found[name] = importlib.metadata.version(name)
    for name, environment in {**_PEERS, **dict.fromkeys(_TRACING, TRACING_ENVIRONMENT)}.items():
        with suppress(NotInstalledError):
            found[name] = peer_version(environment, name)
    return found
