"""The golden examples, each with the message that it is one of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

import runledger.schemas
from runledger.contracts.contracts import Contract

EXAMPLES = Path(runledger.schemas.__file__).parent / "examples"
REFUSED = "refused"
"""Folder beside a topic's examples: what its contract refuses."""


def examples_of(contract: Contract, message: type[Any]) -> list[Any]:
    """Return the examples of one message, in the order of their files."""
    folder = EXAMPLES / contract.topic.suffix
    documents = [orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    return [document for document in documents if len(contract.messages) == 1 or document["type"] == _type_of(message)]


def _type_of(message: type[Any]) -> str:
    """What stands under `type` in every record of the message."""
    models: dict[str, Any] = getattr(message, "model_fields", None) or message.__dataclass_fields__
    return str(models["type"].default)
