"""Faults 1 to 5: parts of the pipeline die at the worst moment, or are asked to end."""

from __future__ import annotations

import signal
from functools import partial

import pytest

from tests.e2e.pipeline import wait_for
from tests.faults.locking import table_locked, waiting
from tests.faults.site import ENDLESS, START_SECONDS, WORKERS, MakeSite, Site

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

GRACE_SECONDS = 10
RATE = 800
UNSENT = "SELECT count(*) FROM scoring_outbox WHERE sent_at IS NULL"


def kill_in_transaction(here: Site, table: str) -> None:
    """Kill every sink while it waits, in mid-transaction, for a table; then let its heir catch up."""
    with table_locked(here, table):
        here.load(800, RATE)
        wait_for("a sink in mid-transaction", lambda: waiting(here, table) > 0, 40)
        here.kill(*here.workers("sink"))
    here.settle()  # or what waits for the next table may be the session that the dead left behind


def test_fault_01_sink_killed_in_mid_transaction(site: MakeSite) -> None:
    here = site(1, "sink killed in mid-transaction")
    here.load(400).wait()
    here.wait_until_working()
    for table in ("agent_run", "agent_run_log", "consumer_offset"):
        kill_in_transaction(here, table)
    here.judge("O1", "O2", "O8")
    assert len(here.workers("sink")[0].exits) == 3


def test_fault_02_sink_killed_between_its_two_commits(site: MakeSite) -> None:
    """Postgres has committed, its answer is kept back, and the group's offsets are not told."""
    here = site(2, "sink killed between Postgres's commit and Kafka's", workers=("processor", "relay", "scorer"))
    with here.proxy() as (proxy, address):
        sink = here.running.start("sink", {"RUNLEDGER_POSTGRES": address})
        here.load(400).wait()
        here.wait_until_working()
        for _ in range(3):
            with proxy.losing_commits():
                here.load(500, RATE)
                assert proxy.commit_lost.wait(40)
                here.kill(sink)
        here.judge("O1", "O2", "O8")
        assert len(sink.exits) == 3


def test_fault_03_relay_killed_between_sending_and_marking(site: MakeSite) -> None:
    """Once before the mark, with the jobs sent; twice in the commit of the mark."""
    here = site(3, "relay killed after sending, before marking", workers=("processor", "sink", "scorer"))
    with here.proxy() as (proxy, address):
        load_jobs(here)
        wait_for("sinks with nothing to write", lambda: is_read(here.lag()), 40)  # who waits below is the relay
        with table_locked(here, "scoring_outbox", "SHARE"):
            relay = here.running.start("relay", {"RUNLEDGER_POSTGRES": address})
            wait_for("a relay about to mark", lambda: waiting(here, "scoring_outbox") > 0, 40)
            here.kill(relay)
        for _ in range(2):
            wait_for("an empty outbox", lambda: here.count(UNSENT) == 0, 40)
            relay.signal(signal.SIGSTOP)
            load_jobs(here)
            with proxy.losing_commits():
                relay.signal(signal.SIGCONT)
                assert proxy.commit_lost.wait(40)
                here.kill(relay)
        here.judge("O2", "O5")
        assert len(relay.exits) == 3


def load_jobs(here: Site) -> None:
    """Send runs, and wait until their jobs wait for a relay."""
    here.load(800).wait()
    wait_for("all stored", lambda: here.stored() >= here.ledger.deliveries, START_SECONDS)
    wait_for("jobs", lambda: here.count(UNSENT) > 10, 40)


def is_read(left: list[str]) -> bool:
    """Whether processors and sinks have read everything, so that no sink writes any more."""
    return bool(left) and not [part for part in left if not part.endswith(("unsent", "unscored"))]


@pytest.mark.slow
def test_fault_04_processors_killed(site: MakeSite) -> None:
    """One, then all, then all again while they recover; one transaction in twenty is aborted with records in it."""
    aborting = {"RUNLEDGER_TESTING": "1", "RUNLEDGER_UNSAFE_ABORT_RATIO": "0.05"}
    name = "one processor killed, then all, and again in mid-recovery"
    here = site(4, name, workers=("processor", *WORKERS), **aborting)
    load = here.load(ENDLESS, 100)
    here.wait_until_working()
    one, other = here.workers("processor")
    here.kill(one)
    here.wait_for_stored(200)
    here.kill(one, other)
    begun = here.running.counts()["assigned"]
    wait_for("a recovery", lambda: here.running.counts()["assigned"] > begun, 40)
    here.kill(one, other)
    here.wait_for_stored(200, 120)
    load.stop()
    here.judge("O1", "O2", "O4", "O6")
    here.judge_doors()
    assert here.count_aborted() > 0


@pytest.mark.slow
def test_fault_04_processor_gone_with_timeouts_in_its_hands(site: MakeSite) -> None:
    """It finds runs silent for too long and dies before it commits; then they are heard of again, and end well."""
    here = site(4, "processor gone with timeouts in its hands", workers=("sink", "relay", "scorer"))
    whole = here.running.start("processor")
    runs = list(here.story(400, endless=0).runs())
    here.tell(*(run[0] for run in runs))
    here.settle()
    whole.stop()
    hasty = {"RUNLEDGER_RUN_DEADLINE_SECONDS": "1", "RUNLEDGER_UNSAFE_ABORT_RATIO": "1", "RUNLEDGER_TESTING": "1"}
    dying = here.running.start("processor", hasty)
    timeouts = here.settings.partitions
    wait_for("timeouts that are not committed", lambda: here.running.counts()["transaction_aborted"] > timeouts, 60)
    dying.stop()
    here.running.start("processor")
    here.tell(*(event for run in runs for event in run[1:]))
    here.judge("O1", "O2", "O4", "O5", "O6", "O8")
    assert here.count_aborted() > 0


@pytest.mark.slow
def test_fault_05_asked_to_end_with_records_in_flight(site: MakeSite) -> None:
    here = site(5, "SIGTERM in flight")
    load = here.load(ENDLESS, 100)
    here.wait_until_working()
    for name in WORKERS:
        (worker,) = here.workers(name)
        worker.signal(signal.SIGTERM)
        took_seconds = wait_for(f"{name} ends", partial(bool, worker.exits), GRACE_SECONDS + 5)
        assert took_seconds < GRACE_SECONDS
        assert worker.exits == [0], name
    load.stop()
    here.judge("O1", "O2", "O5")
