"""The site is built from the pages alone, and a page with a fault is not built."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
FLAGS = ("-W", "-n", "--keep-going", "-q", "-E", "-a")
INDEX = """# Title

- [Outside](outside.md) of any section

## Start

- [First](first.md): words
- [Second](more/second.md)

See [Third](third.md).

## Read

* [Fourth](fourth.md)
"""


def built(folder: Path, index: str, **pages: str) -> tuple[int, str]:
    """Build a site of these pages as `make docs` builds ours: (exit code, what it says)."""
    docs = folder / "docs"
    docs.mkdir()
    shutil.copy(DOCS / "conf.py", docs)
    shutil.copytree(DOCS / "_static", docs / "_static")
    (folder / "there.txt").write_text("there", encoding="utf-8")
    for name, text in {"index": index, **pages}.items():
        (docs / f"{name}.md").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", *FLAGS, str(docs), str(folder / "site")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    return done.returncode, done.stderr


def test_the_flags_are_those_of_make_docs() -> None:
    assert f"/sphinx-build {' '.join(FLAGS)} " in (DOCS.parent / "Makefile").read_text(encoding="utf-8")


def test_the_lists_of_the_index_are_the_table_of_contents() -> None:
    contents = runpy.run_path(str(DOCS / "conf.py"))["contents"](INDEX)
    assert re.findall(r":caption: (.*)\n\n((?:.+\n)+)```", contents) == [
        ("Start", "first\nmore/second\n"),
        ("Read", "fourth\n"),
    ]


def test_every_page_stands_in_the_index_once() -> None:
    contents = runpy.run_path(str(DOCS / "conf.py"))["contents"]((DOCS / "index.md").read_text(encoding="utf-8"))
    listed = re.findall(r"^[\w/-]+$", contents, re.MULTILINE)
    there = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.md")} - {"index"}
    assert sorted(listed) == sorted(there)


def test_a_site_is_built(tmp_path: Path) -> None:
    index = (
        "# Title\n\nA [file](../there.txt), a [folder](../).\n\n## Start\n\n- [Page](page.md), [part](page.md#a-part)\n"
    )
    assert built(tmp_path, index, page="# Page\n\n## A part\n\nWith --option.\n") == (0, "")
    html = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "A file, a folder." in html
    assert "With --option." in (tmp_path / "site" / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img)[^>]+https?://", html)


def test_every_fault_fails_the_build(tmp_path: Path) -> None:
    faults = {
        "[x](nowhere.md)": "'nowhere.md'",
        "[x](page.md#no-part)": "'no-part'",
        "[x](#no-part-here)": "'no-part-here'",
        "[x](../nothing.txt)": "a link leads to ../nothing.txt, which is not there",
        "![x](nothing.svg)": "nothing.svg",
        "```made-up\nx\n```": "made-up",
    }
    lines = "\n\n".join(faults)
    index = f"# Title\n\n{lines}\n\n## Start\n\n- [Page](page.md)\n"
    code, said = built(tmp_path, index, page="# Page\n", forgotten="# Forgotten\n")
    assert code == 1
    assert [fault for fault, complaint in faults.items() if complaint not in said] == []
    assert "forgotten.md: WARNING: document isn't included in any toctree" in said
    assert len(said.splitlines()) == len(faults) + 1
