"""The AsyncAPI document is one by the official JSON Schema of AsyncAPI 3.0."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft7Validator

from runledger.contracts.files import ASYNCAPI, FOLDER

pytestmark = pytest.mark.tools

OFFICIAL = Path(__file__).parent / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
DOCUMENT: dict[str, Any] = json.loads((FOLDER / ASYNCAPI).read_text())


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    """The schema that AsyncAPI publishes."""
    assert OFFICIAL.exists(), "npm has not installed it: make test-tools"
    return Draft7Validator(json.loads(OFFICIAL.read_text()), validate_formats=True)


def test_the_document_is_valid(official: Draft7Validator) -> None:
    assert [f"{error.instance_path}: {error.message}" for error in official.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    "spoilt",
    [
        ("info", "title", None),
        ("operations", "tell-runs", {"action": "shout", "channel": {"$ref": "#/channels/runs"}}),
        ("channels", "runs", {"address": 7}),
        ("components", "schemas", {"RunSnapshot": {"type": "run"}}),
        (
            "components",
            "messages",
            {"RunSnapshot": {"bindings": {"kafka": {"key": {"type": "run"}, "bindingVersion": "0.5.0"}}}},
        ),
    ],
    ids=lambda spoilt: "-".join(map(str, spoilt[:2])),
)
def test_a_spoilt_document_is_refused(official: Draft7Validator, spoilt: tuple[str, str, object]) -> None:
    """So that the test above would notice."""
    part, name, value = spoilt
    document = copy.deepcopy(DOCUMENT)
    document[part][name] = value
    assert not official.is_valid(document)
