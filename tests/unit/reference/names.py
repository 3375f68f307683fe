"""A small world of names, for tests."""

from __future__ import annotations

from reference.names import Names

NAMES = Names(
    settings=frozenset({"RUNLEDGER_KAFKA", "RUNLEDGER_KAFKA_CA"}),
    tools=frozenset({"RUNLEDGER_SOAK_RATE"}),
    topics=frozenset({"run-events", "runs"}),
    metrics=frozenset({"runledger_lag_records"}),
    tables={"agent_run": frozenset({"run_id", "cost_usd"}), "agent_run_log": frozenset({"id"})},
    commands={
        "": frozenset({"--help"}),
        "run": frozenset({"--help"}),
        "run list": frozenset({"--agent", "--json", "--help"}),
        "verify": frozenset({"--wait", "--help"}),
    },
    targets=frozenset({"demo", "e2e"}),
    words=frozenset({"cost_usd", "runledger_read", "incident.opened"}),
    dotted=frozenset(
        {
            "runledger.run-events",
            "runledger.runs",
            "runledger.reader-",
            "runledger.run.ended.v1",
            "runledger.stack.plan",
        }
    ),
)
