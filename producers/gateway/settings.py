"""What the gateway needs to know; read from the environment, prefix RUNLEDGER_."""

from __future__ import annotations

from ipaddress import ip_address

from pydantic import Field

from runledger.producers.settings import ProducerSettings


class GatewaySettings(ProducerSettings):
    """Where it listens, whom it trusts, and how much it takes."""

    http_host: str = Field(default="127.0.0.1", description="address to listen on")
    http_port: int = Field(default=8787, ge=0, le=65535, description="port to listen on; 0 for any free one")
    internal_listener_trusted: bool | None = Field(
        default=None,
        description="whether the agent run log needs no key; by default where http_host is a loopback address",
    )
    delivery_timeout_seconds: float = Field(
        default=30, ge=1, le=900, description="how long an event is retried after its caller was told 503"
    )

    flush_timeout_seconds: float = Field(
        default=5, ge=0, le=300, description="how long the end of the process waits for acknowledgements"
    )

    @property
    def is_trusted(self) -> bool:
        """Tell whether a caller without a key is believed to be one of ours."""
        if self.internal_listener_trusted is not None:
            return self.internal_listener_trusted
        if self.http_host == "localhost":
            return True
        try:
            return ip_address(self.http_host).is_loopback
        except ValueError:
            return False
