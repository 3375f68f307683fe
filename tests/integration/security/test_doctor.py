"""The doctor where TLS, passwords and rights are asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

import orjson
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runledger.sinks.migrate import migrate
from tests import documents
from tests.certificates import Authority
from tests.integration.security.rights import admit, login
from tests.secure_servers import SecureBroker

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WRONG = "marked-wrong-9c"


def doctor(environment: Mapping[str, str]) -> list[dict[str, str]]:
    """What it finds; it never shows a password."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
    done = subprocess.run(
        [sys.executable, "-m", "runledger", "doctor", "--json"],
        env=kept | dict(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    for name in ("RUNLEDGER_KAFKA_PASSWORD", "RUNLEDGER_KAFKA_KEY_PASSWORD"):
        assert environment.get(name, "\0") not in done.stdout + done.stderr
    found: list[dict[str, str]] = orjson.loads(done.stdout)["findings"]
    return found


def of(findings: list[dict[str, str]], check: str) -> dict[str, str]:
    return next(one for one in findings if one["check"] == check)


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    """Makes certificates that nobody here trusts."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    return Authority(folder)


def wrong(broker: SecureBroker, stranger: Authority) -> dict[str, tuple[dict[str, str], str, str]]:
    """{case: (environment, what is found, which setting mends it)}."""
    pair = stranger.sign("stranger", "127.0.0.1")
    shown = {"RUNLEDGER_KAFKA_CERTIFICATE": str(pair.certificate), "RUNLEDGER_KAFKA_KEY": str(pair.key)}
    no_certificate = broker.over_tls()
    for name in shown:
        del no_certificate[name]
    return {
        "authority": (
            broker.over_sasl(RUNLEDGER_KAFKA_CA=str(stranger.certificate)),
            "do not trust who signed",
            "RUNLEDGER_KAFKA_CA",
        ),
        "host": (
            broker.over_sasl(RUNLEDGER_KAFKA=broker.sasl.replace("127.0.0.1", "localhost")),
            "certificate is for another host",
            "RUNLEDGER_KAFKA",
        ),
        "expired": (broker.over_tls(RUNLEDGER_KAFKA=broker.expired), "expired", "renewed"),
        "stranger": (broker.over_tls(**shown), "TLS", "RUNLEDGER_KAFKA_CERTIFICATE"),
        "no certificate": (no_certificate, "TLS", "RUNLEDGER_KAFKA_CERTIFICATE"),
        "password": (
            broker.over_sasl(RUNLEDGER_KAFKA_PASSWORD=WRONG),
            "refuses the user pipeline",
            "RUNLEDGER_KAFKA_PASSWORD",
        ),
        "plain text": ({"RUNLEDGER_KAFKA": broker.sasl}, "hangs up", "RUNLEDGER_KAFKA_SECURITY_PROTOCOL"),
    }


CASES = ("authority", "host", "expired", "stranger", "no certificate", "password", "plain text")


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_with_tls_or_sasl_is_told_by_its_setting(
    case: str, broker: SecureBroker, stranger: Authority, database: str
) -> None:
    environment, said, setting = wrong(broker, stranger)[case]
    found = of(doctor(environment | {"RUNLEDGER_POSTGRES": database}), "broker")
    assert found["verdict"] == "problem"
    assert said in found["found"], found
    assert setting in found["remedy"], found


def test_with_the_documented_rights_nothing_is_hidden_from_it(broker: SecureBroker, database: str) -> None:
    prefix = f"doctor-{uuid.uuid4().hex[:8]}."
    users = admit(broker, prefix)
    migrate(database)
    migration = os.environ | users["migration"] | {"RUNLEDGER_POSTGRES": database}
    subprocess.run([sys.executable, "-m", "runledger", "migrate"], env=migration, check=True, timeout=60)
    name = f"my_doctor_{uuid.uuid4().hex[:8]}"
    make, grant = documents.example("docs/doctor.md", "sql").replace("my_doctor", name).splitlines()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(make.encode())
    own = make_conninfo(database, user=name, password="choose one")  # noqa: S106  # the page's own words
    version = of(doctor(users["doctor"] | {"RUNLEDGER_POSTGRES": own}), "tables")
    assert version["verdict"] == "unknown"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(grant.encode())

    findings = doctor(users["doctor"] | {"RUNLEDGER_POSTGRES": own})

    assert [one for one in findings if one["verdict"] == "unknown"] == []
    assert of(findings, "topic settings")["verdict"] == "ok"
    assert of(findings, "processor")["found"].startswith("no processor runs")


def test_without_them_it_says_what_it_may_not_see(broker: SecureBroker, database: str) -> None:
    prefix = f"doctor-{uuid.uuid4().hex[:8]}."
    users = admit(broker, prefix)
    migrate(database)
    migration = os.environ | users["migration"] | {"RUNLEDGER_POSTGRES": database}
    subprocess.run([sys.executable, "-m", "runledger", "migrate"], env=migration, check=True, timeout=60)

    findings = doctor(users["sink"] | {"RUNLEDGER_POSTGRES": login(database, "runledger_write")})

    for check, right in (
        ("broker settings", "DescribeConfigs on the cluster"),
        ("topic settings", "DescribeConfigs on the topics"),
        ("topics", "Describe on the topics"),
        ("processor", "Describe on the group"),
        ("sessions", "pg_read_all_stats"),
        ("watermark", "runledger_read"),
    ):
        found = of(findings, check)
        assert found["verdict"] == "unknown", found
        assert right in found["remedy"] + found["command"], found
    assert of(findings, "topics")["found"].startswith("we may not see")
    with psycopg.connect(database) as connection:  # the looks have left nothing
        assert connection.execute("SELECT count(*) FROM consumer_offset").fetchone() == (0,)
