"""B9: posts a second that one core of the gateway acknowledges, and the p99 at half of that."""

from __future__ import annotations

import asyncio
import statistics
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from benchmarks import topics
from benchmarks.contest import say
from benchmarks.errors import TooSlowError, WrongResultError
from benchmarks.http_load import Told, post_all, request_of
from benchmarks.latency import percentile
from benchmarks.load import PROJECT
from benchmarks.ours import worker
from benchmarks.programs import Program
from benchmarks.results import Result, compare
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size
from runledger.access.projects import create_key, create_project
from runledger.schemas.identifiers import new_run_id
from runledger.stack.ports import choose_port

NAME = "B9"
CLAIM = "HTTP gateway: usage posts acknowledged by the broker, for each core the gateway used; p99 at half that rate"
POSTS = 30_000
PER_CORE, P99_MS = 2_500, 50
_CONNECTIONS = 64
_START_SECONDS = 60


def measure(servers: Servers, size: Size) -> Result:
    """Measure posts per CPU second of the gateway, and the latency at half that pace.

    Raises:
        BenchmarkError: the gateway failed, or an acknowledged post is not in the topic.
    """
    per_core: list[float] = []
    wall: list[float] = []
    p50: list[float] = []
    p99: list[float] = []
    for number in range(1, size.rounds + 1):
        with servers.corner() as corner, gateway(corner) as (url, running):
            requests = usage_requests(corner, url, size.share(POSTS, 600))
            warm = len(requests) // 10
            asyncio.run(post_all(url, requests[:warm], _CONNECTIONS))
            before = running.usage().cpu_seconds
            full = asyncio.run(post_all(url, requests[warm:], _CONNECTIONS))
            per_core.append(len(full.seconds) / (running.usage().cpu_seconds - before))
            wall.append(len(full.seconds) / full.elapsed_seconds)
            pace = per_core[-1] / 2
            half = asyncio.run(post_all(url, requests[: max(100, int(pace * size.paced_seconds / 2))], 64, pace))
            p50.append(1000 * percentile(half.seconds, 0.5))
            p99.append(1000 * percentile(half.seconds, 0.99))
            _check(corner, warm + len(full.seconds) + len(half.seconds), full, half)
        say(f"round {number}: {per_core[-1]:,.0f}/s a core, {wall[-1]:,.0f}/s; at {pace:,.0f}/s p99 {p99[-1]:.1f} ms")
    extra = {
        "posts_per_second": round(statistics.median(wall)),
        "p50_ms": round(statistics.median(p50), 2),
        "p99_ms": round(statistics.median(p99), 2),
        "p99_rounds": [round(value, 2) for value in p99],
    }
    met = statistics.median(per_core) >= PER_CORE and statistics.median(p99) <= P99_MS
    target = f">= {PER_CORE:,}/s and p99 <= {P99_MS} ms"
    unit = "posts per CPU second"
    return compare(NAME, CLAIM, unit, {"ours": per_core}, {}, extra=extra, target=target, target_met=met)


@contextmanager
def gateway(corner: Corner) -> Iterator[tuple[str, Program]]:
    """Run a gateway; (its address, its process)."""
    port = choose_port()
    url = f"http://127.0.0.1:{port}"
    with worker(corner, "gateway", environment={"RUNLEDGER_HTTP_PORT": str(port)}) as running:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(url):
            running.check()
            if time.monotonic() > deadline:
                raise TooSlowError("the gateway does not get ready")
            time.sleep(0.1)
        yield url, running


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310  # our own gateway
            return bool(answer.status == 200)  # noqa: PLR2004  # HTTP's OK
    except (urllib.error.URLError, OSError):
        return False


def usage_requests(corner: Corner, url: str, count: int) -> list[bytes]:
    """Usage reports of a thousand runs, with the project's key."""
    with corner.connect() as connection:
        create_project(connection, PROJECT)
        key = create_key(connection, PROJECT, ["emit"]).text()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    usage = {
        "input_tokens": 8400,
        "output_tokens": 1200,
        "cost_usd": 0.028,
        "model": "claude-sonnet-4-5",
        "llm_calls": 3,
        "prompt_preview": "Which flights leave tomorrow before noon, and what do they cost?",
    }
    body = orjson.dumps({"token_usage": usage})
    runs = [new_run_id() for _ in range(1000)]
    return [request_of(url, f"/api/v1/runs/{runs[number % len(runs)]}/usage", headers, body) for number in range(count)]


def _check(corner: Corner, count: int, *told: Told) -> None:
    refused = {status for each in told for status in each.statuses if status != 201}  # noqa: PLR2004  # HTTP's Created
    if refused:
        raise WrongResultError(f"the gateway answered {sorted(refused)}")
    held = 0

    def take(_key: bytes, _value: bytes | None) -> None:
        nonlocal held
        held += 1

    topics.read_all(corner.kafka, corner.source, take)
    if held != count:
        raise WrongResultError(f"{count} posts were acknowledged, the topic holds {held} events")
