"""Servers that are not there, or not what they are taken for."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from tests.faults.proxy import Proxy
from tests.faults.servers import own_kafka
from tests.integration.doctor.setup import Setup

pytestmark = pytest.mark.integration

NOBODY = "127.0.0.1:1"


def test_both_servers_gone_are_told_within_seconds(setup: Setup) -> None:
    kafka = setup.environment["RUNLEDGER_KAFKA"]
    setup.environment |= {"RUNLEDGER_KAFKA": NOBODY, "RUNLEDGER_POSTGRES": f"postgresql://postgres@{NOBODY}/x"}
    began = time.monotonic()
    report = setup.doctor_command()
    assert time.monotonic() - began < 20
    assert report.code == 3
    assert "nobody listens there" in report.of("broker")["found"]
    assert "RUNLEDGER_KAFKA" in report.of("broker")["remedy"]
    assert "no database server listens there" in report.of("database")["found"]
    assert "RUNLEDGER_POSTGRES" in report.of("database")["remedy"]
    assert report.of("topics")["verdict"] == report.of("tables")["verdict"] == "unknown"

    setup.environment |= {"RUNLEDGER_KAFKA": kafka, "RUNLEDGER_POSTGRES": setup.connection.postgres}
    report = setup.doctor_command()
    assert report.of("broker")["verdict"] == report.of("database")["verdict"] == "ok"


def test_servers_that_never_answer_do_not_hold_it_up(setup: Setup) -> None:
    """A listener that takes connections and says nothing, for both."""
    with Proxy("127.0.0.1", 9, 0) as silent:
        address = f"127.0.0.1:{silent.port}"
        setup.environment |= {"RUNLEDGER_KAFKA": address, "RUNLEDGER_POSTGRES": f"postgresql://postgres@{address}/x"}
        began = time.monotonic()
        report = setup.doctor_command("--timeout", "6")
        assert time.monotonic() - began < 15
    assert report.code == 3


@pytest.mark.parametrize(
    ("kafka", "said", "remedy"),
    [
        ("no-such-host.invalid:9092", "no host is called no-such-host.invalid", "host that exists"),
        ("127.0.0.1", "host:port", "host:port"),
    ],
    ids=["host", "form"],
)
def test_an_address_that_is_none_is_told(kafka: str, said: str, remedy: str, setup: Setup) -> None:
    setup.environment["RUNLEDGER_KAFKA"] = kafka
    found = setup.doctor_command().of("broker")
    assert found["verdict"] == "problem"
    assert said in found["found"]
    assert remedy in found["remedy"]


def test_tls_at_a_listener_in_plain_text_is_told(setup: Setup) -> None:
    setup.environment["RUNLEDGER_KAFKA_SECURITY_PROTOCOL"] = "ssl"
    found = setup.doctor_command().of("broker")
    assert found["verdict"] == "problem"
    assert "TLS" in found["found"]
    assert "RUNLEDGER_KAFKA" in found["remedy"]
    del setup.environment["RUNLEDGER_KAFKA_SECURITY_PROTOCOL"]
    assert setup.doctor_command().of("broker")["verdict"] == "ok"


@pytest.mark.slow
def test_brokers_whose_own_addresses_cannot_be_reached_are_told(setup: Setup) -> None:
    proxies: list[Proxy] = []

    def proxy_to(port: int) -> Proxy:
        proxies.append(Proxy("127.0.0.1", port))
        return proxies[0]

    with own_kafka(proxy_to) as broker:
        properties = (broker.folder / "kafka" / "server.properties").read_text()
        listener = re.search(r"listeners=PLAINTEXT://([0-9.:]+)", properties)
        assert listener is not None
        proxies[0].close()
        setup.environment["RUNLEDGER_KAFKA"] = listener[1]
        found = setup.doctor_command().of("broker")
    assert found["verdict"] == "problem"
    assert broker.address in found["found"]
    assert "advertised.listeners" in found["remedy"]


def test_without_any_server_the_way_to_one_is_told(setup: Setup, tmp_path: Path) -> None:
    for name in ("RUNLEDGER_KAFKA", "RUNLEDGER_POSTGRES"):
        del setup.environment[name]
    report = setup.doctor_command("--data-dir", str(tmp_path / "nothing"))
    assert report.code == 3
    assert report.of("servers")["command"] == "runledger up"
    assert report.of("topics")["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("parts", "said", "remedy"),
    [
        ({"dbname": "missing"}, "no such database", "CREATE DATABASE"),
        ({"host": "no-such-host.invalid"}, "no host is called so", "host that exists"),
        (None, "no connection URI", "postgresql://"),
    ],
    ids=["database", "host", "form"],
)
def test_a_database_that_is_not_there_is_told(
    parts: dict[str, str] | None, said: str, remedy: str, setup: Setup
) -> None:
    uri = "postgres:secret@host" if parts is None else make_conninfo(setup.connection.postgres, **parts)
    setup.environment["RUNLEDGER_POSTGRES"] = uri
    report = setup.doctor_command()
    found = report.of("database")
    assert found["verdict"] == "problem"
    assert said in found["found"]
    assert remedy in found["remedy"]
    assert "secret" not in report.text
