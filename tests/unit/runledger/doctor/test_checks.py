"""The list of checks, as the code has it and as the document shows it."""

from __future__ import annotations

import dataclasses
import inspect
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runledger.doctor.checks import CHECKS, Check
from runledger.doctor.facts import NO_ANSWER, OF_BROKER, OF_DATABASE, Facts, Unseen

DOCUMENT = Path(__file__).parents[4] / "docs" / "doctor.md"


def table() -> str:
    """The checks as the document shows them."""
    lines = ["| check | area | finds out whether |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {check.name} | {check.area} | {check.about} |" for check in CHECKS)])


def test_the_document_shows_every_check() -> None:
    assert table() in DOCUMENT.read_text(encoding="utf-8")


def test_names_are_given_once() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_takes_the_facts_it_needs(check: Check) -> None:
    fields = {field.name for field in dataclasses.fields(Facts)}
    assert set(check.needs) <= fields
    assert len(inspect.signature(check.judge).parameters) == len(check.needs)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_whose_facts_nobody_saw_is_unknown_for_their_reason(check: Check) -> None:
    (found,) = check(Facts(datetime.now(UTC), 60))
    assert (found.check, found.verdict, found.found) == (check.name, "unknown", NO_ANSWER.why)


def test_every_fact_is_somebodys() -> None:
    judged = {name for check in CHECKS for name in check.needs}
    looked_further = {"groups"}  # what waits for their members is judged
    assert {field.name for field in dataclasses.fields(Facts)} == judged | looked_further


def test_what_a_server_would_have_told_is_missed_at_once() -> None:
    facts, away = Facts(datetime.now(UTC), 60), Unseen("away")
    facts.miss_broker(away)
    facts.miss_database(away)
    for names in (OF_BROKER, OF_DATABASE):
        assert getattr(facts, names[0]) is NO_ANSWER
        assert all(getattr(facts, name) is away for name in names[1:])
