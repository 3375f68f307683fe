"""Every command and snippet of the documentation is taken by a test that runs it."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent

import pytest

from tests.documents import (
    NEEDS_MORE,
    NOT_RUN,
    Block,
    Claim,
    UnreadableClaimError,
    claims,
    claims_of,
    pages,
    parse,
    read,
)

WHAT_TO_DO = """
Each of these blocks has to be run by a test, or compared with what is really printed. Such a test takes the block by
`documents.examples("docs/page.md", "bash")` or `documents.example("docs/page.md", "bash", "words of it")`, where
`from tests import documents` (tests/documents.py says how). What needs a running stack and no more:
add the page to one of the lists in tests/e2e/test_documented_stack.py. A block needs a fence with its language; what is
no example (a formula, a name) is better said in the text.
"""
PAGE = """# Made up

- a list, and in it

      runledger in-a-list

  which goes on

```bash
runledger up
```

~~~sql title
SELECT 1
~~~

    runledger indented

> ```python
> print("quoted")
> ```

```{toctree}
start
```
"""


def unclaimed(blocks: Iterable[Block], known: Iterable[Claim]) -> list[Block]:
    """The blocks that nobody takes."""
    kept = list(known)
    return [block for block in blocks if not any(claim.takes(block) for claim in kept)]


def told(blocks: Iterable[Block]) -> str:
    return "\n".join(
        f"{it.page}:{it.line} ({it.language or 'no language'})\n{indent(it.text, '    ')}" for it in blocks
    )


def test_every_block_of_every_page_is_taken_by_a_test() -> None:
    known = claims()
    missing = [block for page in pages() for block in unclaimed(read(page), known)]
    if missing:
        pytest.fail(f"{told(missing)}{WHAT_TO_DO}", pytrace=False)


def test_what_make_test_leaves_to_others_is_known() -> None:
    known = [claim for claim in claims() if not claim.place.startswith(tuple(NEEDS_MORE))]
    left = [block for page in pages() for block in unclaimed(read(page), known)]
    assert [(block.page, block.text.split()[0]) for block in left] == [
        ("docs/contracts.md", "cd"),
        ("docs/monitoring.md", "prometheus"),
    ]


def test_every_block_names_its_language() -> None:
    nameless = [block for page in pages() for block in read(page) if not block.language]
    if nameless:
        pytest.fail(f"{told(nameless)}{WHAT_TO_DO}", pytrace=False)


def test_every_claim_takes_something() -> None:
    blocks = [block for page in pages() for block in read(page)]
    assert [claim for claim in claims() if not any(claim.takes(block) for block in blocks)] == []


def test_what_is_not_run_is_there_and_has_its_reason() -> None:
    for (page, begin), why in NOT_RUN.items():
        assert [block for block in read(page) if block.text.startswith(begin)], (page, begin)
        assert why
    assert len(NOT_RUN) < 6


def test_blocks_are_found_wherever_markdown_has_them() -> None:
    assert [(block.language, block.text.strip()) for block in parse("made-up.md", PAGE)] == [
        ("", "runledger in-a-list"),
        ("bash", "runledger up"),
        ("sql", "SELECT 1"),
        ("", "runledger indented"),
        ("python", 'print("quoted")'),
    ]


def test_a_made_up_block_that_nobody_takes_is_found() -> None:
    blocks = list(parse("docs/made-up.md", PAGE))
    source = """
        SCRIPTS = documents.examples("docs/made-up.md", "bash")
        QUERY = documents.example("docs/made-up.md", "sql", containing="SELECT 2")
        ELSEWHERE = documents.examples("docs/other.md", "python")
    """
    known = list(claims_of("tests/test_made_up.py", "if True:\n" + source))
    assert [(claim.place, claim.language) for claim in known] == [
        ("tests/test_made_up.py:3", "bash"),
        ("tests/test_made_up.py:4", "sql"),
        ("tests/test_made_up.py:5", "python"),
    ]
    assert [block.language for block in unclaimed(blocks, known)] == ["", "sql", "", "python"]
    assert "docs/made-up.md:13" in told(unclaimed(blocks, known))


@pytest.mark.parametrize(
    "source",
    [
        'for page in PAGES:\n    documents.examples(page, "bash")',
        "documents.examples(*PAGE)",
        'first, *_ = documents.examples("docs/http.md", "bash")',
        'first, _ = documents.examples("docs/http.md", "bash")',
        'first = documents.examples("docs/http.md", "bash")[0]',
    ],
)
def test_a_claim_that_cannot_be_read_or_takes_more_than_it_runs_is_refused(source: str) -> None:
    with pytest.raises(UnreadableClaimError, match=r"tests/test_made_up\.py:\d"):
        list(claims_of("tests/test_made_up.py", source))
