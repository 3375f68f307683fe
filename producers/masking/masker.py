"""Texts and JSON values without their secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from runledger.producers.masking.assignments import ASSIGNMENTS
from runledger.producers.masking.keys import holds_secrets, kind_of
from runledger.producers.masking.markers import fitting, marker, says_nothing
from runledger.producers.masking.own import own_rules
from runledger.producers.masking.personal import CARDS, EMAILS, is_card_number
from runledger.producers.masking.requests import HEADERS, PARAMETERS, URL_PASSWORDS
from runledger.producers.masking.rules import Rule
from runledger.producers.masking.vendors import KNOWN_FORMS, PRIVATE_KEYS, SHORTEST, WEBHOOKS

_SHORTEST_TEXT = 6
"""a@b.co"""
_CARD_LIKE = re.compile(r"[2-6]\d{3}[ -]?\d{4}")
_NAMED = (*HEADERS, *ASSIGNMENTS)
_NAMES_SOMETHING = re.compile(r"[:=]|[Bb][Ee][Aa][Rr][Ee][Rr][ \t]")
_FORMS = (WEBHOOKS, *KNOWN_FORMS)
_OTHERS = (*PARAMETERS, EMAILS)
_SIGN, _SPACE, _LETTER = b"! x"
_SIGNS = bytes(
    _SIGN if byte in b":=@%23456" else _SPACE if byte in b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f" else _LETTER
    for byte in range(256)
)
"""What each byte of a text in UTF-8 is to `is_clean`."""
_LONG_WORD = bytes([_LETTER]) * SHORTEST
_is_plain = re.compile(
    r"(?!\d{16}\Z)[0-9a-f]{16}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00", re.ASCII
).fullmatch
"""Ids and times of spans, in which no rule finds anything; to ask all rules took half of an event's masking."""
_LONGEST_NAME = 40
_NO_TEXTS = frozenset({float, bool, type(None)})
_CARD_NUMBERS = range(10**12, 10**19)
_PASSES = 4
"""What is put in a secret's place may make a secret of what stands beside it, where many are glued together: a text in
which something was found is searched again, until nothing is."""
_SECRET_NUMBERS = 1000
"""A number under a telling key is masked from here on: a PIN has four digits, a shorter one is more likely a count."""


class Masker:
    """Replace secrets by markers such as `[masked:email]`. Immutable, and safe to share between threads.

    Masking what was masked changes nothing. It takes time in proportion to the text, whatever the text.

    Args:
        patterns: own regular expressions by name, which stands in the marker (docs/masking.md says what they may hold).

    Raises:
        MaskPatternError: a pattern cannot be used.
    """

    def __init__(self, patterns: Mapping[str, str] | None = None) -> None:
        self._own = own_rules(patterns or {})
        self.is_clean: Callable[[str], bool] = is_clean if not self._own else _must_be_asked
        """Tells, in a tenth of the time the rules take, that none of them has anything to do with a text."""

    def mask_text(self, text: str, limit: int | None = None) -> str:
        """Mask a text; return the same object if there is nothing to mask.

        Args:
            text: of any length.
            limit: the most characters its field takes. Where markers would make a text longer than that, those longer
                than their secret become `***`, so that a text within its limit stays within.
        """
        masked = self._mask(text, short=False)
        if limit is not None and masked is not text and len(masked) > limit:
            return self._mask(text, short=True)
        return masked

    def mask_json(self, value: Any, max_bytes: int | None = None) -> Any:  # noqa: ANN401  # any JSON value
        """Mask every text within a JSON value, and what stands under telling keys; keys and shape stay.

        Args:
            value: of dicts, lists, texts, numbers, booleans and None; never changed, returned if nothing was found.
            max_bytes: the most its encoding may take; markers give way as in `mask_text`.
        """
        if value.__class__ is dict and self._is_clean_object(value):
            return value
        masked = self._json(value, None, short=False)
        if max_bytes is not None and masked is not value and len(orjson.dumps(masked)) > max_bytes:
            return self._json(value, None, short=True)
        return masked

    def _is_clean_object(self, value: dict[str, Any]) -> bool:
        """Tell of an object without others in it that there is nothing to mask: its long texts are looked at as one."""
        if self._own:
            return False
        texts = []
        for key, item in value.items():
            if key == "value" or kind_of(key) is not None:
                return False
            if item.__class__ is str:
                if len(item) > _LONGEST_NAME:
                    texts.append(item)
                elif not _is_plain(item) and not _is_clean_name(item):
                    return False
            elif item.__class__ not in _NO_TEXTS and (item.__class__ is not int or item in _CARD_NUMBERS):
                return False
        return not texts or is_clean("\n".join(texts))

    def _mask(self, text: str, *, short: bool) -> str:
        for _ in range(_PASSES):
            masked = text if is_clean(text) else searched(text, short=short)
            masked = _apply(self._own, masked, short=short)
            if masked == text:
                break
            text = masked
        return text

    def _json(self, value: Any, kind: str | None, *, short: bool) -> Any:  # noqa: ANN401  # any JSON value
        """Mask a value; `kind` is what its key announces."""
        match value:
            case str():
                return self._told(value, kind, short=short)
            case int() if not isinstance(value, bool):
                return _number(value, kind, short=short)
            case dict():
                return self._object(value, kind, short=short)
            case list() | tuple():
                return self._array(value, kind, short=short)
            case _:
                return value

    def _told(self, value: str, kind: str | None, *, short: bool) -> str:
        if kind is None or _is_no_value(value, kind):
            return self._mask(value, short=short)
        return fitting(kind, len(value)) if short else marker(kind)

    def _object(self, value: dict[str, Any], kind: str | None, *, short: bool) -> dict[str, Any]:
        kept = kind if kind is not None and holds_secrets(kind) else None
        named = _kind_of_pair(value)
        changed: dict[str, Any] = {}
        for key, item in value.items():
            told = kept or (named if key == "value" else None) or kind_of(key)
            if (masked := self._json(item, told, short=short)) is not item:
                changed[key] = masked
        return value | changed if changed else value

    def _array(self, value: list[Any] | tuple[Any, ...], kind: str | None, *, short: bool) -> Any:  # noqa: ANN401
        changed: dict[int, Any] = {}
        flag: str | None = None
        for index, item in enumerate(value):
            if (masked := self._json(item, kind or flag, short=short)) is not item:
                changed[index] = masked
            flag = kind_of(item) if isinstance(item, str) and item.startswith("--") else None
        return [changed.get(index, item) for index, item in enumerate(value)] if changed else value


@lru_cache(maxsize=64)
def _masker_of(patterns: tuple[tuple[str, str], ...]) -> Masker:
    return Masker(dict(patterns))


def masker_of(patterns: Mapping[str, str]) -> Masker:
    """Give the masker with these own patterns, made once.

    Raises:
        MaskPatternError: a pattern cannot be used.
    """
    return _masker_of(tuple(patterns.items()))


def is_clean(text: str) -> bool:
    """Tell, in a tenth of the time the rules take, that a text has nothing of what each of ours asks for."""
    if len(text) < _SHORTEST_TEXT:
        return True
    signs = text.encode(errors="surrogatepass").translate(_SIGNS)
    if _SIGN in signs or _LONG_WORD in signs or "--" in text:
        return _is_plain(text) is not None
    lower = text.lower()
    return "curl" not in lower and "bearer" not in lower


@lru_cache(maxsize=1024)
def _is_clean_name(text: str) -> bool:
    """Tell of a short text, which is often the name of a model or a tool and comes again, that nothing is found."""
    return is_clean(text) or searched(text, short=False) == text


def _must_be_asked(_text: str) -> bool:
    return False


def _has_any(parts: tuple[str, ...], text: str) -> bool:
    for part in parts:  # `any` would take five times as long  # noqa: SIM110
        if part in text:
            return True
    return False


def _has_long_word(text: str) -> bool:
    return len(text) >= SHORTEST and max(map(len, text.split()), default=0) >= SHORTEST


def searched(text: str, *, short: bool) -> str:
    """Mask what our own rules find, asking each."""
    masked = text
    if "-----BEGIN " in masked:
        masked = PRIVATE_KEYS.mask(masked, short=short)
    if "://" in masked:
        masked = URL_PASSWORDS.mask(masked, short=short)
    if _NAMES_SOMETHING.search(masked):
        masked = _apply(_NAMED, masked, short=short)
    if _has_long_word(masked):
        masked = _apply(_FORMS, masked, short=short)
    masked = _apply(_OTHERS, masked, short=short)
    if _CARD_LIKE.search(masked):
        masked = CARDS.mask(masked, short=short)
    return masked


def _apply(rules: tuple[Rule, ...], text: str, *, short: bool) -> str:
    lower: str | None = None
    for rule in rules:
        if rule.folded:
            lower = text.lower() if lower is None else lower
        haystack = lower if rule.folded and lower is not None else text
        if not rule.anchors or _has_any(rule.anchors, haystack):
            text = rule.mask(text, short=short)
    return text


def _is_no_value(value: str, kind: str) -> bool:
    """Tell templates, words like `required`, and the working directory that `PWD` names."""
    return says_nothing(value) or (kind == "password" and value.startswith(("/", "~/")))


def _number(value: int, kind: str | None, *, short: bool) -> int | str | None:
    """Mask a number that is a card's, or stands under a telling key; `null` where a marker has no room."""
    if kind is None and value in _CARD_NUMBERS and is_card_number(str(value)):
        kind = "card"
    elif kind is None or kind == "token" or -_SECRET_NUMBERS < value < _SECRET_NUMBERS:
        return value
    put = marker(kind)
    return None if short and len(put) + 2 > len(str(value)) else put


def _kind_of_pair(value: dict[str, Any]) -> str | None:
    """Tell what `{"name": "Authorization", "value": …}` announces."""
    if "value" not in value:
        return None
    name = value.get("name") or value.get("key")
    return kind_of(name) if isinstance(name, str) else None
