"""Names of variables: none that our code reads is called misspelt."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic_settings import BaseSettings

from runledger.doctor.variables import SETTINGS, known_names
from runledger.producers.mcp_server.settings import McpSettings

ROOT = Path(__file__).parents[4]
PACKAGES = (
    "access",
    "analytics",
    "integrations",
    "processors",
    "producers",
    "runledger",
    "schemas",
    "scoring",
    "sinks",
    "watch",
)
_CLASS = re.compile(r"^class (\w+Settings)\(", re.M)
_NAME = re.compile(r"""["']RUNLEDGER_[A-Z_]*[A-Z]["']""")


def sources() -> list[str]:
    files = {file.resolve() for package in PACKAGES for file in (ROOT / package).rglob("*.py")}
    return [file.read_text(encoding="utf-8") for file in sorted(files) if "doctor" not in file.parts]


def test_every_settings_class_is_asked() -> None:
    named = {name for text in sources() for name in _CLASS.findall(text)}
    classes: list[type[BaseSettings]] = [*SETTINGS.values(), McpSettings]
    asked = {base.__name__ for settings in classes for base in settings.__mro__}
    assert named - asked <= {"AgentSettings"}  # a record, not of the environment


def test_every_variable_that_is_read_is_known() -> None:
    read = {found.strip("\"'") for text in sources() for found in _NAME.findall(text)}
    assert len(read) > 5
    assert read <= known_names()


def test_variables_of_the_mcp_server_are_known_without_its_packages() -> None:
    assert {f"RUNLEDGER_{name.upper()}" for name in McpSettings.model_fields} <= known_names()
