"""What there is: the names that documentation may use, and has to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typer

from reference.cli import options_of, walk
from runledger.cli.app import application
from runledger.doctor.variables import known_names
from runledger.schemas.kafka_rights import RIGHTS
from runledger.schemas.topics import ALL_TOPICS
from runledger.vitals.metrics import ALL_METRICS

ROOT = Path(__file__).parents[1]
_TOOLS = ("tests", "benchmarks", "Makefile", ".ci", "Dockerfile", "docker-compose.yml", "examples")
"""Who works on Runledger sets variables for these: they may be named, and need not be."""
_SOURCES = ("py", "sql", "html", "js", "css", "toml", "yml", "yaml", "json", "ts", "properties")
_PACKAGES = (
    ".ci",
    "Makefile",
    "pyproject.toml",
    "access",
    "analytics",
    "benchmarks",
    "contracts",
    "examples",
    "integrations",
    "processors",
    "producers",
    "runledger",
    "schemas",
    "scoring",
    "sinks",
    "subscribers",
    "watch",
)
ELSEWHERE = {
    "--password": "of any program: what is masked",
    "--token": "of any program: what is masked",
    "card_number": "a field of somebody's: what is masked",
    "checkpoint_timeout": "Postgres",
    "client_secret": "a field of somebody's: what is masked",
    "crawler-1": "somebody's agent",
    "crawler-16": "somebody's agent",
    "eos_token": "a field of somebody's: what is not masked",
    "exactly_once": "Faust",
    "max_wal_size": "Postgres",
    "next_page_token": "a field of somebody's: what is not masked",
    "num_retries": "LiteLLM",
    "package-dir": "setuptools",
    "pg_basebackup": "Postgres",
    "pg_dump": "Postgres",
    "produce_batch": "confluent-kafka",
    "rule_files": "Prometheus",
    "shared_buffers": "Postgres",
    "watermark_waiting": "watch/availability.py puts it together",
    "webhooks_waiting": "watch/availability.py puts it together",
}
"""{a name that no search finds in the code: whose it is}"""
_SETTING = re.compile(r"(?<![A-Za-z_])RUNLEDGER_[A-Z0-9_]*[A-Z0-9]")
_WORD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_DASHED = re.compile(r"[a-z0-9_]+(?:-[a-z0-9_]+)+")
_TARGET = re.compile(r"^([a-z][a-z0-9-]*):", re.MULTILINE)
_DOTTED = re.compile(r"\brunledger\.[a-z][a-z0-9_.-]*[a-z0-9]")
_QUOTED = re.compile(r'"([a-z_]+\.[a-z_]+)"')
_GROUP = re.compile(r"topic_prefix\}([a-z][a-z-]*)")
_RELATION = re.compile(r"^### `(?P<name>\w+)`\n(?P<body>(?:(?!^#).*\n)*)", re.MULTILINE)
_COLUMN = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Names:
    """All that may be named.

    Args:
        settings: variables that Runledger reads, RUNLEDGER_….
        tools: variables that its tests and benchmarks read.
        topics: without their prefix.
        metrics: as they are exposed.
        tables: {table or view: its columns}.
        commands: {words behind `runledger`: options}, groups too.
        targets: of make.
        words: every name with underscores or dashes in the code, those in quotes with a dot, and known ones of others.
        dotted: every name that begins with `runledger.`: topics, groups of consumers, modules, kinds of events.
    """

    settings: frozenset[str]
    tools: frozenset[str]
    topics: frozenset[str]
    metrics: frozenset[str]
    tables: Mapping[str, frozenset[str]]
    commands: Mapping[str, frozenset[str]]
    targets: frozenset[str]
    words: frozenset[str]
    dotted: frozenset[str]


@cache
def names_of_code() -> Names:
    """Gather what the code has; tables from the page that an integration test holds against the database."""
    sources = list(_texts(_PACKAGES))
    topics = frozenset(topic.suffix for topic in ALL_TOPICS)
    groups = {group for text in sources for group in _GROUP.findall(text)}
    owned = {rights.owns for rights in RIGHTS.values() if rights.owns is not None}
    return Names(
        settings=known_names(),
        tools=frozenset(found for text in _texts(_TOOLS) for found in _SETTING.findall(text)),
        topics=topics,
        metrics=frozenset(metric.name for metric in ALL_METRICS),
        tables=tables_of((ROOT / "docs" / "reference" / "tables.md").read_text(encoding="utf-8")),
        commands={path: _options(command) for path, command in walk(typer.main.get_command(application()))},
        targets=frozenset(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))),
        words=frozenset(ELSEWHERE)
        | {name for text in sources for of in (_WORD, _DASHED, _QUOTED) for name in of.findall(text)},
        dotted=frozenset(
            {f"runledger.{name}" for name in topics | groups | owned}
            | set(_modules())
            | {found for text in sources for found in _DOTTED.findall(text)}
        ),
    )


def tables_of(page: str) -> dict[str, frozenset[str]]:
    """Read {table or view: its columns} from the page of the tables."""
    return {found["name"]: frozenset(_COLUMN.findall(found["body"])) for found in _RELATION.finditer(page)}


def _modules() -> Iterator[str]:
    """Name every module as it is imported."""
    for package in _PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            parts = file.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts if parts[0] == "runledger" else ("runledger", *parts)).removesuffix(".__init__")


def _options(command: Any) -> frozenset[str]:  # noqa: ANN401  # typer's own classes are private
    return frozenset(name for it in options_of(command) for name in (*it.opts, *it.secondary_opts)) | {"--help"}


def _texts(places: Iterable[str]) -> Iterator[str]:
    """Give the text of every file of ours in some places: folders, or files."""
    for place in places:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            foreign = any(part.is_symlink() or part.name == "node_modules" for part in file.parents)
            if file.is_file() and not foreign and (file == path or file.suffix[1:] in _SOURCES):
                yield file.read_text(encoding="utf-8", errors="replace")
