"""The pages made from the code are those of the repository, and one that was changed is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reference import pages
from reference.__main__ import main
from reference.metrics import fill_in


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A copy of the pages."""
    shutil.copytree(pages.DOCS, tmp_path / "docs")
    return tmp_path / "docs"


def test_the_pages_are_what_the_code_says() -> None:
    assert pages.stale() == []


def test_a_page_that_was_changed_is_stale_until_it_is_written(docs: Path) -> None:
    page = docs / "reference" / "settings.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("`3600`", "`1800`"), encoding="utf-8")
    (docs / "reference" / "cli.md").unlink()
    assert pages.stale(docs) == ["reference/cli.md", "reference/settings.md"]
    assert pages.write(docs) == ["reference/cli.md", "reference/settings.md"]
    assert page.read_text(encoding="utf-8") == text
    assert pages.stale(docs) == []


def test_of_the_page_on_metrics_only_the_tables_are_made(docs: Path) -> None:
    page = docs / "metrics.md"
    text = page.read_text(encoding="utf-8").replace("# Metrics", "# Our metrics").replace("| gauge |", "| counter |")
    page.write_text(text, encoding="utf-8")
    assert pages.write(docs) == ["metrics.md"]
    assert "# Our metrics" in page.read_text(encoding="utf-8")
    assert "| gauge |" in page.read_text(encoding="utf-8")


def test_a_page_without_a_place_for_the_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for metrics"):
        fill_in("# Metrics\n")


def test_nobody_knows_what_else_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rite"]) == 2
    assert capsys.readouterr().err.startswith("usage:")
