"""Every question of docs/analysts.md, asked of the demo's data: the answers are those that the page prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import documents
from tests.analysts import answer, read_as_analyst, renew, told_tables

pytestmark = [pytest.mark.integration, pytest.mark.slow]

QUESTIONS = documents.examples("docs/analysts.md", "sql")
ANSWERS = documents.examples("docs/analysts.md", "text")


@pytest.fixture(scope="module")
def analyst(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    """One who may read the tables of the page's data."""
    folder: Path = tmp_path_factory.mktemp("analysts")
    with told_tables(*servers, folder) as uri, read_as_analyst(uri) as connection:
        yield connection


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_the_answer_is_the_printed_one(number: int, analyst: psycopg.Connection) -> None:
    """Where an answer is right and the page is not, `python -m tests.analysts` renews the page."""
    assert answer(analyst, QUESTIONS[number]) == ANSWERS[number]


def test_there_are_ten_questions_and_each_has_its_answer() -> None:
    assert len(QUESTIONS) == len(ANSWERS) == 10
    page = documents.text("docs/analysts.md")
    assert renew(page, ANSWERS) == page
    changed = renew(page, [f"{number}\n" for number in range(10)])
    assert changed.count("```text\n0\n```") == changed.count("```text\n9\n```") == 1
