"""What a terminal shows of one run."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from runledger.analytics.readings import FailureReading, LogReading, RunFound, RunReading
from runledger.analytics.run_account import FailureKindReading, ModelReading, RunAccount, UsageReading
from runledger.analytics.run_list import ListedRun
from runledger.analytics.run_story import DeliveredEvent
from runledger.cli.run import run_seconds, runs_table
from runledger.cli.run_view import RunShown, run_document, run_view
from tests.unit.runledger.cli.build import HOSTILE, NOON, made, obeyed, printed, run_number, step

LATER = NOON + timedelta(seconds=90)


def _shown(words: str = "fix it", **known: Any) -> RunShown:  # noqa: ANN401  # any field of the run
    usual = {
        "run_id": run_number(1),
        "kind": "lifecycle",
        "status": "completed",
        "outcome": "partial",
        "agent_id": words,
        "summary": words,
        "end_summary": words,
        "task_id": words,
        "started_at": NOON,
        "ended_at": LATER,
        "heard_at": LATER,
        "total_tokens": 12_345,
        "cost_usd": Decimal("0.5"),
        "cost_source": "mixed",
        "usage_mismatch": True,
        "score": 0.75,
        "score_dimensions": {words: 0.5, "errors": 1.0},
        "consecutive_silence_count": 0,
        "consecutive_failure_count": 2,
    }
    run = made(RunReading, **usual | known)
    log = made(LogReading, action_summary=words)
    usage = made(UsageReading, child_count=2, clock_clamped=True)
    failure = made(FailureReading, fingerprint="ab" * 32, summary=words, error=f"{words}\n{words}")
    kind = made(
        FailureKindReading, fingerprint="ab" * 32, state="open", failures_in_run=2, failure_count=7, last_seen_at=NOON
    )
    models = [
        made(ModelReading, model=words, at_end=False, reports=3, reports_with_cost=2, stated_cost_usd=Decimal(1)),
        made(ModelReading, model=None, at_end=True, reports=1, reports_with_cost=0),
    ]
    events = [_event("1", "runledger.run.started.v1", {"summary": words}), *_repeated(words)]
    account = RunAccount(RunFound(run, [failure], log), usage, models, [kind])
    return RunShown("acme", account, events, more_events=True, steps=[step(words)])


def _event(number: str, type_: str, data: dict[str, Any] | None, *, repeated: bool = False) -> DeliveredEvent:
    place = {"log_partition": 0, "log_offset": int(number), "logged_at": NOON}
    told = {"event_id": f"e{number}", "type": type_, "occurred_at": NOON, "data": data, "data_bytes": 99_999}
    return made(DeliveredEvent, repeated=repeated, **place, **told)


def _repeated(words: str) -> list[DeliveredEvent]:
    failed = [
        _event(number, "runledger.failure.recorded.v1", {"summary": words}, repeated=number == "3") for number in "23"
    ]
    return [*failed, _event("4", "runledger.usage.reported.v1", None)]


def test_all_that_is_known_of_a_run_is_shown() -> None:
    shown = " ".join(printed(run_view(_shown(), LATER), 140).split())
    for words in (
        f"run {run_number(1)}",
        "status completed, logged as partial",
        "ended 2026-03-01 12:01:30Z, after 1m30s",
        "used 12,345 tokens, $0.5000 mixed",
        "streaks 0 silent, 2 failed in a row",
        "children 2",
        "note its end states less than its reports add up to",
        "note its clock ran ahead",
        "$1.00+",
        "(none named) final, of the whole run",
        "errors 1.00 ████████████████████",
        "abababababab open met 2 times here, 7 in all",
        "+0s started fix it",
        "delivered again, counted once",
        "99,999 bytes",
        "--events shows more",
        "Traces (1)",
    ):
        assert words in shown, words


def test_of_a_run_of_which_little_is_known_nothing_is_made_up() -> None:
    bare = made(RunReading, run_id=run_number(1), status="running", heard_at=NOON)
    account = RunAccount(RunFound(bare, []), made(UsageReading), [], [])
    shown = printed(run_view(RunShown("acme", account, [], more_events=False, steps=[]), NOON))
    assert [line.split()[0] for line in shown.splitlines()] == ["run", "project", "status", "heard"]


def test_what_agents_wrote_is_shown_and_not_obeyed() -> None:
    shown = printed(run_view(_shown(HOSTILE), LATER), 300)
    assert obeyed(shown) == []
    assert shown.count("evil[red]") >= 8


def test_no_line_is_wider_than_the_terminal() -> None:
    assert max(map(len, printed(run_view(_shown("word " * 40), LATER), 60).splitlines())) <= 60


def test_a_program_gets_everything() -> None:
    document = run_document(_shown())
    assert document["more_events"] is True
    assert [len(document[name]) for name in ("models", "events", "failure_kinds", "traces")] == [2, 4, 1, 1]  # type: ignore[arg-type]  # lists


def test_a_list_says_how_runs_ended_and_how_long_they_took() -> None:
    common = {"run_id": run_number(1), "heard_at": NOON, "started_at": NOON}
    runs = [
        made(ListedRun, **common, agent_id=HOSTILE, status="completed", outcome="partial", ended_at=LATER),
        made(ListedRun, **common, status="running"),
        made(ListedRun, **common | {"started_at": None}, status="completed", ended_at=LATER),
    ]
    assert [run_seconds(run, NOON + timedelta(hours=1)) for run in runs] == [90, 3600, None]
    shown = printed(runs_table(runs, LATER), 200)
    assert obeyed(shown) == []
    assert "1m30s" in shown
