"""What a page names: settings, topics, metrics, tables, commands and so on, found by how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

from reference.sql_mentions import relations_and_columns

Kind: TypeAlias = Literal[
    "setting", "underscored", "dotted", "topic", "table", "column", "command", "option", "target", "word"
]
_SHELL = {"", "sh", "bash", "console", "cron", "text", "yaml"}
_SETTING = re.compile(r"(?<![A-Za-z_])RUNLEDGER_[A-Z0-9_]+")
_UNDERSCORED = re.compile(r"(?<![\w$./])runledger_[a-z0-9_]+(?!\.[a-z])")
_DOTTED = re.compile(r"(?<![\w./@-])runledger\.[a-z][a-z0-9_.-]*")
_COMMAND = re.compile(r"(?<![\w.:-])runledger (?P<words>[a-z-][^|;&>#)\n]*)")
_CONTINUED = re.compile(r"\s*\\\n\s*")
_TARGET = re.compile(r"(?<![\w/-])make (?P<target>[a-z][a-z0-9-]*)")
_OPTION = re.compile(r"(?P<option>--[a-z][a-z-]+)(?:[ =].+)?")
_TOPIC = re.compile(r"""\btopic=~?"(?P<label>[^"]*)"|\bsubscribe\(\s*"(?P<call>[^"]*)\"""")
_WORD = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)+")
_QUALIFIED = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_BEFORE = re.compile(r"\b(?P<what>topic|table|view)(?P<many>s?) $")
_BEHIND = re.compile(r"^ (?P<what>topic|table|view)\b")
_AND = re.compile(r",? (?:and |or )?")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Mention:
    """One name on a page.

    Args:
        kind: what the page takes it for. "underscored" and "dotted" are names that begin with runledger; a "word" is a
            name with underscores or dashes that stands by itself as code.
        name: as it is written; of a command the words behind `runledger`.
        line: of the page, counted from 1; where its paragraph or block begins.
    """

    kind: Kind
    name: str
    line: int


def mentions(page: str) -> Iterator[Mention]:
    """Find what a page names, in Markdown."""
    line = 1
    for token in MarkdownIt("commonmark").enable("table").parse(page):
        line = token.map[0] + 1 if token.map else line
        if token.type in {"fence", "code_block"} and not token.info.startswith("{"):
            language = (token.info.split() or [""])[0]
            yield from (Mention(kind, name, line) for kind, name in _in_block(token.content, language))
        children = token.children or []
        for child in children:
            if child.type == "text":
                yield from (Mention(kind, name, line) for kind, name in _anywhere(child.content))
        for text, what in _pieces_of_code(children):
            yield from (Mention(kind, name, line) for kind, name in _in_line(text, what))


def shown_words(page: str) -> frozenset[str]:
    """Find the names with underscores or dashes in a page's blocks: what these define themselves, its text may name."""
    blocks = (it for it in MarkdownIt("commonmark").parse(page) if it.type in {"fence", "code_block"})
    return frozenset(word for block in blocks for word in _WORD.findall(block.content))


def _anywhere(text: str) -> Iterator[tuple[Kind, str]]:
    for pattern, kind in _PATTERNS:
        yield from ((kind, found) for found in pattern.findall(text))


_PATTERNS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (_SETTING, "setting"),
    (_UNDERSCORED, "underscored"),
    (_DOTTED, "dotted"),
)


def _in_block(text: str, language: str) -> Iterator[tuple[Kind, str]]:
    yield from _anywhere(text)
    yield from (("topic", found["label"] or found["call"]) for found in _TOPIC.finditer(text))
    if language in _SHELL:
        yield from _commands(_CONTINUED.sub(" ", text))
    if language == "sql":
        yield from relations_and_columns(text)


def _pieces_of_code(children: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Find code within a text: (code, what the words around it call it); of "topics", each that is listed is one."""
    texts = ["", *(child.content for child in children), ""]
    listed = ""
    for child, before, behind in zip(children, texts, texts[2:], strict=False):
        if child.type == "code_inline":
            called = _BEFORE.search(before) or _BEHIND.search(behind)
            if called is not None:
                listed = called["what"] if called.groupdict().get("many") else ""
            elif not _AND.fullmatch(before):
                listed = ""
            yield child.content, called["what"] if called is not None else listed


def _in_line(text: str, what: str) -> Iterator[tuple[Kind, str]]:
    yield from _anywhere(text)
    yield from (("topic", found["label"] or found["call"]) for found in _TOPIC.finditer(text))
    yield from _commands(text)
    yield from relations_and_columns(text)
    if option := _OPTION.fullmatch(text):
        yield "option", option["option"]
    if _QUALIFIED.fullmatch(text):
        yield "column", text
    if what and _NAME.fullmatch(text):
        yield ("topic" if what == "topic" else "table"), text
    elif _WORD.fullmatch(text) and not _UNDERSCORED.fullmatch(text):
        yield "word", text


def _commands(text: str) -> Iterator[tuple[Kind, str]]:
    yield from (("command", found["words"].strip()) for found in _COMMAND.finditer(text))
    yield from (("target", found["target"]) for found in _TARGET.finditer(text))
