"""docs/semantics.md says what the code does: each story's events are folded, and each table is what comes of it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from markdown_it import MarkdownIt

from runledger.analytics.pipeline import Listening, Span
from runledger.analytics.verdicts import AgentRow, judge_agent
from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.run_events import AnyRunEvent, RunHeartbeat
from tests import documents
from tests.semantics import Play, Section, Table, clock, sections, shown

_HOUR = 3600
SECTIONS = {section.title: section for section in sections()}
FOLDED = {"log time", "run", "counted", "asked at"}
"""First columns of tables that are checked here against the section's events."""
ELSEWHERE = {"error": "here, by itself", "at": "tests/integration/test_documented_semantics.py: its columns are SQL's"}


def _first(section: Section) -> set[str]:
    return {table.columns[0] for table in section.tables}


STORIES = sorted(title for title, section in SECTIONS.items() if _first(section) & FOLDED)


def test_every_table_is_checked_by_somebody() -> None:
    assert len(STORIES) == 8
    firsts = [table.columns[0] for section in SECTIONS.values() for table in section.tables]
    assert set(firsts) <= FOLDED | ELSEWHERE.keys()
    assert [firsts.count(name) for name in ELSEWHERE] == [1, 1]
    assert sum(len(_first(section)) for section in SECTIONS.values()) == len(firsts), "a section has two of one kind"
    read = MarkdownIt("commonmark").enable("table").parse(documents.text("docs/semantics.md"))
    assert len(firsts) == sum(token.type == "table_open" for token in read), "one is not read"


@pytest.mark.parametrize("title", STORIES)
def test_a_story_ends_as_its_tables_say(title: str) -> None:
    section, play = SECTIONS[title], Play()
    kinds = {table.columns[0]: table for table in section.tables}
    if steps := kinds.get("log time"):
        _play(section, steps, play)
    else:
        for event in section.events:
            play.hear(event, event.occurred_at)
    if runs := kinds.get("run"):
        _compare_runs(runs, play)
    if counted := kinds.get("counted"):
        _compare_usage(counted, play, section.events[0].run_id)
    if asked := kinds.get("asked at"):
        _compare_findings(asked, play)


def _play(section: Section, steps: Table, play: Play) -> None:
    """Log the story's events at the times of the table's lines, and look at the rows after each."""
    events = list(section.events)
    run_id = events[0].run_id
    for line in steps.lines():
        at = clock(line["log time"])
        name, *status = line["event"].split()
        if name == "timed_out":
            assert play.wait(at) == [(at, str(run_id))]
        else:
            assert play.wait(at) == []
            event = events.pop(0)
            run_id = event.run_id
            assert name == _name(event)
            assert status in ([], [_status(event)])
            play.hear(event, at)
        _compare_line(line, play, run_id, section)
    assert events == []


def _name(event: AnyRunEvent) -> str:
    """The event's type, as a file of runs names it."""
    name = event.type.split(".")[-2]
    return "usage" if name == "reported" else name


def _status(event: AnyRunEvent) -> str | None:
    return getattr(event.data, "status", None)


def _compare_line(line: dict[str, str], play: Play, run_id: UUID, section: Section) -> None:
    columns = [name for name in line if name not in {"log time", "event"}]
    if "incident" in columns:
        ends = {shown(event.occurred_at): event.run_id for event in section.events}
        rows = {name: play.rows.get(ends[name]) for name in columns if name != "incident"}
        found = {name: "" if row is None else shown(row.consecutive_failure_count) for name, row in rows.items()}
        found["incident"] = play.incidents[-1].state if play.incidents else ""
    else:
        found = play.row(run_id)
    assert {name: found[name] for name in columns} == {name: line[name] for name in columns}, line


def _compare_runs(table: Table, play: Play) -> None:
    runs = {str(run_id)[-4:]: run_id for run_id in play.runs}
    for line in table.lines():
        found = play.row(runs[line["run"]])
        named = [name for name in line if name not in {"run", "what it told"}]
        assert {name: found[name] for name in named} == {name: line[name] for name in named}, line
    assert len(table.rows) == len(runs)


def _compare_usage(table: Table, play: Play, run_id: UUID) -> None:
    run = play.runs[run_id]
    sides = {"reported": run.reported, "final": run.final, "used": run.usage}
    for line in table.lines():
        side = sides.pop(line.pop("counted"))
        assert {name: shown(getattr(side, name)) for name in line} == line
    assert sides == {}


def _compare_findings(table: Table, play: Play) -> None:
    """Ask the auditor's own judgement, with an expected interval of an hour, as the story says."""
    for line in table.lines():
        health = play.agent(line["agent"])
        heard_at = max(run.heard_at for run in play.runs.values() if run.agent_id == health.agent_id and run.heard_at)
        row = AgentRow(
            project_key=health.project_key,
            agent_id=health.agent_id,
            name=None,
            role=None,
            retired=False,
            created_at=heard_at,
            expected_interval_seconds=_HOUR,
            silence_threshold=None,
            failure_threshold=None,
            heard_at=heard_at,
            last_logged_at=health.last_logged_at,
            last_status=health.last_status,
            finished_runs=health.finished_runs,
            consecutive_silence_count=health.consecutive_silence_count,
            consecutive_failure_count=health.consecutive_failure_count,
        )
        judged = judge_agent(row, _listening(line["the pipeline listened"]), ())
        unheard = "" if judged.unheard_seconds is None else f"{judged.unheard_seconds / 60:.0f} min"
        assert (unheard, ", ".join(judged.findings)) == (line["unheard"], line["findings"]), line


def _listening(text: str) -> Listening | None:
    if text == "not known":
        return None
    spans = (span.split("-") for span in text.split(", "))
    return Listening(Span(clock(began), clock(reached)) for began, reached in spans)


def test_what_was_told_twice_and_in_disorder_ends_as_if_told_once_and_in_order() -> None:
    told = SECTIONS["Told twice, and in the wrong order"].events
    distinct = {event.event_id: event for event in told}
    ordered, disordered = Play(), Play()
    for event in sorted(distinct.values(), key=lambda event: event.occurred_at):
        ordered.hear(event, event.occurred_at)
    for number, event in enumerate(told):
        disordered.hear(event, clock("09:11") + timedelta(minutes=number))
    log_times = {"version", "born_offset", "last_logged_at", "heard_at", "end_logged_at", "run_at"}
    first, second = (play.row(told[0].run_id) for play in (ordered, disordered))
    assert {name: first[name] for name in first.keys() - log_times} == {
        name: second[name] for name in second.keys() - log_times
    }


def test_a_heartbeat_within_the_hour_keeps_a_run_open() -> None:
    started, *_ = SECTIONS["A run goes silent, and its own end comes late"].events
    play = Play()
    play.hear(started, clock("09:00"))
    beat = RunHeartbeat(
        event_id="beat", project_key=started.project_key, run_id=started.run_id, occurred_at=clock("09:50")
    )
    play.hear(beat, beat.occurred_at)
    assert play.wait(clock("10:49")) == []
    assert len(play.wait(clock("10:50"))) == 1


def test_failures_are_of_one_kind_where_the_page_says_so() -> None:
    (table,) = SECTIONS["Which failures are one kind"].tables
    kinds = [(line["kind"], fingerprint("default", line["error"])) for line in table.lines()]
    assert len(set(kinds)) == len({kind for kind, _ in kinds}) == len({found for _, found in kinds}) == 3
