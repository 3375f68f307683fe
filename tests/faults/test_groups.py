"""Faults 6 to 8: who belongs to a group changes while its members are at work."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.pipeline import Worker, wait_for
from tests.faults.locking import table_locked, waiting, waiting_for_rows
from tests.faults.site import ENDLESS, WORKERS, MakeSite

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

JOINED = ("assigned", "partitions_assigned")
"""What processors and sinks log when they are given partitions."""


@pytest.mark.slow
def test_fault_06_sink_stopped_past_its_session_comes_back(site: MakeSite) -> None:
    """It is stopped within a transaction, and goes on when its heir waits for the rows: the heir is refused.

    The heir has read the same positions, and what it is about to write stands a moment later.
    """
    here = site(6, "zombie sink", scaled="session of 6 s")
    here.load(400).wait()
    here.wait_until_working()
    (zombie,) = here.workers("sink")
    with table_locked(here, "run_event"):
        load = here.load(ENDLESS, 200)
        wait_for("a sink in mid-transaction", lambda: waiting(here, "run_event") > 0, 40)
        zombie.signal(signal.SIGSTOP)
    here.running.start("sink")
    wait_for("an heir that waits for its rows", lambda: waiting_for_rows(here, "consumer_offset") > 0, 60)
    zombie.signal(signal.SIGCONT)
    here.wait_for_stored(200)
    load.stop()
    here.judge("O1", "O2", "O8")
    assert here.running.counts()["compare_and_set_refused"] > 0


@pytest.mark.slow
def test_fault_07_processors_and_sinks_join_and_leave_all_the_time(site: MakeSite) -> None:
    here = site(7, "rebalance storm")
    load = here.load(ENDLESS, 100)
    here.wait_until_working()
    for _ in range(4):
        before = here.running.counts()
        guests = [here.running.start(name) for name in ("processor", "sink")]
        wait_for("the guests", lambda: all(here.running.counts()[one] > before[one] for one in JOINED), 60)  # noqa: B023  # called at once
        for guest in guests:
            guest.stop()
            here.running.workers.remove(guest)
    load.stop()
    here.judge("O1", "O2", "O4", "O6", "O8")
    here.judge_doors()


def test_fault_08_sinks_change_during_a_slow_write(site: MakeSite) -> None:
    """The database takes its time; a second sink joins meanwhile, and leaves during the next slow write."""
    here = site(8, "rebalance during a slow database write", workers=WORKERS)
    here.load(400).wait()
    here.wait_until_working()
    with table_locked(here, "agent_run"):
        here.load(1500, 400)
        wait_for("a slow write", lambda: waiting(here, "agent_run") > 0, 40)
        begun = here.running.counts()["partitions_assigned"]
        guest = here.running.start("sink")
        wait_for("a rebalance", lambda: here.running.counts()["partitions_assigned"] > begun, 40)
    here.settle()
    with table_locked(here, "agent_run"):
        here.load(1500, 400)
        wait_for("a slow write", lambda: waiting(here, "agent_run") > 0, 40)
        here.kill(guest)
    here.judge("O1", "O2", "O8")


@pytest.mark.slow
def test_fault_06_processor_stopped_past_its_session_comes_back(site: MakeSite) -> None:
    """Its partitions belong to another when it wakes: what it still commits counts for nobody."""
    here = site(6, "zombie processor", workers=("processor", *WORKERS), scaled="session of 6 s")
    load = here.load(ENDLESS, 300)
    here.wait_until_working()
    zombie, heir = here.workers("processor")
    for _ in range(2):
        met = len(opened(heir))
        zombie.signal(signal.SIGSTOP)
        wait_for("another has taken over", lambda: len(opened(heir)) > met, 60)  # noqa: B023  # called at once
        here.wait_for_stored(200)
        zombie.signal(signal.SIGCONT)
        here.wait_for_stored(200)
    load.stop()
    here.judge("O1", "O2", "O4", "O5", "O6", "O8")
    here.count_aborted()


def opened(worker: Worker) -> list[bytes]:
    """The stores a processor has opened."""
    return [line for line in worker.log.read_bytes().splitlines() if b'"store_opened"' in line]
