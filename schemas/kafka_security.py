"""How clients reach Kafka: addresses, TLS and SASL, from settings into the configuration of every client.

Nothing here falls back: a client that was told to use TLS uses it, checks the broker's certificate and host name, and
does not connect where either is wrong.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Literal, Self, TypeAlias

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ClientConfig: TypeAlias = dict[str, str | int | float | bool]

_TLS = "ssl or sasl_ssl"
_SASL = "sasl_ssl or sasl_plaintext"


class KafkaSettings(BaseSettings):
    """Where the broker is and how to speak to it, read from the environment with prefix RUNLEDGER_.

    Raises:
        ValidationError: settings that contradict each other, or files that cannot be used; it names the variable and
            never shows a value.
    """

    model_config = SettingsConfigDict(env_prefix="RUNLEDGER_", frozen=True, hide_input_in_errors=True)

    kafka: str = Field(default="127.0.0.1:9092", description="Kafka bootstrap servers, host:port,…")
    kafka_security_protocol: Literal["plaintext", "ssl", "sasl_ssl", "sasl_plaintext"] = Field(
        default="plaintext", description="how to speak to Kafka; nothing else is ever tried"
    )
    kafka_ca: Path | None = Field(
        default=None, description="PEM file of the authorities that sign brokers' certificates; the system's if unset"
    )
    kafka_certificate: Path | None = Field(default=None, description="PEM file of the client's own certificate chain")
    kafka_key: Path | None = Field(default=None, description="PEM file of that certificate's key")
    kafka_key_password: SecretStr | None = Field(default=None, description="password of the key, if it has one")
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, description="how to prove the name"
    )
    kafka_username: str | None = Field(default=None, min_length=1, description="SASL user name")
    kafka_password: SecretStr | None = Field(default=None, min_length=1, description="SASL password")

    @property
    def kafka_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.kafka_security_protocol in {"ssl", "sasl_ssl"}

    @property
    def kafka_sasl(self) -> bool:
        """Whether a name and a password are told to the broker."""
        return self.kafka_security_protocol in {"sasl_ssl", "sasl_plaintext"}

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        """Refuse what would be ignored, or would send a password for everybody to read."""
        for name in ("ca", "certificate", "key", "key_password"):
            if not self.kafka_tls and getattr(self, f"kafka_{name}") is not None:
                raise ValueError(self._useless(name, _TLS))
        for name in ("sasl_mechanism", "username", "password"):
            given = getattr(self, f"kafka_{name}") is not None
            if given and not self.kafka_sasl:
                raise ValueError(self._useless(name, _SASL))
            if self.kafka_sasl and not given:
                raise ValueError(f"{_variable(name)} is missing: {self.kafka_security_protocol} needs it")
        if (self.kafka_certificate is None) != (self.kafka_key is None):
            missing, there = ("key", "certificate") if self.kafka_key is None else ("certificate", "key")
            raise ValueError(f"{_variable(missing)} is missing: {_variable(there)} is of no use alone")
        if self.kafka_key_password is not None and self.kafka_key is None:
            raise ValueError(f"{_variable('key')} is missing: {_variable('key_password')} is of no use alone")
        if self.kafka_security_protocol == "sasl_plaintext" and self.kafka_sasl_mechanism == "PLAIN":
            raise ValueError(
                f"{_variable('sasl_mechanism')} is PLAIN and {_variable('security_protocol')} sasl_plaintext: the "
                "password would travel readable; use sasl_ssl, or a SCRAM mechanism"
            )
        if self.kafka_tls:
            tls_context(self)
        return self

    def _useless(self, name: str, needed: str) -> str:
        return (
            f"{_variable(name)} is set, but {_variable('security_protocol')} is {self.kafka_security_protocol}: "
            f"set that to {needed}, or unset this"
        )


def _variable(name: str) -> str:
    return f"RUNLEDGER_KAFKA_{name.upper()}"


def kafka_client(settings: KafkaSettings) -> ClientConfig:
    """The part of a confluent client's configuration that says where the broker is and how to speak to it.

    It holds secrets: it is for the client alone.
    """
    config: ClientConfig = {
        "bootstrap.servers": settings.kafka,
        "security.protocol": settings.kafka_security_protocol,
        # The library's own lines are no JSON and go past our logs; while the broker is away it writes twenty a second.
        "log_level": 2,
    }
    if settings.kafka_tls:
        # Both are librdkafka's defaults; here nobody has to know that.
        config |= {"enable.ssl.certificate.verification": True, "ssl.endpoint.identification.algorithm": "https"}
        files = {"ca": settings.kafka_ca, "certificate": settings.kafka_certificate, "key": settings.kafka_key}
        config |= {f"ssl.{name}.location": str(path) for name, path in files.items() if path is not None}
        if settings.kafka_key_password is not None:
            config["ssl.key.password"] = settings.kafka_key_password.get_secret_value()
    if settings.kafka_sasl and settings.kafka_username is not None and settings.kafka_password is not None:
        config |= {
            "sasl.mechanism": str(settings.kafka_sasl_mechanism),
            "sasl.username": settings.kafka_username,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    return config


def tls_context(settings: KafkaSettings) -> ssl.SSLContext:
    """The same for clients that take a context of Python's.

    Raises:
        ValueError: a file cannot be read, is no PEM file, or key and certificate do not belong together.
    """
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca)
    except OSError as error:
        raise ValueError(f"{_variable('ca')} cannot be used: {_reason(error)}") from error
    if settings.kafka_certificate is not None and settings.kafka_key is not None:
        secret = settings.kafka_key_password
        # Never None, for which OpenSSL would ask at the terminal.
        password = "" if secret is None else secret.get_secret_value()
        try:
            context.load_cert_chain(settings.kafka_certificate, settings.kafka_key, password)
        except OSError as error:
            both = f"{_variable('certificate')} and {_variable('key')}"
            raise ValueError(f"{both} cannot be used (with {_variable('key_password')}): {_reason(error)}") from error
    return context


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
