from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer
from faust.auth import SASLCredentials, SSLCredentials
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from pydantic import ValidationError

from runledger.analytics.http.settings import ApiSettings
from runledger.processors.credentials import broker_credentials
from runledger.processors.settings import ProcessorSettings
from runledger.producers.gateway.settings import GatewaySettings
from runledger.producers.mcp_server import McpSettings
from runledger.schemas.kafka_security import KafkaSettings, kafka_client, tls_context
from runledger.schemas.settings import ConnectionSettings
from runledger.scoring.settings import ScoringSettings
from runledger.sinks.settings import SinkSettings
from runledger.stack import Plan, StackError
from runledger.watch.settings import WatchSettings
from tests.certificates import KEY_PASSWORD, Authority, Pair

MARK = "marked-7f3a"
SASL: dict[str, Any] = {"kafka_sasl_mechanism": "SCRAM-SHA-512", "kafka_username": "agents", "kafka_password": MARK}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.sign("client", "localhost")


def test_plain_text_is_the_default_and_says_so() -> None:
    assert kafka_client(KafkaSettings(kafka="a:1,b:2")) == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "plaintext",
        "log_level": 2,
    }


def test_every_setting_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, pair: Pair
) -> None:
    for name, value in {
        "": "broker:9093",
        "_SECURITY_PROTOCOL": "sasl_ssl",
        "_CA": str(authority.certificate),
        "_CERTIFICATE": str(pair.certificate),
        "_KEY": str(pair.locked_key),
        "_KEY_PASSWORD": KEY_PASSWORD,
        "_SASL_MECHANISM": "SCRAM-SHA-512",
        "_USERNAME": "agents",
        "_PASSWORD": MARK,
    }.items():
        monkeypatch.setenv(f"RUNLEDGER_KAFKA{name}", value)

    assert kafka_client(ConnectionSettings()) == {
        "bootstrap.servers": "broker:9093",
        "security.protocol": "sasl_ssl",
        "log_level": 2,
        "enable.ssl.certificate.verification": True,
        "ssl.endpoint.identification.algorithm": "https",
        "ssl.ca.location": str(authority.certificate),
        "ssl.certificate.location": str(pair.certificate),
        "ssl.key.location": str(pair.locked_key),
        "ssl.key.password": KEY_PASSWORD,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "agents",
        "sasl.password": MARK,
    }


def test_librdkafka_takes_the_configuration(authority: Authority, pair: Pair) -> None:
    settings = KafkaSettings(
        kafka="127.0.0.1:1",
        kafka_security_protocol="sasl_ssl",
        kafka_ca=authority.certificate,
        kafka_certificate=pair.certificate,
        kafka_key=pair.key,
        **SASL,
    )
    Consumer({**kafka_client(settings), "group.id": "any", "log_level": 0}).close()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_faust_is_given_the_same(mechanism: str, authority: Authority) -> None:
    settings = KafkaSettings.model_validate(
        {
            "kafka_security_protocol": "sasl_ssl",
            "kafka_ca": authority.certificate,
            **SASL,
            "kafka_sasl_mechanism": mechanism,
        }
    )
    credentials = broker_credentials(settings)
    assert isinstance(credentials, SASLCredentials)
    given = dict(credentials_to_aiokafka_auth(credentials))
    context = given.pop("ssl_context")
    assert given == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "agents",
        "sasl_plain_password": MARK,
    }
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_faust_speaks_tls_alone_or_plain_text(authority: Authority) -> None:
    over_tls = broker_credentials(KafkaSettings(kafka_security_protocol="ssl", kafka_ca=authority.certificate))
    assert isinstance(over_tls, SSLCredentials)
    assert broker_credentials(KafkaSettings()) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_ca": "ca.pem"}, "RUNLEDGER_KAFKA_CA is set, but RUNLEDGER_KAFKA_SECURITY_PROTOCOL is plaintext"),
        ({"kafka_security_protocol": "ssl", **SASL}, "RUNLEDGER_KAFKA_SASL_MECHANISM is set, but"),
        ({"kafka_password": MARK}, "RUNLEDGER_KAFKA_PASSWORD is set, but RUNLEDGER_KAFKA_SECURITY_PROTOCOL is plain"),
        (
            {"kafka_security_protocol": "sasl_ssl", "kafka_sasl_mechanism": "PLAIN", "kafka_username": "x"},
            "RUNLEDGER_KAFKA_PASSWORD is missing: sasl_ssl needs it",
        ),
        (
            {"kafka_security_protocol": "sasl_ssl", "kafka_username": "x", "kafka_password": MARK},
            "RUNLEDGER_KAFKA_SASL_MECHANISM is missing",
        ),
        ({"kafka_security_protocol": "ssl", "kafka_certificate": "c.pem"}, "RUNLEDGER_KAFKA_KEY is missing"),
        ({"kafka_security_protocol": "ssl", "kafka_key": "k.pem"}, "RUNLEDGER_KAFKA_CERTIFICATE is missing"),
        ({"kafka_security_protocol": "ssl", "kafka_key_password": MARK}, "RUNLEDGER_KAFKA_KEY is missing"),
        (
            {"kafka_security_protocol": "sasl_plaintext", **SASL, "kafka_sasl_mechanism": "PLAIN"},
            "the password would travel readable",
        ),
        ({"kafka_security_protocol": "ssl", "kafka_ca": "/nowhere/ca.pem"}, "RUNLEDGER_KAFKA_CA cannot be used: No su"),
        (
            {"kafka_security_protocol": "ssl", "kafka_certificate": "/nowhere/c", "kafka_key": "/nowhere/k"},
            "RUNLEDGER_KAFKA_CERTIFICATE and RUNLEDGER_KAFKA_KEY cannot be used",
        ),
    ],
    ids=range(11),
)
def test_contradictions_are_refused_by_the_names_of_settings(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KafkaSettings.model_validate(given)
    assert said in str(refused.value)
    assert MARK not in str(refused.value)


@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_locked_key_needs_its_password(authority: Authority, pair: Pair, password: str | None) -> None:
    settings = {
        "kafka_security_protocol": "ssl",
        "kafka_ca": authority.certificate,
        "kafka_certificate": pair.certificate,
        "kafka_key": pair.locked_key,
    }
    with pytest.raises(ValidationError, match="RUNLEDGER_KAFKA_KEY_PASSWORD"):
        KafkaSettings.model_validate({**settings, "kafka_key_password": password})
    assert tls_context(KafkaSettings.model_validate({**settings, "kafka_key_password": KEY_PASSWORD})) is not None


def test_a_key_of_another_certificate_is_refused(authority: Authority, pair: Pair) -> None:
    other = authority.sign("other", "localhost")
    with pytest.raises(ValidationError, match="RUNLEDGER_KAFKA_CERTIFICATE and RUNLEDGER_KAFKA_KEY"):
        KafkaSettings(kafka_security_protocol="ssl", kafka_certificate=pair.certificate, kafka_key=other.key)


@pytest.mark.parametrize(
    "kind",
    [
        ApiSettings,
        ConnectionSettings,
        GatewaySettings,
        McpSettings,
        ProcessorSettings,
        ScoringSettings,
        SinkSettings,
        WatchSettings,
    ],
)
def test_no_repr_and_no_refusal_shows_a_secret(
    kind: type[ConnectionSettings], monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    monkeypatch.setenv("RUNLEDGER_POSTGRES", f"postgresql://u:{MARK}@h/d")
    monkeypatch.setenv("RUNLEDGER_POSTGRES_READ", f"postgresql://r:{MARK}@h/d")
    monkeypatch.setenv("RUNLEDGER_API_KEY", MARK)
    monkeypatch.setenv("RUNLEDGER_KAFKA_SECURITY_PROTOCOL", "sasl_ssl")
    monkeypatch.setenv("RUNLEDGER_KAFKA_CA", str(authority.certificate))
    for name, value in SASL.items():
        monkeypatch.setenv(f"RUNLEDGER_{name.upper()}", value)
    settings = kind()
    assert MARK not in repr(settings)
    assert MARK not in str(settings)
    for variable, nonsense in {
        "RUNLEDGER_PARTITIONS": "none",
        "RUNLEDGER_KAFKA_SECURITY_PROTOCOL": MARK,
        "RUNLEDGER_KAFKA_CA": "/nowhere",
    }.items():
        with monkeypatch.context() as broken:
            broken.setenv(variable, nonsense)
            with pytest.raises(ValidationError) as refused:
                kind()
            assert MARK not in str(refused.value)


def test_the_local_stacks_own_broker_offers_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNLEDGER_KAFKA", raising=False)
    monkeypatch.setenv("RUNLEDGER_KAFKA_SECURITY_PROTOCOL", "ssl")
    with pytest.raises(StackError, match="RUNLEDGER_KAFKA_SECURITY_PROTOCOL is set and RUNLEDGER_KAFKA is not"):
        Plan.from_environment()
