"""Pages name only what is there: settings, topics, metrics, tables, commands; and all that is there is named."""

from __future__ import annotations

import re

from reference.judging import made_up, undocumented
from reference.names import ELSEWHERE, names_of_code
from tests import documents

PAGES = {
    page: documents.text(page)
    for page in documents.all_pages()
    if page != "CHANGELOG.md"  # it tells of what was, too
}


def test_no_page_names_what_is_not_there() -> None:
    assert list(made_up(PAGES, names_of_code())) == []


def test_all_that_is_there_stands_on_a_page() -> None:
    assert list(undocumented(PAGES, names_of_code())) == []


def test_every_name_of_others_is_one_that_pages_use() -> None:
    text = "\n".join(PAGES.values())
    assert [name for name in ELSEWHERE if not re.search(rf"(?<![\w-]){name}(?!\w)", text)] == []
