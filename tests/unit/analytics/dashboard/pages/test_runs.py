"""The list of runs as its page has it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from runledger.analytics.dashboard.pages.run_question import RunsQuestion
from runledger.analytics.dashboard.pages.runs import RunsPage, make_page
from runledger.analytics.paging import Page
from tests.unit.analytics.dashboard.runs import NOON, listed


def page(next_cursor: str | None = None, /, **asked: str) -> RunsPage:
    """Return the page of a question."""
    question = RunsQuestion.model_validate(asked)
    since = question.wanted(NOON).since
    return make_page(question, Page([listed()], next_cursor), ["sage", "evil\u202e"], since, NOON)


def asked_by(address: str | None) -> dict[str, str]:
    """Return the parameters of an address."""
    assert address is not None
    assert urlsplit(address).path == "/runs"
    return {name: value for name, [value] in parse_qs(urlsplit(address).query).items()}


def test_each_filter_in_force_can_be_taken_off() -> None:
    made = page(agent="a&b", status="failed", within="24h")
    assert [(one.name, one.value) for one in made.filters] == [
        ("agent", "a&b"),
        ("status", "failed"),
        ("heard within", "24 hours"),
    ]
    assert [one.value for one in page(until="2026-03-01T10:00").filters] == ["2026-03-01 10:00:00 UTC"]
    assert asked_by(made.filters[0].without) == {"status": "failed", "within": "24h"}


def test_the_next_page_keeps_filters_and_sort() -> None:
    made = page("cursor1", agent="sage", sort="cost_usd")
    assert asked_by(made.next_address) == {"agent": "sage", "sort": "cost_usd", "cursor": "cursor1"}
    assert made.first_address is None
    assert page().next_address is None


def test_the_next_page_of_a_span_begins_at_the_same_moment() -> None:
    moment = (NOON - timedelta(hours=1)).isoformat().removesuffix("+00:00")
    assert asked_by(page("c1", within="1h").next_address) == {"since": moment, "cursor": "c1"}
    again = RunsQuestion.model_validate(asked_by(page("c1", within="1h").next_address))
    assert again.wanted(NOON + timedelta(minutes=5)) == RunsQuestion(within="1h").wanted(NOON)


def test_a_later_page_leads_back_to_the_first() -> None:
    assert asked_by(page(None, agent="sage", cursor="c1").first_address) == {"agent": "sage"}


def test_a_heading_sorts_by_its_column_and_then_the_other_way_round() -> None:
    headings = page(agent="sage").headings
    assert headings["heard_at"].order == "descending"
    assert asked_by(headings["heard_at"].address) == {"agent": "sage", "sort": "heard_at"}
    assert headings["cost_usd"].order is None
    assert asked_by(headings["cost_usd"].address) == {"agent": "sage", "sort": "-cost_usd"}
    assert page(sort="cost_usd").headings["cost_usd"].order == "ascending"


def test_fields_hold_what_was_asked_and_folded_ones_are_opened() -> None:
    made = page(since="2026-03-01T10:00:00.5+02:00", agent="sage")
    assert made.asked["since"] == "2026-03-01T08:00:00"
    assert made.more_asked
    assert not page(agent="sage").more_asked


def test_agents_whose_names_mislead_are_not_offered() -> None:
    assert page().agents == ["sage"]
