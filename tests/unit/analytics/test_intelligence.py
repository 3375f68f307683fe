"""What an agent's card shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runledger.analytics.intelligence import CardRow, make_card
from runledger.schemas.outcomes import OutcomeStatus

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _row(
    name: str | None = None, role: str | None = None, summary: str | None = "ok", status: OutcomeStatus = "success"
) -> CardRow:
    return CardRow("sage", name, role, summary, status, NOON - timedelta(minutes=2))


@pytest.mark.parametrize(
    ("name", "role", "title"),
    [
        ("Sage", "Backend", "Sage -- Backend"),
        ("Sage", None, "Sage"),
        (None, "Backend", "sage -- Backend"),
        (None, None, "sage"),
    ],
)
def test_a_card_names_the_agent_and_its_role(name: str | None, role: str | None, title: str) -> None:
    assert make_card(_row(name, role), NOON).title == title


@pytest.mark.parametrize(
    ("status", "shown"), [("success", "completed"), ("partial", "completed"), ("failed", "failed")]
)
def test_a_card_shows_completed_or_failed(status: OutcomeStatus, shown: str) -> None:
    assert make_card(_row(status=status), NOON).status == shown


def test_a_card_says_how_recently_the_agent_ran() -> None:
    assert make_card(_row(), NOON).ran_seconds_ago == 120
    assert make_card(_row(), NOON - timedelta(hours=1)).ran_seconds_ago == 0


@pytest.mark.parametrize(("length", "shown"), [(500, "x" * 500), (501, "x" * 499 + "…")])
def test_a_long_summary_is_cut_where_it_shows(length: int, shown: str) -> None:
    assert make_card(_row(summary="x" * length), NOON).action_summary == shown


def test_a_run_that_says_nothing_has_no_summary() -> None:
    assert make_card(_row(summary=None), NOON).action_summary is None
