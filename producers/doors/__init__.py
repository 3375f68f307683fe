"""What every door into the ledger shares: parameters with their limits, the events made of them, and their delivery.

A door (HTTP, MCP) authenticates its caller, reads the parameters, has the event built, and waits for the broker's word.
"""

from runledger.producers.doors.emitter import Emission, Emitter
from runledger.producers.doors.errors import InvalidParameterError
from runledger.producers.doors.ids import IdempotencyKey, event_id_of
from runledger.producers.doors.parameters import (
    EndRun,
    Heartbeat,
    LogRun,
    RecordFailure,
    RecordRun,
    ReportUsage,
    ResolveFailure,
    StartRun,
    read_parameters,
)
from runledger.producers.doors.telling import (
    ResultIds,
    Told,
    end_run,
    heartbeat,
    log_run,
    record_failure,
    record_run,
    report_usage,
    resolve_failure,
    start_run,
)

__all__ = [
    "Emission",
    "Emitter",
    "EndRun",
    "Heartbeat",
    "IdempotencyKey",
    "InvalidParameterError",
    "LogRun",
    "RecordFailure",
    "RecordRun",
    "ReportUsage",
    "ResolveFailure",
    "ResultIds",
    "StartRun",
    "Told",
    "end_run",
    "event_id_of",
    "heartbeat",
    "log_run",
    "read_parameters",
    "record_failure",
    "record_run",
    "report_usage",
    "resolve_failure",
    "start_run",
]
