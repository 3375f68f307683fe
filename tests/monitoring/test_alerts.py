"""A quiet pipeline raises no alarm, and each condition raises its own: in this order, on one site."""

from __future__ import annotations

import signal
import time

import psycopg
import pytest

from runledger.access.webhooks import set_webhook
from runledger.schemas.topics import RUN_EVENTS
from runledger.vitals.exits import EXIT_CRASHED
from tests.e2e.pipeline import wait_for
from tests.monitoring.site import PRICED, PROJECT, START_SECONDS, Site, a_run, refusing_receiver
from tests.unit.monitoring.files import dashboard

pytestmark = pytest.mark.timeout(240)

OF_AGENTS = (
    "RunledgerDeadLetters",
    "RunledgerUnpricedRuns",
    "RunledgerWebhooksFailing",
    "RunledgerStatesEvictedEarly",
)
OF_OUTBOX = ("RunledgerOutboxOld",)
OF_DATABASE = ("RunledgerHttpErrors", "RunledgerUnwell")
OF_LOCK = ("RunledgerTransactionsAborted", "RunledgerLagNotShrinking", "RunledgerTablesBehind")
OF_BACKLOG = ("RunledgerLatencyHigh",)
OF_RIVAL = ("RunledgerWorkerRestarting",)
OF_END = ("RunledgerWorkerDown",)
CAUSED = {*OF_AGENTS, *OF_OUTBOX, *OF_DATABASE, *OF_LOCK, *OF_BACKLOG, *OF_RIVAL, *OF_END}
"""Every alert of the file (tests/unit/monitoring)."""

OF_SLOWNESS = {
    "RunledgerWorkerDown",
    "RunledgerUnwell",
    "RunledgerTablesBehind",
    "RunledgerLatencyHigh",
    "RunledgerOutboxOld",
    "RunledgerHttpErrors",
}
"""What a machine may raise that is too busy: at a twentieth of the rules' times a worker has six seconds to answer."""
QUIET_SECONDS = 12
QUIET_RUNS = 60
"""Fewer than the states that have room (tests/monitoring/site.py)."""
UNPRICED = {"input_tokens": 10, "output_tokens": 5, "model": "house-model-1"}
MOST_REFUSALS = 8
"""By the third the alert fires, if Prometheus has seen each start."""


def test_a_quiet_pipeline_raises_no_alarm(site: Site) -> None:
    """Some runs come in all the while, and something is said twice.

    What a busy machine raises has to pass by itself.
    """
    repeated = a_run("sage", PRICED)
    site.tell(*repeated, *repeated)
    runs = iter([a_run("sage", PRICED) for _ in range(QUIET_RUNS)])
    quiet_since = time.monotonic()
    seen: set[str] = set()

    def is_quiet() -> bool:
        nonlocal quiet_since
        site.tell(*next(runs, ()))
        site.ask_api()
        firing = {alert.name for alert in site.prometheus.alerts() if alert.state == "firing"}
        seen.update(firing)
        quiet_since = time.monotonic() if firing else quiet_since
        return time.monotonic() - quiet_since > QUIET_SECONDS

    wait_for("a quiet time", is_quiet, 8 * QUIET_SECONDS)
    assert seen <= OF_SLOWNESS
    assert site.prometheus.value('sum(up{job="runledger"})') == len(site.ports)
    assert site.prometheus.value('sum(runledger:lag_records{process="sink"})') is not None
    assert site.prometheus.value("sum(runledger:http_requests:rate5m)") is not None
    assert site.prometheus.rules_in_trouble() == []


def test_what_agents_and_receivers_do_is_noticed(site: Site) -> None:
    """Poison, a model without a price, a receiver that refuses, and more runs than memory is meant for."""
    site.expect_calm(*OF_AGENTS)
    with refusing_receiver() as url:
        set_webhook(site.connection, PROJECT, url)
        site.log((b"watched/nobody", b"{not json"))
        site.tell(*a_run("house", UNPRICED))
        site.tell(*(event for number in range(9) for event in a_run(f"failing-{number % 3}", {}, "failed")))
        evicted = "sum(runledger_states_evicted_early_total)"

        def crowd() -> bool:
            site.tell(*(event for number in range(200) for event in a_run(f"crowd-{number}", PRICED)))
            return (site.prometheus.value(evicted) or 0) > 0

        wait_for("evictions", crowd, 60)
        fired = site.wait_for_alerts(*OF_AGENTS)
    letter, *others = fired["RunledgerDeadLetters"]
    assert (letter.labels["reader"], letter.labels["reason"], others) == ("runs", "not_json", [])
    assert letter.summary == "runs put records into dead-letters: not_json"
    assert {alert.labels["reader"] for alert in fired["RunledgerStatesEvictedEarly"]} == {"runs"}


def test_a_job_that_nobody_sends_is_noticed(site: Site) -> None:
    """Another session holds its row, as a relay does that was stopped in the middle."""
    site.expect_calm(*OF_OUTBOX)
    relay = site.worker("relay")
    unsent = "SELECT count(*) FROM scoring_outbox WHERE sent_at IS NULL"
    wait_for("all earlier jobs are sent", lambda: site.count(unsent) == 0, 60)
    relay.signal(signal.SIGSTOP)
    with psycopg.connect(site.settings.postgres) as holder:
        try:
            site.tell(*a_run("sage", PRICED))
            wait_for("a job", lambda: site.count(unsent) > 0, 30)
            holder.execute("SELECT id FROM scoring_outbox WHERE sent_at IS NULL FOR UPDATE")
        finally:
            relay.signal(signal.SIGCONT)
        site.wait_for_alerts(*OF_OUTBOX)
        holder.rollback()
    wait_for("the job is sent", lambda: site.count(unsent) == 0, 30)


def test_a_door_whose_database_is_away_is_noticed(site: Site) -> None:
    site.expect_calm(*OF_DATABASE)
    with site.proxy.refusing():
        fired = site.wait_while(site.ask_api, *OF_DATABASE)
    assert [alert.labels["process"] for alert in fired["RunledgerHttpErrors"]] == ["api"]
    (unwell,) = fired["RunledgerUnwell"]
    assert (unwell.labels["process"], unwell.labels["problem"]) == ("api", "database_away")
    wait_for("the API is well", lambda: site.is_well("api"), 30)


def test_a_sink_that_cannot_write_is_noticed_and_so_is_the_backlog_afterwards(site: Site) -> None:
    """A lock keeps its table; what came in meanwhile becomes visible late."""
    site.expect_calm(*OF_LOCK, *OF_BACKLOG)
    with psycopg.connect(site.settings.postgres) as holder:
        holder.execute("LOCK TABLE run_event IN EXCLUSIVE MODE")
        site.tell(*(a_run("sage", {})[0] for _ in range(1500)))
        fired = site.wait_for_alerts(*OF_LOCK, seconds=120)
        holder.rollback()
    lagging = {(alert.labels["process"], alert.labels["topic"]) for alert in fired["RunledgerLagNotShrinking"]}
    assert ("sink", RUN_EVENTS.suffix) in lagging
    assert [alert.labels["reader"] for alert in fired["RunledgerTransactionsAborted"]] == ["sink"]
    site.wait_for_alerts(*OF_BACKLOG)
    wait_for("the tables caught up", lambda: not site.prometheus.firing("RunledgerTablesBehind"), 60)


def test_a_sink_whose_positions_another_moves_is_noticed(site: Site) -> None:
    """It is refused, ends and starts again; by the third time somebody is told."""
    site.expect_calm(*OF_RIVAL)
    sink = site.worker("sink")
    for _ in range(MOST_REFUSALS):
        ended = len(sink.exits)
        move_positions(site)
        wait_for("its end", lambda: len(sink.exits) > ended, 60)  # noqa: B023  # called at once
        wait_for("its next start", lambda: site.is_well("sink"), START_SECONDS)
        if any(site.prometheus.firing(alert) for alert in OF_RIVAL):  # one about to fire may yet forget a restart
            break
    (told,) = site.wait_for_alerts(*OF_RIVAL)["RunledgerWorkerRestarting"]
    assert told.labels["instance"] == site.instance("sink")
    assert {*sink.exits} == {EXIT_CRASHED}
    assert site.running.counts()["compare_and_set_refused"] == len(sink.exits)


def move_positions(site: Site) -> None:
    """Move the sink's positions in run-events just before it does."""
    topic = RUN_EVENTS.name(site.settings.topic_prefix)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND application_name = 'runledger'"
    )
    with psycopg.connect(site.settings.postgres) as rival:
        rival.execute("UPDATE consumer_offset SET next_offset = next_offset + 1 WHERE topic = %s", (topic,))
        site.tell(*(event for number in range(40) for event in a_run(f"agent-{number}", PRICED)))
        wait_for("a sink that waits for its positions", lambda: site.count(waiting) > 0, 60)
        rival.commit()


def test_the_dashboard_has_something_to_show_of_all_that_happened(site: Site) -> None:
    """But for the two tables of what is wrong just now, and for what a processor reads when it starts again.

    Of a quarter of an hour: a counter that ended with its process shows as well.
    """
    nothing = {"Problems now", "Alerts", "Records read to recover"}
    panels = [panel for panel in dashboard()["panels"] if panel["title"] not in nothing]
    asked = {it["expr"].replace("$__rate_interval", "15m") for panel in panels for it in panel.get("targets", ())}
    left = set(asked)

    def have_shown() -> bool:
        site.tell(*a_run("sage", PRICED))
        left.difference_update({expression for expression in asked if site.prometheus.finds(expression)})
        return not left

    try:
        wait_for("every panel", have_shown, 60)
    except AssertionError as error:
        raise AssertionError(f"{error}: {left}") from error


def test_a_worker_that_is_gone_is_noticed(site: Site) -> None:
    site.expect_calm(*OF_END)
    assert site.worker("scorer").stop() == 0
    site.wait_for_alerts(*OF_END)
    wait_for("both ways to see it", lambda: len(site.prometheus.firing(*OF_END)) == 2, 30)
    told = site.prometheus.firing(*OF_END)
    assert {alert.labels.get("process", alert.labels.get("instance")) for alert in told} == {
        "scorer",
        site.instance("scorer"),
    }
    assert "A worker does not answer: no scorer is there" in {alert.summary for alert in told}
