from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

import pytest

from runledger.contracts import CONTRACTS
from runledger.contracts.compatibility import Rule, breaches
from runledger.contracts.contracts import Contract
from runledger.contracts.json_schemas import json_schema_of
from runledger.schemas.topics import SCORING_JOBS

Json: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Json], object]

NOW: dict[str, Json] = {contract.name: json_schema_of(contract) for contract in CONTRACTS}


def found(name: str, change: Change) -> list[tuple[str, Rule]]:
    """The breaches that a change of one contract makes: (path, rule)."""
    changed = copy.deepcopy(NOW)
    change(changed[name])
    return [(breach.path, breach.rule) for breach in breaches(NOW, changed)]


def of(schema: Json, message: str, *way: str) -> Json:
    """A message's definition, or the definition of a field of it."""
    found: Json = schema["$defs"][message]
    for step in way:
        found = found["properties"][step]
    return found


def rename(schema: Json) -> None:
    fields = of(schema, "RunSnapshot")["properties"]
    fields["finished_at"] = fields.pop("ended_at")


def require_a_new_field(schema: Json) -> None:
    of(schema, "StartedData")["properties"]["team"] = {"type": "string"}
    of(schema, "StartedData")["required"] = ["team"]


def a_second_message(schema: Json) -> None:
    schema["oneOf"].append({"$ref": "#/$defs/RunPaused"})
    kind = {"type": {"type": "string", "const": "runledger.run.paused.v1"}}
    schema["$defs"]["RunPaused"] = {"type": "object", "properties": kind, "required": ["type"]}


BREAKING: list[tuple[str, str, Change, str, Rule]] = [
    (
        "a field is removed",
        "runs.v1",
        lambda s: of(s, "RunSnapshot")["properties"].pop("ended_at"),
        "ended_at",
        "field removed",
    ),
    ("a field is renamed", "runs.v1", rename, "ended_at", "field removed"),
    (
        "a field within a list is removed",
        "agents.v1",
        lambda s: of(s, "WindowEntry")["properties"].pop("silent"),
        "window[].silent",
        "field removed",
    ),
    (
        "a type is narrowed: null is taken away",
        "run-events.v1",
        lambda s: of(s, "EndedData", "summary").update(type="string"),
        "data.summary",
        "type changed",
    ),
    (
        "a type is narrowed: text for free JSON",
        "run-events.v1",
        lambda s: of(s, "EndedData", "meta").update(additionalProperties={"type": "string"}),
        "data.meta[]",
        "type changed",
    ),
    (
        "a type is narrowed: an integer for a number",
        "run-log.v1",
        lambda s: of(s, "Baseline", "mean_total_tokens").update(type=["integer", "null"]),
        "baseline.mean_total_tokens",
        "type changed",
    ),
    (
        "a type is widened: what was always there may be null",
        "incidents.v1",
        lambda s: of(s, "Incident", "threshold").update(type=["integer", "null"]),
        "threshold",
        "type changed",
    ),
    (
        "a pair becomes a triple",
        "runs.v1",
        lambda s: of(s, "RunSnapshot", "agent_rank")["prefixItems"].append({"type": "integer"}),
        "agent_rank[2]",
        "type changed",
    ),
    (
        "a time is no time any more",
        "runs.v1",
        lambda s: of(s, "RunSnapshot", "last_logged_at").pop("format"),
        "last_logged_at",
        "type changed",
    ),
    (
        "a field is required of producers",
        "run-events.v1",
        lambda s: of(s, "StartedData").update(required=["summary"]),
        "data.summary",
        "field required",
    ),
    ("a new field is required of producers", "run-events.v1", require_a_new_field, "data.team", "field required"),
    (
        "a field that always stood there may be missing",
        "runs.v1",
        lambda s: of(s, "RunSnapshot")["required"].remove("version"),
        "version",
        "field no longer required",
    ),
    (
        "a value is removed",
        "run-events.v1",
        lambda s: of(s, "EndedData", "status")["enum"].remove("interrupted"),
        "data.status",
        "values changed",
    ),
    (
        "a value comes that readers do not know",
        "incidents.v1",
        lambda s: of(s, "Incident", "kind")["enum"].append("quiet"),
        "kind",
        "values changed",
    ),
    (
        "a limit of text is tightened",
        "run-events.v1",
        lambda s: of(s, "FailureData", "error").update(maxLength=4000),
        "data.error",
        "limit changed",
    ),
    (
        "a limit of text is loosened beyond what readers hold",
        "run-events.v1",
        lambda s: of(s, "FailureData", "error").update(maxLength=80_000),
        "data.error",
        "limit changed",
    ),
    (
        "a limit of numbers is tightened",
        "run-scores.v1",
        lambda s: of(s, "RunScored", "overall").update(maximum=0.5),
        "overall",
        "limit changed",
    ),
    (
        "a limit of lists is tightened",
        "run-events.v1",
        lambda s: of(s, "UsageData", "traces").update(maxItems=100),
        "data.traces",
        "limit changed",
    ),
    (
        "a pattern is changed",
        "run-events.v1",
        lambda s: of(s, "RunStarted", "projectkey").update(pattern="^[a-z]+$"),
        "projectkey",
        "limit changed",
    ),
    (
        "what is left out means something else",
        "runs.v1",
        lambda s: of(s, "RunSnapshot", "status").update(default="completed"),
        "status",
        "default changed",
    ),
    (
        "a unit is changed",
        "settings.v1",
        lambda s: of(s, "AgentSettings", "deadline_seconds").update({"x-unit": "minutes"}),
        "deadline_seconds",
        "unit changed",
    ),
    (
        "a message is removed",
        "run-events.v1",
        lambda s: s["oneOf"].pop(2),
        "",
        "message removed",
    ),
    ("a key is changed", "runs.v1", lambda s: s["x-kafka"]["key"].update(pattern="^.*$"), "key", "limit changed"),
    (
        "a header is removed",
        "run-events.v1",
        lambda s: s["x-kafka"]["headers"]["properties"].pop("ce_id"),
        "headers.ce_id",
        "field removed",
    ),
    (
        "a reason of tombstones is removed",
        "runs.v1",
        lambda s: s["x-kafka"]["tombstone_headers"]["properties"]["runledger_reason"]["enum"].remove("evicted"),
        "tombstone_headers.runledger_reason",
        "values changed",
    ),
    (
        "a compacted topic forgets",
        "runs.v1",
        lambda s: s["x-kafka"]["config"].update({"cleanup.policy": "delete"}),
        "",
        "topic changed",
    ),
    (
        "keys go to other partitions",
        "runs.v1",
        lambda s: s["x-kafka"].update(partitioner="consistent_random"),
        "",
        "topic changed",
    ),
]

ADDITIVE: list[tuple[str, str, Change]] = [
    ("nothing", "runs.v1", lambda _: None),
    (
        "a new field that may be missing",
        "runs.v1",
        lambda s: of(s, "RunSnapshot")["properties"].update(team={"type": ["string", "null"], "default": None}),
    ),
    (
        "a new field deep within",
        "run-events.v1",
        lambda s: of(s, "TokenUsage")["properties"].update(audio_tokens={"type": "integer"}),
    ),
    ("a new message with a type of its own", "run-events.v1", a_second_message),
    ("a new header", "runs.v1", lambda s: s["x-kafka"]["headers"]["properties"].update(trace={"type": "string"})),
    ("other words", "runs.v1", lambda s: of(s, "RunSnapshot", "version").update(description="Higher is newer.")),
    ("other examples", "runs.v1", lambda s: of(s, "RunSnapshot").update(examples=[])),
    ("another name in the schema alone", "runs.v1", lambda s: rename_definition(s, "UsageTotals", "Totals")),
]


def rename_definition(schema: Json, old: str, new: str) -> None:
    schema["$defs"][new] = schema["$defs"].pop(old)
    for field in of(schema, "RunSnapshot")["properties"].values():
        for place in (field, *field.get("anyOf", ())):
            if place.get("$ref") == f"#/$defs/{old}":
                place["$ref"] = f"#/$defs/{new}"


@pytest.mark.parametrize(
    ("name", "change", "path", "rule"), [pytest.param(*case[1:], id=case[0].replace(" ", "-")) for case in BREAKING]
)
def test_a_breaking_change_is_refused(name: str, change: Change, path: str, rule: Rule) -> None:
    assert (path, rule) in found(name, change)


@pytest.mark.parametrize(
    ("name", "change"), [pytest.param(*case[1:], id=case[0].replace(" ", "-")) for case in ADDITIVE]
)
def test_an_addition_passes(name: str, change: Change) -> None:
    assert found(name, change) == []


SAYS_NOTHING = {"title", "description", "examples", "$schema", "$id", "discriminator"}
MAY_DIFFER = {"partitions", "written_by", "read_by", "max.message.bytes", "retention.ms"}
"""Of the topic's own facts; operators set some of them, and the others are words."""
COMPACTION = {"segment.ms", "segment.bytes", "min.cleanable.dirty.ratio", "max.compaction.lag.ms"}


def ways(part: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401  # any JSON value
    """Yield the way to every part of a contract that says something."""
    steps = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for step, inner in steps:
        named = isinstance(step, str) and way[-1:] != ("properties",) and way[-1:] != ("$defs",)
        says_nothing = named and (step in SAYS_NOTHING | MAY_DIFFER | COMPACTION or inner is True or inner == {})
        if not says_nothing:
            yield (*way, step)
            yield from ways(inner, (*way, step))


@pytest.mark.parametrize("name", NOW)
def test_whatever_says_something_cannot_be_taken_away(name: str) -> None:
    """One part of a contract at a time; what nothing refers to may go."""
    unnoticed = []
    changed = copy.deepcopy(NOW[name])
    for *way, last in ways(NOW[name]):
        place: Any = changed
        for step in way:
            place = place[step]
        taken = place.pop(last)
        try:
            noticed = any(breaches({name: NOW[name]}, {name: changed}))
        except (KeyError, AttributeError):  # no schema any more
            noticed = True
        place.update({last: taken}) if isinstance(place, dict) else place.insert(last, taken)
        if not noticed:
            unnoticed.append((*way, last))
    assert unnoticed == [("type",)]  # of the whole, which its messages say too


def test_a_message_cannot_be_added_where_readers_look_at_no_type() -> None:
    assert ("", "type changed") in found("runs.v1", a_second_message)


def test_each_breach_is_told_once_in_one_line() -> None:
    changed = copy.deepcopy(NOW)
    of(changed["runs.v1"], "UsageTotals")["properties"].pop("llm_calls")
    assert [str(breach) for breach in breaches(NOW, changed)] == [
        f"runs.v1: {path}.llm_calls: field removed: or renamed" for path in ("reported", "final", "usage")
    ]


def test_with_a_new_version_anything_may_change() -> None:
    changed = {name: schema for name, schema in NOW.items() if name != "runs.v1"} | {"runs.v2": {"oneOf": []}}
    assert list(breaches(NOW, changed)) == []


@pytest.mark.parametrize("instead", [{}, {"runs.v0": {}}])
def test_a_topic_that_is_promised_no_longer_is_refused(instead: dict[str, Json]) -> None:
    changed = {name: schema for name, schema in NOW.items() if name != "runs.v1"} | instead
    assert [breach.rule for breach in breaches(NOW, changed)] == ["topic changed"]


def test_a_version_that_records_carry_is_a_version_of_the_contract() -> None:
    @dataclass(frozen=True)
    class Job:
        """A job."""

        rubric: str
        schema_version: int = 2

    assert Contract(SCORING_JOBS, (Job,)).name == "scoring-jobs.v2"


def test_every_rule_is_tried() -> None:
    tried = {case[4] for case in BREAKING}
    assert tried == set(get_args(Rule))
