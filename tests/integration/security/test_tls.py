"""The whole pipeline over TLS, and every way in which TLS or a password may be wrong."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from runledger import topic_admin
from runledger.access.errors import UnavailableError
from runledger.access.keyring import KeyRing
from runledger.access.keys import ApiKey
from runledger.analytics.database import Database
from runledger.analytics.errors import ReadUnavailableError
from runledger.processors.credentials import broker_credentials
from runledger.producers.client import RunClient
from runledger.producers.settings import ProducerSettings
from runledger.schemas.kafka_security import KafkaSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.errors import MigrationError
from runledger.sinks.migrate import migrate
from runledger.stack.health import KafkaView
from runledger.topic_admin import TopicError, ensure_topics
from tests import documents
from tests.certificates import Authority
from tests.e2e.pipeline import pipeline, wait_for
from tests.secure_servers import MASTER, PASSWORD, SecureBroker
from tests.tls_front import TlsFront

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WORKERS = ("processor", "sink", "relay", "scorer", "watch")
SECONDS = 60
WRONG = "marked-wrong-9b"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], None]:
    """Put variables into the environment, of this process and of those it starts."""

    def apply(environment: Mapping[str, str]) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return apply


@pytest.fixture
def prefix() -> str:
    return f"tls-{uuid.uuid4().hex[:8]}."


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    """Makes certificates that nobody here trusts."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    return Authority(folder)


def run(settings: ConnectionSettings) -> None:
    """Tell a run from its start to its end."""
    with RunClient(
        settings=ProducerSettings(kafka=settings.kafka, topic_prefix=settings.topic_prefix), strict=True
    ) as client:
        with client.run("default", "sage", summary="over TLS") as one:
            one.usage(input_tokens=3, output_tokens=4)
        client.flush(SECONDS)


def scored(uri: str) -> bool:
    """Whether the run has its row and its score, and the watch knows it."""
    with psycopg.connect(uri) as connection:
        found = connection.execute(
            "SELECT count(*) FROM agent_run_log WHERE rlhf_scores IS NOT NULL AND EXISTS (SELECT FROM pipeline_span)"
        ).fetchone()
    return found == (1,)


@pytest.mark.parametrize("way", ["certificate", "SCRAM-SHA-512"])
def test_a_run_goes_from_the_sdk_to_its_score_over_tls(
    way: str,
    broker: SecureBroker,
    front: TlsFront,
    tls_uri: str,
    prefix: str,
    use: Callable[[Mapping[str, str]], None],
    tmp_path: Path,
) -> None:
    use(broker.over_tls() if way == "certificate" else broker.over_sasl(mechanism=way))
    use({"RUNLEDGER_TOPIC_PREFIX": prefix, "RUNLEDGER_POSTGRES": tls_uri})
    settings = ConnectionSettings()
    ensure_topics(settings)
    migrate(settings.postgres)
    with pipeline(settings, tmp_path, WORKERS):
        run(settings)
        wait_for("row, score and watermark", lambda: scored(tls_uri), SECONDS)
    assert front.encrypted >= len(WORKERS) - 1
    assert front.in_plain_text == 0


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_every_mechanism_is_taken(
    mechanism: str, broker: SecureBroker, use: Callable[[Mapping[str, str]], None]
) -> None:
    use(broker.over_sasl(mechanism=mechanism))
    assert KafkaView(KafkaSettings()).answers()


def exported(script: str, stand_ins: Mapping[str, str]) -> dict[str, str]:
    """Have a shell read the page's lines, with what is there in place of what they name; return what it exports."""
    for shown, there in stand_ins.items():
        assert shown in script
        script = script.replace(shown, there)
    done = subprocess.run(
        ["sh", "-euc", f"{script}\nenv -0"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    variables = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    return {name: value for name, value in variables.items() if name.startswith("RUNLEDGER_")}


def test_the_lines_of_the_page_lead_in(
    broker: SecureBroker,
    front: TlsFront,
    tls_uri: str,
    authority: Authority,
    use: Callable[[Mapping[str, str]], None],
    tmp_path: Path,
) -> None:
    secret = tmp_path / "kafka"
    secret.write_text(f"{PASSWORD}\n")
    kafka = {
        "broker.example.org:9094": broker.sasl,
        "/etc/runledger/ca.pem": str(broker.authority.certificate),
        "runledger-sink": MASTER,
        "/run/secrets/kafka": str(secret),
    }
    use(exported(documents.example("docs/security.md", "sh", "RUNLEDGER_KAFKA="), kafka))
    postgres = {
        "postgresql://my_sink@db.example.org/ledger": tls_uri.partition("?")[0],
        "/etc/runledger/ca.pem": str(authority.certificate),
    }
    use(exported(documents.example("docs/security.md", "sh", "RUNLEDGER_POSTGRES="), postgres))
    assert KafkaView(KafkaSettings()).answers()
    psycopg.connect(ConnectionSettings().postgres).close()
    assert (front.encrypted, front.in_plain_text) == (1, 0)


def _wrong_authority(broker: SecureBroker, stranger: Authority) -> dict[str, str]:
    return broker.over_sasl(RUNLEDGER_KAFKA_CA=str(stranger.certificate))


def _wrong_host(broker: SecureBroker, _: Authority) -> dict[str, str]:
    return broker.over_sasl(RUNLEDGER_KAFKA=broker.sasl.replace("127.0.0.1", "localhost"))


def _expired(broker: SecureBroker, _: Authority) -> dict[str, str]:
    return broker.over_tls(RUNLEDGER_KAFKA=broker.expired)


def _certificate_of_a_stranger(broker: SecureBroker, stranger: Authority) -> dict[str, str]:
    pair = stranger.sign("stranger", "127.0.0.1")
    shown = {"RUNLEDGER_KAFKA_CERTIFICATE": str(pair.certificate), "RUNLEDGER_KAFKA_KEY": str(pair.key)}
    return broker.over_tls(**shown)


def _wrong_password(broker: SecureBroker, _: Authority) -> dict[str, str]:
    return broker.over_sasl(RUNLEDGER_KAFKA_PASSWORD=WRONG)


def _plain_text_at_a_listener_with_tls(broker: SecureBroker, _: Authority) -> dict[str, str]:
    return {"RUNLEDGER_KAFKA": broker.tls}


REFUSED = {
    "wrong authority": (_wrong_authority, "certificate could not be verified"),
    "wrong host name": (_wrong_host, "certificate could not be verified"),
    "expired": (_expired, "certificate could not be verified"),
    "wrong password": (_wrong_password, "invalid credentials"),
    "certificate of a stranger": (_certificate_of_a_stranger, ""),
    "plain text": (_plain_text_at_a_listener_with_tls, ""),
}
"""{what is wrong: (environment of a client, what it says)}; in the last two the broker hangs up without a word."""


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_broker_that_is_not_what_was_asked_for_is_refused(
    wrong: str,
    broker: SecureBroker,
    stranger: Authority,
    use: Callable[[Mapping[str, str]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, said = REFUSED[wrong]
    use(make(broker, stranger))
    monkeypatch.setattr(topic_admin, "_TIMEOUT_SECONDS", 3)
    with pytest.raises(TopicError) as refused:
        ensure_topics(ConnectionSettings())
    view = KafkaView(ConnectionSettings())
    assert not view.answers()
    for words in (str(refused.value), view.refusal()):
        assert said in words
        assert PASSWORD not in words
        assert WRONG not in words


# aiokafka forgets the transport of a refused handshake; it is found here, and not in a later test.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("wrong", [name for name in REFUSED if name != "plain text"])
def test_a_processor_is_refused_as_well(
    wrong: str, broker: SecureBroker, stranger: Authority, use: Callable[[Mapping[str, str]], None]
) -> None:
    """Faust's client is another one, in Python."""
    use(REFUSED[wrong][0](broker, stranger))
    settings = KafkaSettings()
    wanted: Any = dict(credentials_to_aiokafka_auth(broker_credentials(settings)))

    async def connect() -> None:
        consumer: Any = AIOKafkaConsumer(bootstrap_servers=settings.kafka, **wanted)  # type: ignore[no-untyped-call]
        try:
            await consumer.start()
        finally:
            await consumer.stop()

    with pytest.raises(KafkaError) as refused:
        asyncio.run(connect())
    gc.collect()
    assert WRONG not in str(refused.value)
    assert PASSWORD not in str(refused.value)


def _other_ca(uri: str, front: TlsFront, stranger: Authority) -> str:
    return uri.rpartition("=")[0] + f"={stranger.certificate}"


def _other_host(uri: str, front: TlsFront, stranger: Authority) -> str:
    return uri.replace("@127.0.0.1", "@localhost")


def _out_of_date(uri: str, front: TlsFront, stranger: Authority) -> str:
    front.show(stranger.sign("expired", "127.0.0.1", expired=True))
    return _other_ca(uri, front, stranger)


def _other_password(uri: str, front: TlsFront, stranger: Authority) -> str:
    return uri.replace(f":{urlsplit(uri).password}@", f":{WRONG}@")


def _no_tls_at_the_server(uri: str, front: TlsFront, stranger: Authority) -> str:
    return uri.replace(f":{front.port}/", f":{front.server[1]}/")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_other_ca, "certificate verify failed"),
        (_other_host, 'does not match host name "localhost"'),
        (_out_of_date, "certificate verify failed"),
        (_other_password, "password authentication failed"),
        (_no_tls_at_the_server, "server does not support SSL, but SSL was required"),
    ],
    ids=["wrong authority", "wrong host name", "expired", "wrong password", "server without TLS"],
)
async def test_a_database_that_is_not_what_was_asked_for_is_refused(
    make: Callable[[str, TlsFront, Authority], str], said: str, tls_uri: str, front: TlsFront, stranger: Authority
) -> None:
    uri = make(tls_uri, front, stranger)
    with pytest.raises(MigrationError) as refused:
        migrate(uri)
    assert said in str(refused.value)
    assert WRONG not in str(refused.value)
    assert str(urlsplit(tls_uri).password) not in str(refused.value)
    async with KeyRing(uri) as keys, Database(uri) as tables:
        with pytest.raises(UnavailableError):
            await keys.authenticate(ApiKey.new().text())
        with pytest.raises(ReadUnavailableError):
            await tables.answer(lambda connection: connection.execute("SELECT 1"))
    assert front.in_plain_text == 0
