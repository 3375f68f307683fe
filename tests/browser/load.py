"""Ten open dashboards beside 500 events a second: what do they cost the pipeline? Run: `python -m tests.browser.load`.

The same load runs without and with the pages, in turns, so that a busy machine's noise falls on both; each turn is
printed as it ends.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import Page, sync_playwright
from prometheus_client.parser import text_string_to_metric_families

from runledger import RunClient
from tests.browser.looking import Onlooker, find_chromium
from tests.browser.site import Site, running_site
from tests.browser.story import PROJECT
from tests.servers import running_servers

RATE = 500
PAGES = 10
ADDRESSES = (
    "/",
    "/agents",
    "/runs",
    "/failures",
    "/costs",
    "/pipeline",
    "/",
    "/runs?status=running",
    "/agents",
    "/runs",
)
_EVENTS_OF_A_RUN = 4
_WORKERS = ("processor", "sink", "relay", "scorer", "watch", "dashboard")


@dataclass(frozen=True)
class Turn:
    """What one turn saw; CPU in cores, memory in MiB."""

    pages: int
    sent_per_second: float
    median_ms: float
    p99_ms: float
    cpu: dict[str, float]
    dashboard_mib: tuple[float, float]
    """At its begin and its end."""
    heap_mib: tuple[float, float]
    """JavaScript's, of all pages together, after collecting garbage."""
    refreshed: int
    """How often pages fetched themselves."""


class Load:
    """Agents that run, four events each, at an even pace; stops with the block."""

    def __init__(self, client: RunClient) -> None:
        self.sent = 0
        self._client = client
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _send(self) -> None:
        began, number = time.monotonic(), 0
        while not self._ended.is_set():
            run = self._client.start_run(PROJECT, f"agent-{number % 20}", summary="Carry on")
            run.usage(model="gpt-4o-mini", input_tokens=900, output_tokens=120, llm_calls=1, cost_usd=0.0004)
            run.usage(model="gpt-4o-mini", input_tokens=700, output_tokens=90, llm_calls=1, cost_usd=0.0003)
            run.end(summary=f"Carried on, number {number}")
            number += 1
            self.sent = number * _EVENTS_OF_A_RUN
            self._ended.wait(max(0.0, began + self.sent / RATE - time.monotonic()))


class Meters:
    """What the workers tell of themselves, and the system of them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        told = {line["process"]: line["port"] for line in site.running.lines("metrics_listening")}
        self._sink = f"http://127.0.0.1:{told['sink']}/metrics"
        self._processes = {worker.name: psutil.Process(worker.pid) for worker in site.running.workers}

    def cpu_seconds(self) -> dict[str, float]:
        """{worker: seconds of CPU so far}."""
        used = {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}
        readers = self._site.rows(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'runledger-reader'"
        )
        # Where the database is on this machine: what its side of the dashboard's questions takes.
        backends = [psutil.Process(row["pid"]) for row in readers if psutil.pid_exists(row["pid"])]
        return used | {"database": sum(sum(backend.cpu_times()[:2]) for backend in backends)}

    def mib(self, name: str) -> float:
        """Memory of a worker."""
        return float(self._processes[name].memory_info().rss) / 2**20

    def visible(self) -> dict[float, float]:
        """{seconds: events that stood in the tables within them, since they happened}, so far."""
        counted: dict[float, float] = {}
        for family in text_string_to_metric_families(httpx.get(self._sink).text):
            for sample in family.samples:
                if sample.name == "runledger_visible_seconds_bucket" and sample.labels["since"] == "occurred":
                    counted[float(sample.labels["le"])] = sample.value
        return counted


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """Estimate a quantile in seconds from two readings of a histogram, even within a bucket."""
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in sorted(after)}
    wanted = share * counts[float("inf")]
    below, least = 0.0, 0.0
    for bound, count in counts.items():
        if count >= wanted:
            return least + (bound - least) * (wanted - below) / max(1.0, count - below)
        below, least = count, bound
    return least


def heap_mib(pages: list[Page]) -> float:
    """Collect garbage, and add up what is left."""
    total = 0.0
    for page in pages:
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        total += float(session.send("Runtime.getHeapUsage")["usedSize"]) / 2**20
        session.detach()
    return total


def take_turn(site: Site, meters: Meters, load: Load, pages: list[Page], seconds: float) -> Turn:
    """Look on for so long."""
    began, sent, cpu, visible = time.monotonic(), load.sent, meters.cpu_seconds(), meters.visible()
    memory, heap = meters.mib("dashboard"), heap_mib(pages)
    while time.monotonic() < began + seconds:
        if pages:
            pages[0].wait_for_timeout(1000)  # the pages' events are heard while the driver waits
        else:
            threading.Event().wait(1)
    took, now = time.monotonic() - began, meters.visible()
    refreshed = sum(int(page.evaluate("window.refreshed")) for page in pages)
    return Turn(
        pages=len(pages),
        sent_per_second=(load.sent - sent) / took,
        median_ms=1000 * quantile(visible, now, 0.5),
        p99_ms=1000 * quantile(visible, now, 0.99),
        cpu={name: (used - cpu[name]) / took for name, used in meters.cpu_seconds().items()},
        dashboard_mib=(memory, meters.mib("dashboard")),
        heap_mib=(heap, heap_mib(pages)),
        refreshed=refreshed,
    )


def open_pages(onlooker: Onlooker) -> list[Page]:
    """Open the pages, each in a browser profile of its own."""
    pages = [onlooker.open(address) for address in ADDRESSES[:PAGES]]
    for page in pages:
        page.evaluate(
            "window.refreshed = 0; document.addEventListener('runledger:refreshed', () => window.refreshed++)"
        )
    return pages


def main(seconds: float, say: Callable[[str], object]) -> None:
    """Measure without, with, and again without."""
    program = find_chromium()
    environment = {"RUNLEDGER_METRICS_PORT": "0"}
    with (
        running_servers() as servers,
        tempfile.TemporaryDirectory() as folder,
        running_site(servers.kafka, servers.postgres, Path(folder), **environment) as site,
        sync_playwright() as playwright,
        site.client() as client,
        Load(client) as load,
    ):
        say(f"load of the machine: {psutil.getloadavg()}\n")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        meters = Meters(site)
        threading.Event().wait(15)  # the first transactions, plans and caches
        for number in range(3):
            onlooker = Onlooker(browser, site, patience_seconds=60)
            pages = open_pages(onlooker) if number % 2 else []
            turn = take_turn(site, meters, load, pages, seconds if number % 2 else seconds / 2)
            say(f"{turn}\n")
            say(f"{onlooker.complaints}\n" if onlooker.complaints else "")
            onlooker.close()
        browser.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0, sys.stdout.write)
