"""A pipeline of the tests' own with a dashboard, its story told."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from runledger import RunClient
from runledger.access.projects import create_key, create_project, set_public
from runledger.producers.settings import ProducerSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from runledger.stack.ports import choose_port
from runledger.topic_admin import ensure_topics
from tests.browser.story import FINISHED_RUNS, OTHER_PROJECT, PROJECT, tell_story
from tests.e2e.pipeline import Pipeline, pipeline, wait_for

_WORKERS = ("processor", "sink", "relay", "scorer", "watch")
_SECONDS = 90


@dataclass(frozen=True)
class Told:
    """A ledger to which the story was told, and its dashboard.

    Args:
        url: of the dashboard, without a slash at its end.
        settings: of the broker, the topics and the database.
        keys: {what it may: key of the project `default`}: `admin` may everything, `read` only read; `other` reads the
            other project.
    """

    url: str
    settings: ConnectionSettings
    keys: dict[str, str]

    def rows(self, sql: str, **named: object) -> list[dict[str, Any]]:
        """Ask the database: what a page shows is held against it."""
        with psycopg.connect(self.settings.postgres, row_factory=dict_row) as connection:
            return connection.execute(sql, named).fetchall()

    def value(self, sql: str, **named: object) -> Any:  # noqa: ANN401  # whatever the column holds
        """Ask for one value."""
        (row,) = self.rows(sql, **named)
        (value,) = row.values()
        return value

    def client(self) -> RunClient:
        """Make a client that tells the pipeline what agents do; close it."""
        known = ProducerSettings(kafka=self.settings.kafka, topic_prefix=self.settings.topic_prefix)
        return RunClient(settings=known, strict=True)


@dataclass(frozen=True)
class Site(Told):
    """Where the browser looks, and what stands behind it.

    Args:
        running: the pipeline's processes.
    """

    running: Pipeline


@contextmanager
def running_site(kafka: str, postgres: str, folder: Path, **environment: str) -> Iterator[Site]:
    """Run it for the length of a block; database and topics are its own."""
    name = f"browser_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    parts = psycopg.conninfo.conninfo_to_dict(postgres) | {"dbname": name}
    uri = psycopg.conninfo.make_conninfo(**parts)  # type: ignore[arg-type]  # every part is text
    settings = ConnectionSettings(kafka=kafka, postgres=uri, topic_prefix=f"{name}.")
    try:
        ensure_topics(settings)
        migrate(uri)
        keys = make_keys(uri)
        port = choose_port()
        environment |= {"RUNLEDGER_DASHBOARD_PORT": str(port), "RUNLEDGER_TIME_ZONE": "UTC"}
        with pipeline(settings, folder, (*_WORKERS, "dashboard"), **environment) as running:
            tell_story(settings)
            site = Site(f"http://127.0.0.1:{port}", settings, keys, running)
            wait_until_told(site)
            yield site
    finally:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def make_keys(uri: str) -> dict[str, str]:
    """Make the keys of `Told`, and let anybody see the default project's figures."""
    with psycopg.connect(uri, autocommit=True) as connection:
        create_project(connection, OTHER_PROJECT)
        set_public(connection, PROJECT, is_public=True)
        return {
            "admin": create_key(connection, PROJECT, ["emit", "read", "admin"]).text(),
            "read": create_key(connection, PROJECT, ["read"]).text(),
            "other": create_key(connection, OTHER_PROJECT, ["read"]).text(),
        }


def wait_until_told(site: Told) -> None:
    """Wait until all of the story stands in the tables, and the watermark is past it."""
    scored = "SELECT count(*) FROM agent_run_log WHERE project_key = %(project)s AND rlhf_scores IS NOT NULL"
    wait_for("all runs scored", lambda: site.value(scored, project=PROJECT) == FINISHED_RUNS, _SECONDS)
    wait_for("settings", lambda: site.value("SELECT count(*) FROM agent WHERE role IS NOT NULL") >= 7, _SECONDS)
    told_at = time.time() + 2  # an interval of one second is over by then
    reached = "SELECT extract(epoch FROM max(reached_at)) FROM pipeline_span"
    wait_for("the watermark", lambda: (site.value(reached) or 0) > told_at, _SECONDS)
    wait_for("the dashboard", lambda: _answers(site.url), _SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.HTTPError:
        return False
