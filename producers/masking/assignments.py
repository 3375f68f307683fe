"""Secrets that are given to a name: `password=…`, `"api_key": "…"`, `token: …`."""

from __future__ import annotations

import re

from runledger.producers.masking.keys import PAGING_WORDS, kind_of
from runledger.producers.masking.markers import says_nothing
from runledger.producers.masking.rules import Rule, Span

_FLAGS = re.IGNORECASE | re.ASCII
_GAP = r"[_\-. ]?"
_SECRET_NAMES = rf"secret(?:{_GAP}(?:access{_GAP})?key)?"
_KEY_NAMES = (
    rf"(?:api|access|private|auth|account|signing|encryption|master|subscription|service|client|storage){_GAP}key"
)
# A template or a marker is no value. A call is looked at no further than its bracket: its arguments are on their own.
_VALUE = (
    r"(?!\[masked:|\$[({]|\{\{|%\(|%s|<[\w -]{0,40}>)"
    r"(?:(?P<call>[A-Za-z_][\w.]*+[(\[])"
    r"|\\{1,3}[\"'](?P<escaped>[^\"'\\\r\n]*+)"
    r"|\"(?P<double>(?:[^\"\\\r\n]|\\.)*+)"
    r"|'(?P<single>(?:[^'\\\r\n]|\\.)*+)"
    r"|(?P<bare>[^\s\"'`,;&|\\]++))"
)
_TO = r"(?P<key_quote>\\{0,3}[\"'`])?+(?P<to>(?>[ \t]{0,8}+(?:=>|:=|=(?!=)|:(?![:=/]))\s{0,8}+))"

_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
_CLOSING = ")]}>."
_TOKEN_LENGTH = 8
_LONG_TOKEN_LENGTH = 20
_SHORTEST_IN_PROSE = 4
_WORD_BEFORE = 24


def looks_random(value: str) -> bool:
    """Tell a token from a word: at least 8 characters with a digit among them, or at least 20."""
    if len(value) >= _LONG_TOKEN_LENGTH:
        return True
    return len(value) >= _TOKEN_LENGTH and any(character.isdigit() for character in value)


def _ends_line(text: str, position: int) -> bool:
    return position >= len(text) or text[position] in "\r\n,;\"'&|" + _CLOSING


def _is_assigned(match: re.Match[str], value: str, end: int) -> bool:
    """Tell `password=swordfish` and `password: swordfish` from code, and from prose about passwords."""
    if match.group("to") == "=" or _ends_line(match.string, end):
        return True
    return len(value) >= _SHORTEST_IN_PROSE and not value.isalpha()


def _is_variable(value: str) -> bool:
    """Tell a name that itself is one of a secret: `password=self.password`, or `password=` before a line `token: …`."""
    name = value.rstrip(":=")
    form = _VARIABLE if name == value else _NAME
    return form.fullmatch(name) is not None and kind_of(name) is not None


def _value_of(match: re.Match[str]) -> Span | None:
    """Find the value, a bare one without its closing brackets; as `Rule.secret_in` if it is code or says nothing."""
    name = str(match.lastgroup)  # the value's groups stand last in the pattern, and one of them always matches
    start, end = match.span(name)
    if name == "call":
        return None
    if name == "bare":
        end = start + len(match.group(name).rstrip(_CLOSING))
        if _is_variable(match.string[start:end]):
            return start, start  # it may be given a value itself, as in `a_secret = b_secret = …`
    value = match.string[start:end]
    return None if start == end or says_nothing(value) else (start, end)


def _password_in(match: re.Match[str]) -> Span | None:
    span = _value_of(match)
    if span is None or span[0] == span[1] or match.lastgroup != "bare":
        return span
    return span if _is_assigned(match, match.string[slice(*span)], span[1]) else None


def _token_in(match: re.Match[str]) -> Span | None:
    span = _value_of(match)
    if span is None or span[0] == span[1]:
        return span
    before = match.string[max(0, match.start() - _WORD_BEFORE) : match.start()].lower().rstrip("_-. ")
    if before.endswith(PAGING_WORDS):
        return None
    in_json = match.group("key_quote") is not None and match.lastgroup != "bare"
    return span if in_json or looks_random(match.string[slice(*span)]) else None


def _compile(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<word>{word}){_TO}{_VALUE}", _FLAGS)


ASSIGNMENTS: tuple[Rule, ...] = (
    Rule("password", ("pass", "pwd"), _compile(r"pass(?:word|wd|phrase|code)|pwd(?!=[/~])"), _password_in, folded=True),
    Rule("secret", ("secret",), _compile(_SECRET_NAMES), _password_in, folded=True),
    Rule("api_key", ("key",), _compile(_KEY_NAMES), _password_in, folded=True),
    Rule("token", ("token", "credential"), _compile(r"token|credentials?"), _token_in, folded=True),
)
