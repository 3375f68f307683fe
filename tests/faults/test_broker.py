"""Faults 9 to 11: the broker restarts, is away, or its acknowledgements are lost."""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.pipeline import wait_for
from tests.faults.ledger import Sender
from tests.faults.proxy import Proxy
from tests.faults.servers import Server, own_kafka
from tests.faults.site import ENDLESS, MakeSite
from tests.integration.producers.test_away import MAX_CALL_SECONDS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

AWAY_SECONDS = 12
RATE = 400


@pytest.fixture(scope="module")
def proxies() -> Iterator[list[Proxy]]:
    """The proxy in front of this module's broker."""
    made: list[Proxy] = []
    yield made
    for proxy in made:
        proxy.close()


@pytest.fixture(scope="module")
def kafka(proxies: list[Proxy]) -> Iterator[Server]:
    """A broker of this module's own, which clients find behind a proxy."""

    def proxy_to(port: int) -> Proxy:
        proxies.append(Proxy("127.0.0.1", port))
        return proxies[-1]

    with ExitStack() as stack:
        yield stack.enter_context(own_kafka(proxy_to))


@pytest.mark.slow
@pytest.mark.parametrize("how", ["clean", "kill -9"])
def test_fault_09_broker_restarted(site: MakeSite, kafka: Server, how: str) -> None:
    here = site(9, f"broker restarted, {how}", kafka=kafka.address)
    load = here.load(ENDLESS, 100)
    here.wait_until_working()
    kafka.stop(signal.SIGKILL if how == "kill -9" else None)
    kafka.start()
    load.stop()
    here.judge("O1", "O2", "O5", "O6", "O8")


@pytest.mark.slow
def test_fault_10_broker_away_blocks_no_agent(site: MakeSite, kafka: Server) -> None:
    """The agent's calls cost what they cost, what finds no room is counted, and all that was acknowledged is there."""
    here = site(10, "broker away", kafka=kafka.address, scaled=f"{AWAY_SECONDS} s for 2 min, a queue of 1,000 events")
    here.load(800).wait()
    here.wait_until_working()
    kafka.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    try:
        story = here.story(6000)
        load = Sender(here.settings, here.ledger, story, RATE * 2, strict=False, queue_events=1000)
        here.senders.append(load)
        wait_for("the outage's end", lambda: time.monotonic() - frozen > AWAY_SECONDS, 2 * AWAY_SECONDS)
    finally:
        kafka.send_signal(signal.SIGCONT)
    here.judge("O1", "O2", "O8")
    stats = load.stats
    assert stats is not None
    assert stats.dropped > 0
    assert stats.sent == stats.acknowledged + stats.dropped == len(load.took_seconds)
    assert statistics.fmean(load.took_seconds) < MAX_CALL_SECONDS
    assert statistics.quantiles(load.took_seconds, n=20)[-1] < MAX_CALL_SECONDS


@pytest.mark.slow
def test_fault_11_acknowledgements_lost(site: MakeSite, kafka: Server, proxies: list[Proxy]) -> None:
    """What the broker took and said so is sent again, and stands in the log once."""
    here = site(11, "lost acknowledgements", kafka=kafka.address)
    here.load(400, repeated=0).wait()
    here.wait_until_working()
    for _ in range(3):
        load = here.load(ENDLESS, RATE, repeated=0)
        here.wait_for_stored(1)
        with proxies[0].swallowing():
            began = time.monotonic()
            wait_for("unheard answers", lambda: time.monotonic() - began > 1, 5)  # noqa: B023  # called at once
        load.stop()
        here.settle()
    here.judge("O1", "O2", "O8")
    assert len(here.evidence().log.places) == here.ledger.deliveries
