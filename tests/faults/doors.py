"""The other half of O4: what is read over HTTP and over MCP is what the recount says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from runledger.schemas.settings import ConnectionSettings
from tests.faults.expected import RunKey
from tests.integration.analytics.http.serving import Asker, serving
from tests.integration.producers.mcp_server.serving import answer, make_key, over_http, served
from tests.unit.processors.laws.model import Told

_NAMES = ("status", "outcome", "input_tokens", "total_tokens", "llm_calls")
_ASKED_OVER_MCP = 10


def doors_agree(settings: ConnectionSettings, runs: Mapping[RunKey, Told], folder: Path) -> list[str]:
    """Read every run over HTTP, and some over MCP; return what differs."""
    projects = {
        project: {run: told.run for (owner, run), told in runs.items() if owner == project}
        for project in sorted({project for project, _ in runs})
    }
    keys = {project: make_key(settings, project) for project in projects}
    found: list[str] = []
    with serving(settings.postgres, folder / "api.log") as url:
        for project, expected in projects.items():
            found += _over_http(url, keys[project], expected)
    with served(settings, folder) as server:
        for project, expected in projects.items():
            found += asyncio.run(_over_mcp(server.url, keys[project], expected))
    return found


def _facts(run: Mapping[str, Any]) -> tuple[object, ...]:
    cost = run["usage"].cost_usd
    used = {"status": run["status"], "outcome": run["outcome"]}
    tokens = {name: getattr(run["usage"], name) for name in _NAMES[2:]}
    return (*(used | tokens).values(), None if cost is None else cost.quantize(Decimal("1e-10")))


def _read(answered: Mapping[str, Any]) -> tuple[object, ...]:
    cost = answered["cost_usd"]
    told = [answered[name] for name in _NAMES]
    return (*told, None if cost is None else Decimal(cost).quantize(Decimal("1e-10")))


def _over_http(url: str, key: str, expected: Mapping[UUID, Mapping[str, Any]]) -> list[str]:
    with Asker(url, key) as asker:
        answers = {UUID(run["run_id"]): _read(run) for run in asker.walk("runs", "runs", limit=200)}
    wanted = {run: _facts(told) for run, told in expected.items()}
    return [
        f"run {run} over HTTP: expected {wanted.get(run)}, found {answers.get(run)}"
        for run in wanted.keys() | answers.keys()
        if wanted.get(run) != answers.get(run)
    ]


async def _over_mcp(url: str, key: str, expected: Mapping[UUID, Mapping[str, Any]]) -> list[str]:
    differences = []
    async with over_http(url, key) as client:
        for run in sorted(expected)[:_ASKED_OVER_MCP]:
            found = _read(await answer(client, "get_run", run_id=str(run)))
            if found != _facts(expected[run]):
                differences.append(f"run {run} over MCP: expected {_facts(expected[run])}, found {found}")
    return differences
