"""Every variable that means something to a process of ours."""

from __future__ import annotations

from pydantic_settings import BaseSettings

from runledger.analytics.http.settings import ApiSettings
from runledger.processors.settings import ProcessorSettings
from runledger.producers.gateway.settings import GatewaySettings
from runledger.producers.settings import ProducerSettings
from runledger.scoring.settings import ScoringSettings
from runledger.sinks.settings import SinkSettings
from runledger.vitals.settings import VitalsSettings
from runledger.watch.settings import WatchSettings

SETTINGS: dict[str, type[BaseSettings]] = {
    "producer": ProducerSettings,
    "gateway": GatewaySettings,
    "processor": ProcessorSettings,
    "sink": SinkSettings,
    "scorer": ScoringSettings,
    "watch": WatchSettings,
    "api": ApiSettings,
    "worker": VitalsSettings,
}
"""{kind of process: its settings}; those of the MCP server need its own packages, see below."""

_MCP = ("mcp_host", "mcp_port", "mcp_allowed_hosts", "mcp_allowed_origins")
_OTHERS = frozenset(
    {
        "RUNLEDGER_API",
        "RUNLEDGER_CACHE_DIR",
        "RUNLEDGER_DATA_DIR",
        "RUNLEDGER_HTTP",
        "RUNLEDGER_LOG_LEVEL",
        "RUNLEDGER_MCP",
    }
)
"""Read by no settings class: where the stack keeps things, where doors answer, how much is logged."""


def known_names() -> frozenset[str]:
    """Names of all variables, in capitals."""
    fields = {name for settings in SETTINGS.values() for name in settings.model_fields} | set(_MCP)
    return _OTHERS | {f"RUNLEDGER_{name.upper()}" for name in fields}
