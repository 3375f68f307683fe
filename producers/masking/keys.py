"""Names under which secrets are kept."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_KEY = 128
"""A longer key is no name."""

PAGING_WORDS = (
    "page",
    "next",
    "continuation",
    "continue",
    "cursor",
    "sync",
    "resume",
    "first",
    "last",
    "per",
    "stop",
    "eos",
    "bos",
    "pad",
    "unk",
    "sep",
    "cls",
    "mask",
    "start",
    "end",
    "special",
    "unexpected",
    "cancellation",
)
"""Before `token`: it is a place in a list, or a word of a language model, and opens nothing."""

_KEY_OF = "api|access|secret|private|auth|account|signing|encryption|master|subscription|service|client|storage|license"
_TELLING: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("password", r"(?:pass(?:word|wd|phrase|code)(?:_?hash)?|(?:^|_)(?:pwd|pass))\Z"),
        ("secret", r"(?:secrets?|(?:^|_)(?:credentials?|private_?key|signing_?key|connection_?string))\Z"),
        ("api_key", rf"(?:^|_|x)(?:{_KEY_OF})(?:_?access)?_?key\Z|apikey\Z"),
        ("token", r"(?:token|(?:^|_)(?:jwt|bearer|otp|session_?id|sessid))\Z"),
        ("authorization", r"(?:^|_)authorization\Z"),
        ("cookie", r"(?:^|_)(?:set_?)?cookies?\Z"),
        ("card", r"(?:^|_)(?:card_?(?:number|no)|cvv2?|cvc2?)\Z"),
    )
)
_HOLDERS = frozenset({"secret", "authorization", "cookie"})
"""Kinds whose objects hold secrets under any name; one named `password` is more likely a form's schema."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"[^a-z0-9]+")
_PAGING = re.compile(rf"(?:^|_|[a-z])(?:{'|'.join(PAGING_WORDS)})_?token\Z")


@lru_cache(maxsize=4096)
def _kind_of(key: str) -> str | None:
    name = _NO_WORD.sub("_", _CAMEL.sub("_", key).lower()).strip("_")
    for kind, pattern in _TELLING:
        if pattern.search(name):
            return None if kind == "token" and _PAGING.search(name) else kind
    return None


def kind_of(key: str) -> str | None:
    """Tell which kind of secret a key announces: `DB_PASSWORD`, `x-api-key`, `accessToken`; None for any other."""
    return _kind_of(key) if len(key) <= LONGEST_KEY and "[masked:" not in key else None


def holds_secrets(kind: str) -> bool:
    """Tell whether everything within an object under such a key is secret."""
    return kind in _HOLDERS
