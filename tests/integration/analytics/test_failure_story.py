"""Kinds of failures with their days, runs and resolutions, from tables written by the writer."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest

from runledger.analytics import failure_story
from runledger.analytics.database import Database
from runledger.analytics.errors import CursorError
from runledger.analytics.failure_story import FailureCounts, FailureDays, FailureStories
from runledger.analytics.reader import LedgerReader
from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.run_events import FailureResolved, ResolvedData
from tests.integration.analytics.events import BEGAN, TASK, TIMEOUT, common, ended, failed, started, write
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import run_number

pytestmark = pytest.mark.integration

KIND = fingerprint("acme", "", TIMEOUT)
FULL = fingerprint("acme", "", "disk full")


def _word(run: int, minute: int, kind: str = KIND) -> FailureResolved:
    data = ResolvedData(fingerprint=kind, note="raised the pool", by="ops")
    return FailureResolved(**common(run, minute, f"word-{minute}", "acme", "medic"), data=data)


async def test_kinds_are_counted_by_state(ledger: Ledger) -> None:
    write(ledger, failed(1, 0, task=None), _word(9, 1), failed(2, 2, task=None), failed(3, 0, "disk full", task=None))
    async with Database(ledger.uri) as database:
        stories = FailureStories(database)
        assert await stories.counts("acme") == FailureCounts(open=1, regressed=1, resolved=0)
        assert await stories.counts("other") == FailureCounts(open=0, regressed=0, resolved=0)


async def test_failures_are_counted_by_day_of_a_time_zone(ledger: Ledger) -> None:
    write(ledger, failed(1, 0), failed(2, 1), failed(3, 1440), failed(4, 0, "disk full"))
    async with Database(ledger.uri) as database:
        days = partial(FailureStories(database).days, "acme")
        assert await days([KIND, FULL, "0" * 64], BEGAN, "UTC") == {
            KIND: FailureDays({date(2026, 2, 27): 2, date(2026, 2, 28): 1}),
            FULL: FailureDays({date(2026, 2, 27): 1}),
        }
        later = await days([KIND], BEGAN + timedelta(hours=1), "Pacific/Auckland")
        assert later == {KIND: FailureDays({date(2026, 3, 1): 1})}


async def test_a_kind_that_happens_too_often_is_counted_as_far_as_is_told(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_story, "MOST_COUNTED", 2)
    write(ledger, failed(1, 0), failed(2, 1), failed(3, 2))
    async with Database(ledger.uri) as database:
        days = await FailureStories(database).days("acme", [KIND], BEGAN, "UTC")
    assert days == {KIND: FailureDays({date(2026, 2, 27): 2}, BEGAN + timedelta(minutes=1))}


async def test_occurrences_are_read_page_by_page_with_their_runs(ledger: Ledger) -> None:
    write(
        ledger,
        *(started(1, 0), failed(1, 1), failed(1, 3), ended(1, 4, "failed")),
        *(failed(2, 3), failed(3, 0, "disk full"), failed(4, 2, project="other")),
    )
    async with Database(ledger.uri) as database:
        occurrences = partial(FailureStories(database).occurrences, "acme", KIND)
        every = (await occurrences()).rows
        pages = [await occurrences(limit=2)]
        while pages[-1].next_cursor:
            pages.append(await occurrences(limit=2, cursor=pages[-1].next_cursor))
        with pytest.raises(CursorError):
            await FailureStories(database).occurrences("acme", FULL, cursor=pages[0].next_cursor)
    assert [one for page in pages for one in page.rows] == every
    assert [(one.run_id, one.run_status) for one in every] == [
        (run_number(2), "running"),
        (run_number(1), "failed"),
        (run_number(1), "failed"),
    ]


async def test_resolutions_are_words_and_runs(ledger: Ledger) -> None:
    write(
        ledger,
        *(started(1, 0, task=TASK), failed(1, 1), ended(1, 2, "failed"), _word(9, 3)),
        *(started(2, 4, task=TASK, agent="b"), ended(2, 5, "completed", summary="mended", agent="b")),
    )
    async with Database(ledger.uri) as database:
        by_run, by_word = await FailureStories(database).resolutions("acme", KIND)
    assert (by_run.how, by_run.run_id, by_run.agent_id, by_run.note) == ("run", run_number(2), "b", "mended")
    assert (by_word.how, by_word.resolved_by, by_word.agent_id, by_word.note) == (
        "word",
        "ops",
        "medic",
        "raised the pool",
    )


async def test_kinds_are_found_by_what_their_summary_holds_or_their_fingerprint_begins_with(ledger: Ledger) -> None:
    write(ledger, failed(1, 0), failed(2, 0, "disk full"))
    async with Database(ledger.uri) as database:
        page = LedgerReader(database).failure_page
        assert len((await page("acme", text="No DATAbase")).rows) == 2
        assert [one.fingerprint for one in (await page("acme", text=FULL[:6].upper())).rows] == [FULL]
        assert (await page("acme", text="100%")).rows == []
