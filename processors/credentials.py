"""The settings' TLS and SASL in the words of Faust, which hands them to aiokafka."""

from __future__ import annotations

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from runledger.schemas.kafka_security import KafkaSettings, tls_context


def broker_credentials(settings: KafkaSettings) -> CredentialsT | None:
    """Give what Faust's consumers connect with; None for plain text."""
    context = tls_context(settings) if settings.kafka_tls else None
    if settings.kafka_sasl and settings.kafka_password is not None:
        return SASLCredentials(
            username=settings.kafka_username,
            password=settings.kafka_password.get_secret_value(),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)
