"""Every variable that means something to a process of ours."""

from __future__ import annotations

from pydantic_settings import BaseSettings

from runledger.analytics.dashboard.settings import DashboardSettings
from runledger.analytics.http.settings import ApiSettings
from runledger.backstage.settings import BackstageSettings
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
    "dashboard": DashboardSettings,
    "dashboard's backstage": BackstageSettings,
    "worker": VitalsSettings,
}
"""{kind of process: its settings}; those of the MCP server need its own packages, see below."""

_MCP = ("mcp_host", "mcp_port", "mcp_allowed_hosts", "mcp_allowed_origins")
OTHERS = {
    "RUNLEDGER_LOG_LEVEL": "least level of a log's lines: DEBUG, INFO, WARNING, ERROR; INFO if unset",
    "RUNLEDGER_DATA_DIR": "the local stack's data folder; one for the user if unset",
    "RUNLEDGER_CACHE_DIR": "folder of what every local stack shares, Kafka's jars; one for the user if unset",
    "RUNLEDGER_HTTP": "address of the HTTP gateway, as `runledger status` prints it",
    "RUNLEDGER_MCP": "address of the MCP server, as `runledger status` prints it",
    "RUNLEDGER_API": "address of the read API, as `runledger status` prints it",
    "RUNLEDGER_DASHBOARD": "address of the dashboard, as `runledger status` prints it",
}
"""Variables of no settings class: {name: meaning}."""


def known_names() -> frozenset[str]:
    """Names of all variables, in capitals."""
    fields = {name for settings in SETTINGS.values() for name in settings.model_fields} | set(_MCP)
    return frozenset(OTHERS) | {f"RUNLEDGER_{name.upper()}" for name in fields}
