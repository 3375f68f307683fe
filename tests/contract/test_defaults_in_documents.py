"""Tables that people write with defaults of settings say what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference.names import ROOT
from reference.settings import settings_page

PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference")
_TABLE = re.compile(
    r"^\|(?P<head>[^\n]*\bvariable \|[^\n]*\bdefault \|[^\n]*)\n\|[-:|]+\n(?P<rows>(?:\|[^\n]*\n)+)", re.MULTILINE
)
_SETTING = re.compile(r"`(RUNLEDGER_\w+)`")


def told_defaults(page: str) -> Iterator[tuple[str, str]]:
    """Give what a page's tables say: (setting, its default)."""
    for table in _TABLE.finditer(page):
        heads = [head.strip() for head in table["head"].split("|")]
        for row in table["rows"].splitlines():
            cells = row.strip("|").split("|")
            cell = cells[heads.index("default")].strip()
            if cell:
                # What stands behind a semicolon or a colon explains.
                defaults = re.split(r"[;:] ", cell)[0].split(", ")
                names = _SETTING.findall(cells[heads.index("variable")])
                yield from zip(names, (words.strip("`") for words in defaults), strict=True)


def wrong_defaults(page: str) -> list[tuple[str, str]]:
    """Say which defaults no class has: the page of all settings has one line for each that differs."""
    right = {told for name, cell in told_defaults(settings_page()) for told in _ways_to_write(name, cell)}
    return [told for told in told_defaults(page) if told not in right]


def _ways_to_write(name: str, cell: str) -> Iterator[tuple[str, str]]:
    exact, _, readable = cell.partition("` (")
    yield name, exact
    yield name, readable.rstrip(")")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_defaults_are_those_of_the_code(path: Path) -> None:
    assert wrong_defaults(path.read_text(encoding="utf-8")) == []


def test_a_wrong_default_is_found() -> None:
    page = """
| variable | default | meaning |
|---|---|---|
| `RUNLEDGER_API_HOST`, `RUNLEDGER_API_PORT` | 127.0.0.1, 8790 | |
| `RUNLEDGER_SPOOL_BYTES` | 64 MiB; of a file | |
"""
    assert wrong_defaults(page) == [("RUNLEDGER_API_PORT", "8790")]
