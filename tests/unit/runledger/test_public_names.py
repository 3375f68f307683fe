from __future__ import annotations

import subprocess
import sys

import pytest

import runledger
import runledger.producers
import runledger.subscribers

HEAVY = ("pydantic", "confluent_kafka", "faust", "psycopg", "structlog", "typer", "sqlalchemy", "fastapi")
SERVER_ONLY = ("faust", "psycopg", "structlog", "typer", "rich", "sqlalchemy", "alembic", "genai_prices")


def modules_after(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_every_public_name_is_the_producers_or_the_subscribers_own() -> None:
    for name in runledger.__all__:
        homes = [home for home in (runledger.producers, runledger.subscribers) if name in home.__all__]
        assert [getattr(home, name) for home in homes] == [getattr(runledger, name)]


def test_public_names_are_listed() -> None:
    assert set(runledger.__all__) <= set(dir(runledger))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'RunKlient'"):
        runledger.RunKlient  # noqa: B018  # looked up for its error


def test_importing_the_package_loads_nothing() -> None:
    assert not modules_after("import runledger") & set(HEAVY)


def test_the_sdk_loads_no_server_dependency() -> None:
    assert not modules_after("from runledger import RunClient, write_run_log") & set(SERVER_ONLY)
