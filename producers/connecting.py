"""From what a client was asked for to a publisher."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from runledger.producers.endpoint import Endpoint
from runledger.producers.errors import ConfigurationError
from runledger.producers.http_transport import HttpTransport
from runledger.producers.kafka_transport import KafkaTransport
from runledger.producers.publisher import Publisher
from runledger.producers.settings import ProducerSettings
from runledger.producers.transport import Transport


def client_settings(
    url: str | None,
    *,
    api_key: str | None,
    spool: str | PathLike[str] | None,
    strict: bool | None,
    kafka: str | None,
    topic_prefix: str | None,
    mask: Mapping[str, str] | None,
    settings: ProducerSettings | None,
) -> ProducerSettings:
    """Put arguments over given settings, or over the environment's.

    Raises:
        ConfigurationError: a value, of an argument or of the environment, cannot be used.
    """
    if url is not None and kafka is not None:
        raise ConfigurationError("give the url or kafka, not both")
    given: dict[str, Any] = {"api_key": api_key, "strict": strict, "topic_prefix": topic_prefix}
    chosen = {name: value for name, value in given.items() if value is not None}
    if spool is not None:
        chosen["spool"] = Path(spool)
    if url is not None or kafka is not None:
        chosen["url"] = url if url is not None else f"kafka://{kafka}"
    try:
        base = ProducerSettings() if settings is None else settings
        if mask is not None:
            chosen["mask_patterns"] = {**base.mask_patterns, **mask}
        return ProducerSettings.model_validate({**base.model_dump(exclude_unset=True), **chosen})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise ConfigurationError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def open_publisher(settings: ProducerSettings) -> Publisher:
    """Make the publisher that the settings' address asks for.

    Raises:
        ConfigurationError: the address, the key, the spool or a mask pattern cannot be used.
    """
    endpoint = Endpoint.parse(settings.url if settings.url is not None else settings.kafka)
    key = None if settings.api_key is None else settings.api_key.get_secret_value()
    if key is not None and (not key.isascii() or not key.isprintable() or " " in key):
        raise ConfigurationError("api_key: an API key is printable ASCII without spaces")

    def transport(settings: ProducerSettings) -> Transport:
        if endpoint.scheme != "kafka":
            return HttpTransport(endpoint, key, settings)
        return KafkaTransport(settings.model_copy(update={"kafka": endpoint.address}))

    try:
        return Publisher(settings, transport, strict=settings.strict)
    except OSError as error:
        raise ConfigurationError(f"the spool cannot be opened: {error}") from error
