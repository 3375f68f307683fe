from __future__ import annotations

from markdown_it import MarkdownIt

from reference.markdown import code, page, prose, section, table


def shown(markdown: str) -> str:
    """What a reader sees of a paragraph, code included."""
    (inline,) = [token for token in MarkdownIt("commonmark").parse(markdown) if token.type == "inline"]
    return "".join(child.content for child in inline.children or ())


def test_words_are_shown_as_they_are() -> None:
    for words in ("a *b* c", "<name> of [x](y)", "**", "RUNLEDGER_* and _x_y", "a [masked:name]"):
        assert shown(prose(words)) == words


def test_code_in_words_stays_code() -> None:
    assert prose("use `<a>*` and <b>") == "use `<a>*` and \\<b>"


def test_paragraphs_stay_apart_and_lines_are_joined() -> None:
    assert prose(" one\n  two\n\n three ") == "one two\n\nthree"


def test_a_bar_in_a_cell_ends_no_cell() -> None:
    text = table(("a", "b"), [[code("x|y"), "z"]])
    assert text == "| a | b |\n|---|---|\n| `x\\|y` | z |"
    cells = [
        token.children or [] for token in MarkdownIt("commonmark").enable("table").parse(text) if token.type == "inline"
    ]
    assert ["".join(child.content for child in cell) for cell in cells] == ["a", "b", "x|y", "z"]


def test_a_table_without_rows_is_nothing() -> None:
    assert table(("a",), []) == ""
    assert section(2, "Title", "", "words") == "## Title\n\nwords"


def test_a_page_says_that_no_hand_wrote_it() -> None:
    assert "change the code" in page("Title", "What it is.", "", "## One")


def test_backticks_within_code_are_shown() -> None:
    assert shown(code("a`b")) == "a`b"
