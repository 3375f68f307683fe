"""Faults 16 to 19: records that cannot be processed, and producers of other versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from runledger.schemas import dead_letters
from runledger.schemas.codec import encode, encode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import AnyRunEvent, RunStarted, StartedData
from runledger.schemas.topics import DEAD_LETTERS, INCIDENTS, RUN_EVENTS, RUN_SCORES, SETTINGS
from runledger.vitals.exits import EXIT_STOPPED
from tests.e2e.command import runledger
from tests.e2e.pipeline import wait_for
from tests.faults.ledger import key_of
from tests.faults.site import MakeSite
from tests.faults.test_time import life
from tests.stories import BEGAN
from tests.unit.sinks.build import score

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

FLOOD = 200
LIMIT = 50
BATCH = 500


def started(number: int, **data: object) -> RunStarted:
    """A run that only began."""
    run = {"project_key": "alpha", "run_id": UUID(int=number), "agent_id": "poisoner", "occurred_at": BEGAN}
    return RunStarted(event_id=f"poison-{number}", **run, data=StartedData(summary="try it", **data))


def key(event: AnyRunEvent) -> bytes:
    """Its key in Kafka."""
    return run_key(event.project_key, event.run_id)


def poisons() -> list[tuple[bytes | None, bytes | None]]:
    """Every kind of record that is no event, or not one that may be stored."""
    good = started(1)
    value = encode_event(good)

    def with_meta(meta: bytes) -> bytes:
        return value.replace(b'"meta":{}', b'"meta":{"x":' + meta + b"}")

    assert with_meta(b"1") != value
    values = [
        b"{no",
        b"\xff\xfe",
        b"",
        None,
        b"[]",
        b"null",
        value.replace(b"runledger.run.started.v1", b"runledger.run.begun.v9"),
        value.replace(b'"specversion":"1.0"', b'"specversion":"9.0"'),
        value.replace(b"try it", b"a\\u0000b"),
        value.replace(b"try it", b"a\\ud800b"),
        with_meta(b"NaN"),
        with_meta(b"1" + b"0" * 400),
        with_meta(b"1e400"),
        with_meta(b"[" * 10_000 + b"]" * 10_000),
        with_meta(b'"' + b"h" * 890_000 + b'"'),
        value + b" " * 20_000_000,
    ]
    return [*((key(good), bad) for bad in values), (b"alpha/other", value), (None, b"{}")]


def test_fault_16_poison(site: MakeSite) -> None:
    """Every kind of it, between good events, goes to dead-letters once, and nothing else does."""
    here = site(16, "poison")
    load = here.load(2000, 400)
    here.wait_until_working()
    here.inject(RUN_EVENTS, *poisons())
    here.inject(RUN_SCORES, (b"alpha/x", b"{no"), (b"alpha/x", b'{"job_id": 5}'), (None, None))
    here.inject(SETTINGS, (b"alpha/x", b"{"), (b"No/a", b'{"project_key": "No", "agent_id": "a"}'))
    load.wait()
    here.judge("O1", "O2", "O8")
    assert [worker.exits for worker in here.running.workers] == [[], [], [], []]


def test_fault_17_one_hostile_value_among_500(site: MakeSite) -> None:
    """The database refuses one record of a whole batch: all the others are stored."""
    here = site(17, "one hostile value in a batch", workers=("processor", "relay", "scorer"))
    here.load(BATCH).wait()
    wait_for("the batch", lambda: not [part for part in here.lag() if part.startswith("processors")], 60)
    hostile = score(1, scorer="a\x00b")
    here.inject(RUN_SCORES, (run_key(hostile.project_key, hostile.run_id), encode(hostile)))
    here.running.start("sink", {"RUNLEDGER_BATCH_RECORDS": "5000"})
    here.judge("O1", "O2", "O5", "O8")
    (letter,) = here.evidence().topic(DEAD_LETTERS)
    assert letter.headers[dead_letters.REASON] == b"refused_by_database"


def test_fault_18_flood_of_an_unknown_schema(site: MakeSite) -> None:
    """The sink stops at its limit, loudly, again and again, until a person has let it go on; nothing is lost."""
    here = site(18, "unknown-schema flood", RUNLEDGER_DEAD_LETTER_LIMIT=str(LIMIT))
    here.load(800).wait()
    here.wait_until_working()
    (sink,) = here.workers("sink")
    here.inject(INCIDENTS, *[(b"alpha/agent", b'{"version": "of tomorrow"}')] * FLOOD)
    wait_for("a loud stop", lambda: bool(sink.exits), 60)
    assert set(sink.exits) == {EXIT_STOPPED}
    assert b"dead letters" in sink.log.read_bytes()
    sink.stop()
    here.running.start("sink", {"RUNLEDGER_DEAD_LETTER_LIMIT": "0"})
    here.load(400)
    here.judge("O1", "O2", "O8")


def other_versions(event: AnyRunEvent) -> tuple[bytes, bytes]:
    """The same event as a producer one version behind would write it, and one version ahead."""
    document = orjson.loads(encode_event(event))
    behind = {name: value for name, value in document.items() if name not in {"source", "datacontenttype"}}
    behind["data"] = {name: value for name, value in document["data"].items() if value not in (None, [], {}, False)}
    ahead = document | {"dataschema": "https://example.org/v2", "traceparent": "00-1-2-03"}
    ahead["data"] = document["data"] | {"invented_later": {"deep": [1, {"x": None}]}, "more": "words"}
    return orjson.dumps(behind), orjson.dumps(ahead)


def test_fault_19_producers_of_other_versions(site: MakeSite) -> None:
    """Both are understood; what a later version added is left out."""
    here = site(19, "producers one version behind and one ahead")
    events = list(here.story(2000))
    records = [(key(event), other_versions(event)[number % 2]) for number, event in enumerate(events)]
    here.inject(RUN_EVENTS, *records, poison=False)
    for event in events:
        here.ledger.note(key_of(event), "ok")
    here.judge("O1", "O2", "O5", "O8")


REFUSING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.agent_id = 'banned' THEN
        RAISE EXCEPTION 'not this one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON agent_run_log FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def test_fault_20_dead_letters_replayed_twice(site: MakeSite) -> None:
    """The database refuses an agent's finished runs until it is mended; then they are replayed, twice over."""
    here = site(20, "dead letters replayed twice")
    here.connection.execute(REFUSING)
    here.load(800)
    at = datetime(2026, 4, 1, tzinfo=UTC)
    here.tell(*(event for hour in range(3) for event in life("banned", at + timedelta(hours=hour))))
    wait_for("the refusals", lambda: len(here.evidence().letters) == 3, 60)
    here.poison = set(here.evidence().letters)
    here.connection.execute("DROP TRIGGER refuse ON agent_run_log")
    for sent in (3, 0):
        done = runledger(here.settings, "dlq", "replay", "--all", "--yes", "--json")
        assert done.returncode == 0, done.stderr
        assert orjson.loads(done.stdout)["done"] == sent
    here.judge("O1", "O2", "O5", "O8")
