"""The story of docs/semantics.md whose columns the sink's SQL fills: a kind of failure is resolved, and comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.sinks.conftest import Ledger, ledger
from tests.integration.sinks.story import Story
from tests.semantics import sections, shown

__all__ = ["ledger"]

pytestmark = pytest.mark.integration

_GROUP = (
    "SELECT state, failure_count, last_seen_at AT TIME ZONE 'UTC', resolved_at AT TIME ZONE 'UTC', resolved_by_run_id"
    " FROM failure_group"
)


def test_a_kind_of_failure_goes_through_the_states_that_the_page_tells(ledger: Ledger) -> None:
    (section,) = (section for section in sections() if section.title == "Solved, and back again")
    (table,) = section.tables
    story, written = Story(), 0
    assert len(section.events) == len(table.rows)
    for event, line in zip(section.events, table.lines(), strict=True):
        assert line.pop("at") == shown(event.occurred_at)
        assert line.pop("event").split()[0] == event.type.split(".")[-2].replace("recorded", "failure")
        records = story.tell([event])
        ledger.write(records[written:])
        written = len(records)
        (found,) = ledger.rows(_GROUP) or [(None,) * 5]
        assert dict(zip(line, map(shown, found), strict=True)) == line
    assert story.records[0].logged_at - section.events[-1].occurred_at > timedelta(0), "no clock is ahead of the log"
