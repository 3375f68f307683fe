"""Faults 1 to 5: parts of the pipeline die at the worst moment, or are asked to end."""

from __future__ import annotations

import signal
from functools import partial

import pytest

from tests.e2e.pipeline import wait_for
from tests.faults.locking import table_locked, waiting
from tests.faults.site import WORKERS, MakeSite, Site

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

GRACE_SECONDS = 10
RATE = 800
UNSENT = "SELECT count(*) FROM scoring_outbox WHERE sent_at IS NULL"


def kill_in_transaction(here: Site, table: str) -> None:
    """Kill every sink while it waits, in mid-transaction, for a table."""
    with table_locked(here, table):
        here.load(800, RATE)
        wait_for("a sink in mid-transaction", lambda: waiting(here) > 0, 40)
        here.kill(*here.workers("sink"))


def test_fault_01_sink_killed_in_mid_transaction(site: MakeSite) -> None:
    here = site(1, "sink killed in mid-transaction")
    here.load(400).wait()
    here.wait_for_stored(1)
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
        here.wait_for_stored(1)
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
        with table_locked(here, "scoring_outbox", "SHARE"):
            relay = here.running.start("relay", {"RUNLEDGER_POSTGRES": address})
            wait_for("a relay about to mark", lambda: waiting(here) > 0, 40)
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
    wait_for("all stored", lambda: here.stored() >= here.ledger.deliveries, 40)
    wait_for("jobs", lambda: here.count(UNSENT) > 10, 40)


@pytest.mark.slow
def test_fault_04_processors_killed(site: MakeSite) -> None:
    """One, then all, then all again while they recover; one transaction in twenty is aborted with records in it."""
    aborting = {"RUNLEDGER_TESTING": "1", "RUNLEDGER_UNSAFE_ABORT_RATIO": "0.05"}
    name = "one processor killed, then all, and again in mid-recovery"
    here = site(4, name, workers=("processor", *WORKERS), **aborting)
    load = here.load(5000, 250)
    here.wait_until_working()
    one, other = here.workers("processor")
    here.kill(one)
    here.wait_for_stored(300)
    here.kill(one, other)
    begun = here.running.counts()["assigned"]
    wait_for("a recovery", lambda: here.running.counts()["assigned"] > begun, 40)
    here.kill(one, other)
    load.wait()
    here.judge("O1", "O2", "O4", "O6")
    here.judge_doors()
    assert here.count_aborted() > 0


@pytest.mark.slow
def test_fault_05_asked_to_end_with_records_in_flight(site: MakeSite) -> None:
    here = site(5, "SIGTERM in flight")
    load = here.load(6000, 300)
    here.wait_until_working()
    for name in WORKERS:
        (worker,) = here.workers(name)
        worker.signal(signal.SIGTERM)
        took_seconds = wait_for(f"{name} ends", partial(bool, worker.exits), GRACE_SECONDS + 5)
        assert took_seconds < GRACE_SECONDS
        assert worker.exits == [0], name
    load.wait()
    here.judge("O1", "O2", "O5")
