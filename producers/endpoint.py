"""Where a client sends, read from its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from runledger.producers.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address, taken apart.

    Args:
        scheme: how to get there.
        address: of Kafka, the bootstrap servers; of HTTP, host and port.
        port: of HTTP.
        path: of HTTP, what stands before /api.
    """

    scheme: Literal["kafka", "http", "https"]
    address: str
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """Read `kafka://host:port,…`, plain `host:port,…`, `https://host[:port][/path]` or `http://…`.

        Raises:
            ConfigurationError: it is none of these.
        """
        scheme, separator, rest = url.partition("://")
        match scheme if separator else "kafka":
            case "kafka":
                return cls._kafka((rest if separator else url).rstrip("/"))
            case "http" | "https" as over_http:
                return cls._http(over_http, url)
            case unknown:
                raise ConfigurationError(f"{unknown}:// is no way to Runledger; kafka://, https:// and http:// are")

    @classmethod
    def _kafka(cls, servers: str) -> Endpoint:
        if not servers or any(mark in servers for mark in "/?#@ "):
            raise ConfigurationError("a Kafka address is host:port, or several of them with commas between")
        return cls("kafka", servers)

    @classmethod
    def _http(cls, scheme: Literal["http", "https"], url: str) -> Endpoint:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"the address cannot be read: {error}") from error
        if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
            raise ConfigurationError(f"an HTTP address is {scheme}://host[:port][/path]; the key is given as api_key")
        default = 443 if scheme == "https" else 80
        return cls(scheme, parts.hostname, default if port is None else port, parts.path.rstrip("/"))
