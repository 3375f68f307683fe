"""The contracts as files: those of the code as it stands, and those of the last release."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from runledger.contracts.asyncapi import asyncapi_of
from runledger.contracts.compatibility import Breach, breaches
from runledger.contracts.contracts import CONTRACTS, Contract
from runledger.contracts.json_schemas import json_schema_of

FOLDER = Path(__file__).parent
TOPICS, RELEASED, ASYNCAPI = "topics", "released", "asyncapi.json"


def write(folder: Path = FOLDER) -> None:
    """Write what the code promises; what it promises no longer is removed."""
    wanted = _generated()
    for path in stale(folder):
        (folder / path).unlink(missing_ok=True)
        if path in wanted:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(wanted[path])


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the files that are not what the code promises, by their paths within the folder."""
    wanted = _generated()
    there = {str(path.relative_to(folder)) for path in (folder / TOPICS).glob("*.json")}
    changed = {path for path, content in wanted.items() if _content(folder / path) != content}
    return sorted(changed | (there - wanted.keys()))


def check(folder: Path = FOLDER) -> list[Breach]:
    """Return what breaks the contracts of the last release."""
    return list(breaches(read(folder / RELEASED), {contract.name: json_schema_of(contract) for contract in CONTRACTS}))


def release(folder: Path = FOLDER) -> None:
    """Keep the contracts as those of a release; older versions stay beside them."""
    for contract in CONTRACTS:
        target = folder / RELEASED / f"{contract.name}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_as_json(json_schema_of(contract)))


def read(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Read contracts: {name: JSON Schema}."""
    return {path.stem: orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def schema_of(contract: Contract) -> dict[str, Any]:
    """Read a topic's contract as it is kept beside this code."""
    schema: dict[str, Any] = orjson.loads((FOLDER / TOPICS / f"{contract.name}.json").read_bytes())
    return schema


def _generated() -> dict[str, bytes]:
    """What the code promises: {path within the folder: content}."""
    schemas = {f"{TOPICS}/{contract.name}.json": _as_json(json_schema_of(contract)) for contract in CONTRACTS}
    return {**schemas, ASYNCAPI: _as_json(asyncapi_of(CONTRACTS))}


def _as_json(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
