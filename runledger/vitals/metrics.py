"""The one list of metrics: the processes' registries are made from it, documents and alert rules are held against it.

Label values are few and ours: no run, agent, project, model or key is ever one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

WORKERS = ("processor", "sink", "relay", "scorer", "watch", "gateway", "mcp", "api", "dashboard")
"""Every process that has metrics, by the name `runledger worker` has for it."""
_READERS = ("processor", "sink", "scorer")
_DOORS = ("gateway", "mcp", "api", "dashboard")
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LATENCY = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0, 3600.0, 86400.0)
_RECORDS = (1.0, 10.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0)
_RECOVERY = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)

LABELS = {
    "topic": "suffix of the topic's name, such as run-events",
    "partition": "number of the partition",
    "reader": "runs (stage 1), agents (stage 2), sink or scoring",
    "reason": "why, by a code of dead-letters.md",
    "table": "name of the table",
    "since": "occurred (the agent's time of the event) or logged (the log's)",
    "cost": "reported, estimated, mixed or unknown",
    "status": "of the outcome, or of the HTTP answer",
    "route": "template of the path, or unmatched",
    "result": "delivered, failed or given_up",
    "problem": "what is wrong, as in /healthz",
    "process": "name of the worker",
    "version": "of Runledger",
}
"""What the values of a label mean; no other label is used."""


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """Facts of one metric.

    Args:
        name: as it is exposed; a counter's ends in _total.
        kind: Prometheus's type.
        unit: of the value; records, seconds, bytes, usd or what is counted.
        help: one line for people.
        processes: the workers that expose it.
        labels: names, in the order in which values are given.
        buckets: upper bounds of a histogram's.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    processes: tuple[str, ...]
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


RECORDS_READ = Metric(
    "runledger_records_read_total",
    "counter",
    "records",
    "Records taken from a topic and dealt with, repeats included.",
    _READERS,
    ("topic",),
)
RECORDS_WRITTEN = Metric(
    "runledger_records_written_total",
    "counter",
    "records",
    "Records written to a topic, by transactions that went through or acknowledged by the broker.",
    ("processor", "relay", "scorer"),
    ("topic",),
)
ROWS_WRITTEN = Metric(
    "runledger_rows_written_total", "counter", "rows", "Rows sent to a table, new or replaced.", ("sink",), ("table",)
)
LAG = Metric(
    "runledger_lag_records",
    "gauge",
    "records",
    "How far the position of an owned partition lies before the end of its log, transaction markers included.",
    _READERS,
    ("topic", "partition"),
)
BATCH_RECORDS = Metric(
    "runledger_batch_records", "histogram", "records", "Records in one transaction.", _READERS, ("reader",), _RECORDS
)
COMMIT_SECONDS = Metric(
    "runledger_commit_seconds",
    "histogram",
    "seconds",
    "Time from the begin of a transaction to the answer to its commit.",
    ("processor", "sink"),
    ("reader",),
    _SECONDS,
)
VISIBLE_SECONDS = Metric(
    "runledger_visible_seconds",
    "histogram",
    "seconds",
    "Time until an event stands in the tables, of at most 16 events of each transaction.",
    ("sink",),
    ("since",),
    _LATENCY,
)
DEAD_LETTERS = Metric(
    "runledger_dead_letters_total",
    "counter",
    "records",
    "Records put into dead-letters.",
    _READERS,
    ("reader", "reason"),
)
DUPLICATES_SKIPPED = Metric(
    "runledger_duplicates_skipped_total",
    "counter",
    "records",
    "Repeated events and jobs that were found and not counted again.",
    ("processor", "scorer"),
    ("reader",),
)
TRANSACTIONS_ABORTED = Metric(
    "runledger_transactions_aborted_total",
    "counter",
    "transactions",
    "Transactions that did not go through, and whose records were dealt with again.",
    ("processor", "sink"),
    ("reader",),
)
COMPARE_AND_SET_REFUSED = Metric(
    "runledger_compare_and_set_refused_total",
    "counter",
    "transactions",
    "Transactions refused because another sink had moved a position.",
    ("sink",),
)
RECOVERY_SECONDS = Metric(
    "runledger_recovery_seconds",
    "histogram",
    "seconds",
    "Time to open a partition's store: fencing, restoring, reading back.",
    ("processor",),
    ("reader",),
    _RECOVERY,
)
RECOVERY_RECORDS = Metric(
    "runledger_recovery_records_total",
    "counter",
    "records",
    "Records read to open stores.",
    ("processor",),
    ("reader",),
)
STATES = Metric(
    "runledger_states",
    "gauge",
    "states",
    "Runs or agents that open stores hold in memory, ended ones that may still be heard of included.",
    ("processor",),
    ("reader",),
)
STATE_BYTES = Metric(
    "runledger_state_bytes",
    "gauge",
    "bytes",
    "Encoded size of those states; in memory two to three times that.",
    ("processor",),
    ("reader",),
)
STATES_EVICTED_EARLY = Metric(
    "runledger_states_evicted_early_total",
    "counter",
    "states",
    "States that left memory before their time, to make room.",
    ("processor",),
    ("reader",),
)
FINISHED_RUNS = Metric(
    "runledger_finished_runs_total",
    "counter",
    "runs",
    "Outcomes written by stage 1, revisions included, by how their cost is known.",
    ("processor",),
    ("status", "cost"),
)
COST_USD = Metric(
    "runledger_cost_usd_total",
    "counter",
    "usd",
    "Cost of those runs where it is known; a revision adds nothing.",
    ("processor",),
    ("cost",),
)
UNPRICED_RUNS = Metric(
    "runledger_unpriced_runs_total",
    "counter",
    "runs",
    "Outcomes that name a model and tokens, but have no cost: nobody reported it, and the model's price is not known.",
    ("processor",),
)
OPEN_RUNS = Metric(
    "runledger_open_runs",
    "gauge",
    "runs",
    "Runs that have begun and not ended, of all projects; NaN where counting them takes too long.",
    ("watch",),
)
OUTBOX_AGE = Metric(
    "runledger_outbox_age_seconds",
    "gauge",
    "seconds",
    "Age of the oldest scoring job that is not sent; 0 where all are.",
    ("relay",),
)
WATERMARK = Metric(
    "runledger_watermark_timestamp_seconds",
    "gauge",
    "seconds",
    "All that was logged by then stands in the tables; its age is time() minus this.",
    ("watch",),
)
WEBHOOKS = Metric(
    "runledger_webhook_posts_total",
    "counter",
    "posts",
    "Attempts to tell a project's receiver of an incident.",
    ("watch",),
    ("result",),
)
HTTP_REQUESTS = Metric(
    "runledger_http_requests_total", "counter", "requests", "Requests answered.", _DOORS, ("route", "status")
)
HTTP_SECONDS = Metric(
    "runledger_http_request_seconds",
    "histogram",
    "seconds",
    "Time from a request's head to the end of its answer.",
    _DOORS,
    ("route",),
    _SECONDS,
)
PROBLEMS = Metric(
    "runledger_problem",
    "gauge",
    "problems",
    "1 for what is wrong just now, as /healthz has it; without it, nothing is.",
    WORKERS,
    ("problem",),
)
INFO = Metric(
    "runledger_process_info", "gauge", "processes", "1, with what the process is.", WORKERS, ("process", "version")
)

ALL_METRICS = (
    RECORDS_READ,
    RECORDS_WRITTEN,
    ROWS_WRITTEN,
    LAG,
    BATCH_RECORDS,
    COMMIT_SECONDS,
    VISIBLE_SECONDS,
    DEAD_LETTERS,
    DUPLICATES_SKIPPED,
    TRANSACTIONS_ABORTED,
    COMPARE_AND_SET_REFUSED,
    RECOVERY_SECONDS,
    RECOVERY_RECORDS,
    STATES,
    STATE_BYTES,
    STATES_EVICTED_EARLY,
    FINISHED_RUNS,
    COST_USD,
    UNPRICED_RUNS,
    OPEN_RUNS,
    OUTBOX_AGE,
    WATERMARK,
    WEBHOOKS,
    HTTP_REQUESTS,
    HTTP_SECONDS,
    PROBLEMS,
    INFO,
)
