"""Every setting, from the classes that read them."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from reference.markdown import code, page, prose, section, table
from runledger.doctor.variables import OTHERS, SETTINGS
from runledger.producers.mcp_server.settings import McpSettings
from runledger.vitals.settings import VitalsSettings

READERS: dict[str, type[BaseSettings]] = {
    "clients": SETTINGS["producer"],
    "processor": SETTINGS["processor"],
    "sink": SETTINGS["sink"],
    "relay": SETTINGS["sink"],
    "scorer": SETTINGS["scorer"],
    "watch": SETTINGS["watch"],
    "gateway": SETTINGS["gateway"],
    "mcp": McpSettings,
    "api": SETTINGS["api"],
    "dashboard": SETTINGS["dashboard"],
    "dashboard ": SETTINGS["dashboard's backstage"],
}
"""{who reads them: a settings class}; two classes of one reader differ by white space."""
_HEAD = ("variable", "value", "default", "meaning")
_UNITS = {
    "seconds": "seconds",
    "hours": "hours",
    "days": "days",
    "bytes": "bytes",
    "records": "records",
    "events": "events",
    "jobs": "jobs",
}
_SHARE = "share"
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_INITIALS = {"Api": "API", "Mcp": "MCP"}
_MIB = 1024 * 1024
_INTRO = """
Every setting is an environment variable. Its section says who reads it: workers (`runledger worker NAME`), or
*clients*, which is the SDK in an agent's own process. Commands read those of the parts that they use: above all where
broker and database are. Lists are comma-separated. What the most important ones do stands in
[Operations](../operations.md#settings).
"""


def settings_page() -> str:
    """Write the page."""
    sections = (_section(owner, READERS) for owner in owners(READERS.values()))
    vitals = _section(VitalsSettings, {"workers": VitalsSettings})
    others = table(("variable", "meaning"), ([code(name), prose(meaning)] for name, meaning in OTHERS.items()))
    return page("Settings", _INTRO, *sections, vitals, section(2, "Others", others))


def owners(classes: Iterable[type[BaseSettings]]) -> list[type[BaseSettings]]:
    """List the classes that define settings, a base before what is made of it."""
    found = (base for each in classes for base in reversed(each.__mro__) if issubclass(base, BaseSettings))
    return [base for base in dict.fromkeys(found) if base is not BaseSettings and own_fields(base)]


def own_fields(owner: type[BaseSettings]) -> dict[str, FieldInfo]:
    """Return the settings that a class defines itself, or defines anew."""
    return {name: owner.model_fields[name] for name in inspect.get_annotations(owner) if name in owner.model_fields}


def unit_of(name: str, field: FieldInfo) -> str:
    """Say in what a number is counted; nothing where it says so itself."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return str(extra.get("x-unit") or _UNITS.get(name.rpartition("_")[2], ""))


def _section(owner: type[BaseSettings], readers: Mapping[str, type[BaseSettings]]) -> str:
    every = {name: _readers(owner, name, readers) for name in own_fields(owner)}
    usual = max(every.values(), key=len)
    about = f"{(owner.__doc__ or '').partition(chr(10) * 2)[0]} Read by {usual}."
    rows = (_row(name, field, "" if every[name] == usual else every[name]) for name, field in own_fields(owner).items())
    return section(2, _title(owner), prose(about), table(_HEAD, rows))


def _readers(owner: type[BaseSettings], name: str, readers: Mapping[str, type[BaseSettings]]) -> str:
    """Say who takes a setting from this class, and not from one that defines it anew."""
    by = dict.fromkeys(who.strip() for who, read in readers.items() if _defines(read, name) is owner)
    everybody = len(by) > 1 and by.keys() == {who.strip() for who in readers}
    return "all" if everybody else ", ".join(by)


def _title(owner: type[BaseSettings]) -> str:
    name = owner.__name__.removesuffix("Settings")
    return _INITIALS.get(name, re.sub(r"(?<=[a-z])[A-Z]", lambda letter: f" {letter[0].lower()}", name))


def _row(name: str, field: FieldInfo, readers: str) -> list[str]:
    unit = unit_of(name, field)
    return [
        code(f"RUNLEDGER_{name.upper()}"),
        _counted(_form(field.annotation), unit) + _bounds(field),
        _default(field, unit),
        prose(field.description or "") + (f" (read by {readers} alone)" if readers else ""),
    ]


def _counted(form: str, unit: str) -> str:
    return f"{form} of {unit}" if unit not in {"", _SHARE} else unit or form


def _defines(read: type[BaseSettings], name: str) -> type | None:
    return next((base for base in read.__mro__ if name in inspect.get_annotations(base)), None)


def _form(annotation: Any) -> str:  # noqa: ANN401  # any type at all
    """Say what may stand there."""
    known = {
        bool: "true or false",
        int: "whole number",
        float: "number",
        str: "text",
        Path: "file",
        SecretStr: "secret",
    }
    if annotation in known:
        return known[annotation]
    origin, inner = get_origin(annotation), [one for one in get_args(annotation) if one is not types.NoneType]
    if origin is Literal:
        return ", ".join(code(one) for one in inner)
    if origin in {Union, types.UnionType}:
        return _form(inner[0])
    if origin in {tuple, frozenset}:
        return "list of " + (_form(inner[0]) if get_origin(inner[0]) is Literal else "texts")
    return "JSON object" if origin is dict else "text"


def _bounds(field: FieldInfo) -> str:
    """Say which numbers are allowed."""
    rules = {of: _number(getattr(rule, of)) for rule in field.metadata for of in _BOUNDS if hasattr(rule, of)}
    if rules.keys() == {"ge", "le"}:
        return f", {rules['ge']} to {rules['le']}"
    told = " and ".join(f"{words} {rules[of]}" for of, words in _BOUNDS.items() if of in rules)
    return f", {told}" if told else ""


def _default(field: FieldInfo, unit: str) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple | frozenset):
        value = ",".join(sorted(value))
    match value:
        case None | "" | {}:
            return "none"
        case bool():
            return code(str(value).lower())
        case int() if unit == "bytes" and value % _MIB == 0:
            return f"{code(value)} ({value // _MIB:,} MiB)"
        case int() | float():
            return code(_number(value))
        case _:
            return code(value)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
