"""Everything that reads records: a value or the documented error; the quick readers agree; writing is stable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from runledger.dlq.letters import Letter, headers_again, parse, why_not
from runledger.dlq.rendering import header_line, safe, safe_text
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import decode, decode_event, decode_run_log, encode, encode_event
from runledger.schemas.dead_letter_marks import Mark
from runledger.schemas.dead_letters import ORIGINAL, DeadLetter, original_headers
from runledger.schemas.errors import DecodeError, EncodeError
from runledger.schemas.lean_events import lean
from runledger.schemas.outcomes import Incident, LoggedRun, RunOutcome, StreakRevised
from runledger.schemas.quick_events import read_lean
from runledger.schemas.quick_records import read_record, write_record
from runledger.schemas.scoring import RunScored, ScoringJob
from runledger.schemas.snapshots import AgentHealth, Position, RunSnapshot
from tests.forms import form_of
from tests.fuzz.nasty import TEXTS, almost_bytes, examples_of
from tests.fuzz.running import Fuzzer, kept_cases

RECORDS: dict[str, type] = {
    "runs": RunSnapshot,
    "run-outcomes": RunOutcome,
    "agents": AgentHealth,
    "incidents": Incident,
    "scoring-jobs": ScoringJob,
    "run-scores": RunScored,
    "settings": AgentSettings,
    "run-positions": Position,
    "agent-positions": Position,
}


def told(read: Callable[[], object]) -> object:
    """What reading comes to: the record's form, or the error's words."""
    try:
        return form_of(read())
    except DecodeError as error:
        str(error).encode()  # it goes into headers and logs
        return error.reason, error.detail, error.field


def check_event(value: bytes) -> None:
    """Read bytes as an event in every way."""
    assert told(lambda: read_lean(value)) == told(lambda: lean(decode_event(value)))
    try:
        event = decode_event(value)
    except DecodeError:
        return
    try:
        written = encode_event(event)
    except EncodeError:  # it just fitted, and takes more with the names of all its fields
        return
    again = decode_event(written)
    assert again == event
    assert encode_event(again) == written


def check_record(kind: type, value: bytes) -> None:
    """Read bytes as a record of this kind in every way."""
    try:
        record: Any = decode(kind, value)
    except DecodeError as error:
        str(error).encode()
        record = None
    try:
        quick: Any = read_record(kind, value)
    except DecodeError:
        quick = None
    if record is None:
        return  # limits are not the quick reader's affair
    assert quick == record
    written = encode(record)
    assert decode(kind, written) == record
    assert encode(decode(kind, written)) == written
    assert decode(kind, write_record(record)) == record


def check_run_log(value: bytes) -> None:
    """Read bytes as a record of run-log."""
    try:
        record = decode_run_log(value)
    except DecodeError:
        return
    assert isinstance(record, LoggedRun | StreakRevised)
    assert decode_run_log(encode(record)) == record


_HEADER_NAMES = st.one_of(
    st.sampled_from(
        [
            *("runledger_topic", "runledger_partition", "runledger_offset", "runledger_reason", "runledger_mark"),
            *(
                "runledger_logged_at_ms",
                "original.",
                "original.ce_id",
                "runledger_replay_of",
                "ce_id",
                "%",
                "%00",
                "\x00",
            ),
        ]
    ),
    TEXTS.map(lambda text: text[:400]),
)
_HEADER_VALUES = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.sampled_from(
        [b"0", b"-1", b"9" * 30, b"9" * 5000, "\u0661".encode(), b"1_0", b" 1", b"a/b/1/2/3", b"replayed", b"dropped"]
    ),
)
HEADERS = st.lists(st.tuples(_HEADER_NAMES, _HEADER_VALUES), max_size=12)


def check_letter(headers: list[tuple[str, bytes | None]]) -> None:
    """Read headers as those of a dead letter; put them into one; show them."""
    found = parse(headers, (0, 1), datetime.now(UTC), (3, 4))
    if isinstance(found, Letter):
        why_not(found, original_headers(headers), b"{}", "runledger.", 4)
        headers_again(found, original_headers(headers))
    elif isinstance(found, Mark):
        found.headers()
    for name, content in headers:
        for shown in (header_line(name, content, payload=True), safe(content), safe_text(name)):
            assert shown.isprintable()
    made = DeadLetter("invalid", "x", "t", 0, 1, "sink", None, None, 5, headers)
    kept = [(name, content) for name, content in made.headers() if name.startswith(ORIGINAL)]
    assert original_headers(kept) == list(made.original)
    again = parse(made.headers(), (0, 1), datetime.now(UTC), (None, None))
    assert isinstance(again, Letter)


def fuzzers() -> Iterable[Fuzzer[Any]]:
    """Fuzzers of all readers."""
    yield Fuzzer("events", almost_bytes(examples_of("run-events")), check_event)
    kinds = sorted(RECORDS)
    documents = {topic: examples_of(topic) for topic in kinds}
    records = st.sampled_from(kinds).flatmap(lambda topic: st.tuples(st.just(topic), almost_bytes(documents[topic])))
    yield Fuzzer("records", records, lambda pair: check_record(RECORDS[pair[0]], pair[1]))
    yield Fuzzer("run-log", almost_bytes(examples_of("run-log")), check_run_log)
    yield Fuzzer("dead-letters", HEADERS, check_letter)


def check_kept() -> None:
    """Check what once was found."""
    for _, value in kept_cases("events"):
        check_event(value)
    for _, value in kept_cases("run-log"):
        check_run_log(value)
