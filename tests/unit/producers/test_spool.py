from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from runledger.producers import SpoolLockedError
from runledger.producers.building import build
from runledger.producers.records import Record
from runledger.producers.spool import Spool
from runledger.producers.spool_files import open_left, open_own
from runledger.schemas.run_events import RunHeartbeat

MIB = 1024 * 1024


def record(number: int) -> Record:
    return Record.of(build(RunHeartbeat, {}, project="acme", run_id=UUID(int=1), event_id=f"event-{number}"))


def ids(spool: Spool, limit: int = 100) -> list[str]:
    return [record.event_id for record in spool.read(limit).records]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the spool is."""
    return tmp_path / "spool"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    """An empty spool."""
    spool = Spool(path, MIB)
    yield spool
    spool.close()


def test_events_come_out_in_order_and_stay_until_acknowledged(spool: Spool) -> None:
    assert all(spool.append(record(number)) for number in range(5))
    assert ids(spool, 2) == ["event-0", "event-1"]
    assert ids(spool, 2) == ["event-0", "event-1"]
    spool.acknowledge(spool.read(2))
    assert ids(spool) == ["event-2", "event-3", "event-4"]
    assert spool.waiting == 3


def test_only_its_owner_can_read_it(spool: Spool) -> None:
    assert stat.S_IMODE(spool.path.stat().st_mode) == 0o600


def test_an_empty_spool_gives_its_room_back(spool: Spool, path: Path) -> None:
    spool.append(record(1))
    spool.acknowledge(spool.read(10))
    assert path.stat().st_size == 39
    assert spool.append(record(2))
    assert ids(spool) == ["event-2"]


def test_what_was_left_is_taken_up_from_where_it_was_acknowledged(path: Path) -> None:
    first = Spool(path, MIB)
    for number in range(4):
        first.append(record(number))
    first.acknowledge(first.read(1))
    first.close()
    again = Spool(path, MIB)
    assert (again.waiting, ids(again)) == (3, ["event-1", "event-2", "event-3"])
    again.close()


def test_a_torn_last_line_is_cut_off(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = Spool(path, MIB)
    first.append(record(1))
    first.close()
    with path.open("ab") as file:
        file.write(record(2).value[:40])
    again = Spool(path, MIB)
    again.append(record(3))
    assert ids(again) == ["event-1", "event-3"]
    assert "a torn last line of 40 bytes" in caplog.text
    again.close()


def test_a_damaged_line_is_left_out_and_said(spool: Spool, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool.append(record(1))
    spool.append(record(2))
    with path.open("r+b") as file:
        file.seek(45)
        file.write(b"\x00\x00")
    chunk = spool.read(10)
    assert (chunk.lines, [record.event_id for record in chunk.records]) == (2, ["event-2"])
    assert "a damaged line" in caplog.text
    spool.acknowledge(chunk)
    assert spool.waiting == 0


@pytest.mark.parametrize("header", [b"runledger-spool 1 0000000000000009999\n", b"runledger-spool 1 000"])
def test_a_header_that_makes_no_sense_repeats_rather_than_loses(path: Path, header: bytes) -> None:
    first = Spool(path, MIB)
    first.append(record(1))
    first.acknowledge(first.read(0))
    first.close()
    content = path.read_bytes()
    path.write_bytes(header.ljust(39, b"\n")[:39] + content[39:])
    again = Spool(path, MIB)
    assert ids(again) == ["event-1"]
    again.close()


def test_a_file_of_somebody_elses_is_left_alone(path: Path) -> None:
    path.write_text("precious, and long enough to hold a header of ours in it\n")
    with pytest.raises(OSError, match="not a spool"):
        Spool(path, MIB)
    assert path.read_text().startswith("precious")


def test_it_is_bounded(path: Path) -> None:
    spool = Spool(path, 39 + 2 * len(record(0).value) + 2)
    assert [spool.append(record(number)) for number in range(3)] == [True, True, False]
    spool.acknowledge(spool.read(10))
    assert spool.append(record(4))
    spool.close()
    assert not spool.append(record(5))


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from tests.unit.producers.test_spool import record, ids
from runledger.producers.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
spool = Spool(Path(sys.argv[1]), 1024 * 1024)
taken = [spool.append(record(number)) for number in range(20)]
assert taken == sorted(taken, reverse=True) and 0 < sum(taken) < 20, taken
assert len(ids(spool)) == sum(taken) == spool.waiting
spool.acknowledge(spool.read(100))
assert spool.append(record(99)) and ids(spool) == ["event-99"]
"""


def test_a_full_disk_is_no_error_of_the_callers(path: Path) -> None:
    """A limit on the size of files stands for the disk."""
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == 0, done.stderr


def test_one_client_holds_a_file_and_the_next_takes_the_next(path: Path) -> None:
    first = open_own(path, MIB)
    with pytest.raises(SpoolLockedError):
        Spool(path, MIB)
    second = open_own(path, MIB)
    assert (first.path, second.path) == (path, path.with_name("spool.1"))
    first.close()
    second.close()


def test_what_the_dead_left_is_found_and_what_the_living_hold_is_not(path: Path) -> None:
    own, dead, living = open_own(path, MIB), open_own(path, MIB), open_own(path, MIB)
    for number, spool in enumerate((own, dead, living)):
        spool.append(record(number))
    dead.close()
    (left,) = open_left(path, MIB)
    assert ids(left) == ["event-1"]
    for spool in (own, living, left):
        spool.close()


class SpoolMachine(RuleBasedStateMachine):
    """Append, send, crash and tear at random, beside a list that cannot lose anything."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "spool"
        self.spool = Spool(self.path, 10 * MIB)
        self.waiting: list[str] = []
        self.count = 0

    @rule(events=st.integers(1, 5))
    def append(self, events: int) -> None:
        for _ in range(events):
            assert self.spool.append(record(self.count))
            self.waiting.append(f"event-{self.count}")
            self.count += 1

    @rule(limit=st.integers(1, 4))
    def send(self, limit: int) -> None:
        chunk = self.spool.read(limit)
        assert [record.event_id for record in chunk.records] == self.waiting[:limit]
        self.spool.acknowledge(chunk)
        del self.waiting[:limit]

    @rule(torn=st.integers(0, 100))
    def crash(self, torn: int) -> None:
        self.spool.abandon()
        with self.path.open("ab") as file:
            file.write(record(0).value[:torn])
        self.spool = Spool(self.path, 10 * MIB)

    @rule()
    def crash_before_the_acknowledgement_is_noted(self) -> None:
        self.spool.read(3)
        self.crash(0)

    @invariant()
    def nothing_is_lost_or_out_of_order(self) -> None:
        assert self.spool.waiting == len(self.waiting)
        assert ids(self.spool, 1000) == self.waiting

    def teardown(self) -> None:
        self.spool.close()
        self.folder.cleanup()


TestSpoolMachine = SpoolMachine.TestCase


def test_a_late_acknowledgement_writes_nothing_once_the_spool_is_closed(path: Path, tmp_path: Path) -> None:
    spool = Spool(path, MIB)
    for number in range(2):
        spool.append(record(number))
    chunk = spool.read(1)
    spool.close()
    with (tmp_path / "other").open("w+b", buffering=0) as other:  # takes the number of the descriptor just freed
        other.write(b"x" * 100)
        spool.acknowledge(chunk)
        spool.sync()
        assert (tmp_path / "other").read_bytes() == b"x" * 100
