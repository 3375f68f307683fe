"""The examples of the documentation, and which test takes which.

A test takes what it runs or compares by `documents.examples(page, language)`, by `documents.example` where it is one
block, or by `documents.whole(page)`, with every argument written out as text. tests/unit/test_documents.py reads these
calls in the tests' source, and names every block of every page that none of them takes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
PAGES = ("*.md", "docs/**/*.md", "schemas/examples/README.md")
GENERATED = ("docs/reference/",)
"""Pages written from the code. Their examples are those of `--help`: tests/unit/runledger/cli/test_helping.py parses
them all, tests/e2e/test_terminal.py runs those that only read."""
NOT_RUN = {
    ("README.md", "make demo"): "it installs, and would test itself; tests/e2e/test_demo.py runs what it starts",
    ("docs/start.md", "make demo"): "it installs; tests/e2e/test_demo.py runs what it starts",
    ("CONTRIBUTING.md", "make install"): "they install, or take hours; a dry run shows that make knows each",
    ("docs/contracts.md", "pip install"): "it installs from a package index; the extra it names is looked up",
}
"""{(page, how the block begins): why it is not run}. Such a block is taken by a test that looks at it all the same."""
NEEDS_MORE = {
    "tests/tools/": "Node: make test-tools",
    "tests/monitoring/": "Prometheus: make test-monitoring",
}
"""{folder of tests: what they need, so that `make test` leaves them to others}."""
_TAKING = ("example", "examples", "whole")
_FIELD = re.compile(r"(\*|\d+(-\d+)?)(/\d+)?(,\d+)*")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced or indented block; an indented one, and a fence that names no language, has the language ''."""

    page: str
    line: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A call in a test that takes blocks."""

    place: str
    page: str
    language: str | None = None
    containing: str = ""

    def takes(self, block: Block) -> bool:
        """Whether the call returns this block."""
        return self.page == block.page and self.language in {None, block.language} and self.containing in block.text


class UnreadableClaimError(Exception):
    """A call takes blocks and does not say which in words that can be read in the source."""


def examples(page: str, language: str, containing: str = "") -> list[str]:
    """Return the blocks of a page in their order; there is at least one.

    Args:
        page: from the top of the repository, such as "docs/http.md".
        language: as the fence names it.
        containing: words of the blocks that are meant.
    """
    claim = Claim("here", page, language, containing)
    found = [block.text for block in read(page) if claim.takes(block)]
    assert found, f"{page} has no block of {language!r} with {containing!r}"
    return found


def example(page: str, language: str, containing: str = "") -> str:
    """Return the one block of a page that is meant, with the same arguments as `examples`."""
    (found,) = examples(page, language, containing)
    return found


def whole(page: str) -> list[Block]:
    """Return all blocks of a page in their order, for a test that has something to do with each."""
    return read(page)


def scheduled(line: str) -> str:
    """Return the command of a line for cron."""
    *fields, command = line.split(maxsplit=5)
    assert len(fields) == 5, line
    assert all(_FIELD.fullmatch(field) for field in fields), line
    return command


def text(page: str) -> str:
    """Return a whole page."""
    return (ROOT / page).read_text(encoding="utf-8")


def all_pages() -> list[str]:
    """Name every page."""
    return sorted({path.relative_to(ROOT).as_posix() for pattern in PAGES for path in ROOT.glob(pattern)})


def pages() -> list[str]:
    """Name every page that people write."""
    return [page for page in all_pages() if not page.startswith(GENERATED)]


def read(page: str) -> list[Block]:
    """Return the blocks of a page."""
    return list(parse(page, text(page)))


def parse(page: str, markdown: str) -> Iterator[Block]:
    """Give the blocks of a text; what a fence in braces tells Sphinx (`{toctree}`) is no example."""
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type in {"fence", "code_block"} and not token.info.startswith("{"):
            language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
            yield Block(page, (token.map or [0])[0] + 1, language, token.content)


def claims() -> list[Claim]:
    """Return every claim of every test."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    return [claim for file in files for claim in claims_of(file.relative_to(ROOT).as_posix(), file.read_text("utf-8"))]


def claims_of(file: str, source: str) -> Iterator[Claim]:
    """Give the claims in the source of a test.

    Raises:
        UnreadableClaimError: an argument is no text, or the test leaves out some of what it takes.
    """
    if "documents." not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.expr | ast.stmt) and _leaves_out(node):
            raise UnreadableClaimError(f"{file}:{node.lineno} leaves out examples that it takes")
        if isinstance(node, ast.Call) and _is_taking(node):
            place = f"{file}:{node.lineno}"
            words = [*node.args, *(keyword.value for keyword in node.keywords)]
            told = [word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)]
            if len(told) != len(words):
                raise UnreadableClaimError(f"{place} has to write out which examples it takes")
            yield Claim(place, *told)


def _is_taking(node: ast.expr) -> bool:
    """Whether it is a call by which a test takes examples."""
    called = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(called, ast.Attribute)
        and called.attr in _TAKING
        and isinstance(called.value, ast.Name)
        and called.value.id == "documents"
    )


def _leaves_out(node: ast.expr | ast.stmt) -> bool:
    """Whether it picks some of the examples that it takes, or puts some into `_`."""
    match node:
        case ast.Subscript(value=taken):
            return _is_taking(taken)
        case ast.Assign(value=taken, targets=targets) if _is_taking(taken):
            names = (name for target in targets for name in ast.walk(target))
            return any(isinstance(name, ast.Name) and name.id == "_" for name in names)
        case _:
            return False
