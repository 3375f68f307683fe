"""Look at this machine: variables, packages, limits, the local stack and its doors."""

from __future__ import annotations

import platform
import resource
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import confluent_kafka
from pydantic import ValidationError

from runledger.doctor.facts import Facts
from runledger.doctor.machine_facts import Disk, Door, Environment, Packages, Servers, Service
from runledger.doctor.variables import SETTINGS, known_names
from runledger.schemas.settings import ConnectionSettings
from runledger.scoring.scorers.registry import ENTRY_POINTS
from runledger.scoring.settings import ScoringSettings
from runledger.stack import Stack, StackError
from runledger.stack.health import answers_http
from runledger.stack.state import StackState

_PREFIX = "RUNLEDGER_"
_DOORS = {
    "gateway": "RUNLEDGER_HTTP",
    "mcp": "RUNLEDGER_MCP",
    "api": "RUNLEDGER_API",
    "dashboard": "RUNLEDGER_DASHBOARD",
}
_UNSAFE = ("RUNLEDGER_TESTING", "RUNLEDGER_UNSAFE_DISABLE", "RUNLEDGER_UNSAFE_ABORT_RATIO")
_OFF = frozenset({"", "0", "0.0", "false", "no", "off"})


def see_machine(facts: Facts, data_dir: Path | None, environ: Mapping[str, str]) -> StackState | None:
    """Look at everything that needs no server; return what the local stack says of itself, if one runs."""
    facts.environment = read_environment(environ)
    facts.open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    facts.packages = _packages(environ)
    stack = Stack(data_dir)
    state, trouble = _state(stack)
    facts.servers = find_servers(environ, str(stack.folder.root), state, trouble)
    facts.services = None if state is None else _services(state)
    facts.disk = _disk(stack.folder.root) if stack.folder.root.exists() else None
    return state


def see_doors(facts: Facts, environ: Mapping[str, str], state: StackState | None) -> None:
    """Ask the doors of the local stack, and those whose address the environment tells."""
    local: dict[str, str | None] = {}
    if state is not None:
        local = {"gateway": state.http, "mcp": state.mcp, "api": state.api, "dashboard": state.dashboard}
    urls = {name: environ.get(variable) or local.get(name) for name, variable in _DOORS.items()}
    known = {name: url for name, url in urls.items() if url}
    with ThreadPoolExecutor(len(_DOORS)) as pool:
        answers = pool.map(_answers, known.values())
        doors = zip(known.items(), answers, strict=True)
        facts.doors = tuple(Door(name, url, answer) for (name, url), answer in doors)


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Read the variables as every kind of process would."""
    names = tuple(sorted(name for name in environ if name.upper().startswith(_PREFIX)))
    refused = []
    for process, settings in SETTINGS.items():
        try:
            settings()
        except ValidationError as error:
            refused += [(process, text) for text in explain_settings(error)]
    unsafe = tuple(f"{name}={environ[name]}" for name in _UNSAFE if environ.get(name, "").lower() not in _OFF)
    return Environment(names, known_names(), tuple(refused), unsafe, environ.get("RUNLEDGER_LOG_LEVEL"))


def explain_settings(error: ValidationError) -> list[str]:
    """Say which variable is wrong and why, without its value: that may be a secret."""
    return [
        ": ".join([*(f"{_PREFIX}{str(part).upper()}" for part in one["loc"][:1]), one["msg"]]) for one in error.errors()
    ]


def find_servers(environ: Mapping[str, str], folder: str, state: StackState | None, trouble: str) -> Servers:
    """Say which broker and database are meant, as every command does: the environment's first, then the local stack's.

    Args:
        environ: this process's.
        folder: the local stack's data folder.
        state: what runs there; None where nothing does.
        trouble: why that is not known.
    """
    addresses = None if state is None else state.addresses
    try:
        connection = ConnectionSettings()
    except ValidationError:
        return Servers(None, (), folder, state is not None, trouble)
    given = {"kafka", "postgres"} & connection.model_fields_set
    missing = [] if addresses is not None else [f"{_PREFIX}{name.upper()}" for name in ("kafka", "postgres")]
    missing = [name for name in missing if name.removeprefix(_PREFIX).lower() not in given]
    if addresses is not None and state is not None:
        local = {"kafka": addresses.kafka, "postgres": addresses.postgres}
        changes = {name: address for name, address in local.items() if name not in given}
        if "RUNLEDGER_TOPIC_PREFIX" not in environ:
            changes["topic_prefix"] = state.topic_prefix
        connection = connection.model_copy(update=changes)
    return Servers(connection, tuple(missing), folder, state is not None, trouble)


def _state(stack: Stack) -> tuple[StackState | None, str]:
    try:
        return stack.state(), ""
    except (StackError, OSError) as error:
        return None, str(error)


def _services(state: StackState) -> tuple[Service, ...]:
    return tuple(Service(one.name, one.health, one.restarts, one.last_exit, str(one.log)) for one in state.services)


def _disk(folder: Path) -> Disk:
    usage = shutil.disk_usage(folder)
    return Disk(str(folder), usage.free, usage.total)


def _answers(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError:
        return False
    return parts.hostname is not None and answers_http(parts.hostname, port, "/healthz", tls=parts.scheme == "https")


def _packages(environ: Mapping[str, str]) -> Packages:
    installed = {"heuristic", *(entry.name for entry in entry_points(group=ENTRY_POINTS))}
    missing = [
        (f"the scorer {name} of RUNLEDGER_SCORERS", "a package that brings it", "")
        for name in _scorers()
        if name not in installed
    ]
    if any(name.startswith("RUNLEDGER_MCP_") for name in environ) and find_spec("fastmcp") is None:
        missing.append(("`runledger worker mcp`, whose settings are set,", "fastmcp", "pip install 'runledger[mcp]'"))
    library = confluent_kafka.libversion()[0]
    summary = f"runledger {version('runledger')}, Python {platform.python_version()}, librdkafka {library}"
    return Packages(tuple(missing), summary)


def _scorers() -> tuple[str, ...]:
    try:
        return ScoringSettings().scorers
    except ValidationError:
        return ()  # said by the settings' own check
