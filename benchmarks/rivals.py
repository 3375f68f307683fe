"""The peers as contestants: each a small program of its own environment, on the same topic."""

from __future__ import annotations

import pickle
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
import psycopg

from benchmarks import topics
from benchmarks.checks import changelog_sums, check_sums, check_totals
from benchmarks.load import Load, Totals
from benchmarks.programs import PEERS, Program, peer_python, program
from benchmarks.rates import Rate, watch
from benchmarks.servers import Corner
from benchmarks.sizes import Size

ENVIRONMENT = ".venv-bench-peers"
ARROYO_ENVIRONMENT = ".venv-bench-arroyo"
QUIX_COMMIT_SECONDS = 1.0
"""Quix's default is 5 s; its position shows once a commit, and ours ten times a second."""
_QUIX_COMMITS = 30
_BYTEWAX_EPOCH_SECONDS = 0.5
_FAUST_SHARE = 10
"""Plain Faust reads a tenth of the events: it takes as long for them as others for all."""


@contextmanager
def quix(corner: Corner, *, commit_seconds: float, commit_every: int, sink: bool = False) -> Iterator[Program]:
    """Run Quix Streams' sum, with or without its PostgreSQL sink; its group is `<prefix>quix`."""
    command = [peer_python(ENVIRONMENT), str(PEERS / "quix_sum.py"), corner.kafka, corner.source]
    command += [f"{corner.word}-quix", str(corner.folder / "quix"), str(commit_seconds), str(commit_every)]
    if sink:
        parts = psycopg.conninfo.conninfo_to_dict(corner.settings.postgres)
        command += [str(parts.get(name) or "") for name in ("host", "port", "dbname", "user", "password")]
    with program("quix", command, corner.folder) as running:
        yield running


@contextmanager
def arroyo(corner: Corner, *, batch_seconds: float) -> Iterator[Program]:
    """Run arroyo's consumer with psycopg upserts."""
    command = [peer_python(ARROYO_ENVIRONMENT), str(PEERS / "arroyo_upsert.py"), corner.kafka, corner.source]
    command += [f"{corner.word}-arroyo", corner.settings.postgres, str(batch_seconds)]
    with program("arroyo", command, corner.folder) as running:
        yield running


def quix_rate(corner: Corner, load: Load, size: Size) -> Rate:
    """Events a second of Quix Streams, stateful, with its changelog.

    It commits every thirtieth of the log, so that its last commit does not wait for a timer.

    Raises:
        BenchmarkError: it ended, was too slow, or its sums are wrong.
    """
    partitions = corner.settings.partitions
    with (
        closing(topics.GroupPosition(corner.kafka, f"{corner.word}-quix", corner.source, partitions)) as position,
        quix(corner, commit_seconds=QUIX_COMMIT_SECONDS, commit_every=load.count // _QUIX_COMMITS) as running,
    ):
        rate = watch(position, load.count, deadline_seconds=size.deadline_seconds, check=running.check)
    check_sums("Quix Streams", changelog_sums(corner, "changelog", "quix"), load.totals())
    return rate


def faust_rate(corner: Corner, load: Load, size: Size) -> Rate:
    """Events a second of plain Faust's tables.

    Raises:
        BenchmarkError: it ended, was too slow, or its sums are wrong.
    """
    count, partitions, group = load.count // _FAUST_SHARE, corner.settings.partitions, f"{corner.word}-faust"
    source = f"{corner.word}-faust-source"
    topics.create(corner.kafka, [source], partitions)
    topics.fill(corner.kafka, source, load.records[:count])
    environment = {
        "BENCH_KAFKA": corner.kafka,
        "BENCH_TOPIC": source,
        "BENCH_GROUP": group,
        "BENCH_PARTITIONS": str(partitions),
        "BENCH_FOLDER": str(corner.folder),
    }
    command = (peer_python(ENVIRONMENT), str(PEERS / "faust_sum.py"), "worker", "-l", "error", "--without-web")
    with (
        closing(topics.GroupPosition(corner.kafka, group, source, partitions)) as position,
        program("faust", command, corner.folder, environment) as running,
    ):
        rate = watch(position, count, deadline_seconds=size.deadline_seconds, check=running.check)
    found = [pair for pair in changelog_sums(corner, "faust", "changelog") if pair != (0, 0)]
    check_sums("Faust", found, load.totals(count))
    return rate


def bytewax_rate(corner: Corner, load: Load, size: Size) -> Rate:
    """Events a second of bytewax's stateful_map, recovery on; its position is what its recovery store holds.

    Raises:
        BenchmarkError: it ended, was too slow, or its sums are wrong.
    """
    folder = corner.folder / "bytewax"
    script = (peer_python(ENVIRONMENT), str(PEERS / "bytewax_sum.py"))
    arguments = ("run", corner.kafka, corner.source, str(folder), str(_BYTEWAX_EPOCH_SECONDS))
    with program("bytewax", (*script, *arguments), corner.folder) as running:
        rate = watch(
            lambda: _bytewax_position(folder),
            load.count,
            deadline_seconds=size.deadline_seconds,
            check=running.check,
            pause_seconds=0.05,
        )
        running.wait(size.deadline_seconds)
    done = subprocess.run((*script, "totals", str(folder)), capture_output=True, check=True, timeout=60)
    found: Totals = {key: (tokens, events) for key, (tokens, events) in orjson.loads(done.stdout).items()}
    check_totals("bytewax", found, load.totals())
    return rate


def _bytewax_position(folder: Path) -> int:
    """Sum of the partitions' offsets in the recovery store: they are written with each epoch's state."""
    positions: dict[str, int] = {}
    for part in folder.glob("*.sqlite3"):
        store = sqlite3.connect(f"file:{part}?mode=ro", uri=True, timeout=1)
        try:
            rows = store.execute(
                "SELECT state_key, ser_change FROM snaps WHERE step_id = 'sums.input' ORDER BY snap_epoch"
            )
            # What our own peer program has pickled: an offset.
            positions |= {key: pickle.loads(state) or 0 for key, state in rows if state is not None}  # noqa: S301
        except sqlite3.OperationalError:  # not made yet, or being written
            time.sleep(0.01)
        finally:
            store.close()
    return sum(positions.values())
