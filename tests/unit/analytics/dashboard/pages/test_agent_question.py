"""What may be asked of the pages of agents, and how it stands in the address."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runledger.analytics.dashboard.pages.agent_question import SPANS, AgentQuestion, AgentsQuestion


def test_what_is_as_usual_does_not_stand_in_the_address() -> None:
    assert AgentsQuestion().address() == {}
    assert AgentQuestion().address() == {}


def test_a_change_keeps_the_rest_and_begins_at_the_first_page() -> None:
    question = AgentsQuestion(state="failing", q="sa", sort="-cost", page=3)
    assert question.address(sort="cost") == {"state": "failing", "q": "sa", "sort": "cost"}
    assert question.address(state=None) == {"q": "sa", "sort": "-cost"}
    assert question.address(page=4) == {"state": "failing", "q": "sa", "sort": "-cost", "page": 4}


def test_the_address_asks_the_same_again() -> None:
    question = AgentsQuestion(state="quiet", q="a b", sort="-agent")
    assert AgentsQuestion.model_validate(question.address()) == question


def test_what_a_form_sends_empty_is_not_asked() -> None:
    assert AgentsQuestion.model_validate({"q": "", "state": ""}) == AgentsQuestion()


def test_a_place_among_incidents_is_left_where_the_span_changes() -> None:
    question = AgentQuestion(within="7d", cursor="abc")
    assert question.address() == {"within": "7d"}
    assert question.address(within="30d") == {}
    assert question.address(cursor="def") == {"within": "7d", "cursor": "def"}
    assert all(AgentQuestion(within=within).within == within for within in SPANS)


@pytest.mark.parametrize(
    "asked",
    [{"state": "tired"}, {"sort": "mood"}, {"page": "0"}, {"page": "2000"}, {"q": "x" * 256}, {"colour": "red"}],
)
def test_anything_else_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        AgentsQuestion.model_validate(asked)
