"""JSON that nobody means well with: values, texts, and bytes that are almost JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson
from hypothesis import strategies as st

import runledger.schemas

EXAMPLES = Path(runledger.schemas.__file__).parent / "examples"

_Item = TypeVar("_Item")


def chosen(items: Sequence[_Item]) -> st.SearchStrategy[_Item]:
    """Choose one of many items, without a word about the others in every report."""
    return st.integers(0, len(items) - 1).map(items.__getitem__)


TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(categories=["Cc", "Cf", "Co", "Cs", "Mn", "Zl", "Zp", "Zs"]), max_size=8),
    chosen(
        [
            *("", " ", "\x00", "a\x00b", "\ufeff", "\ufeffsage", "\ud800", "\udfff\ud800", "a\udc80"),
            *(
                "e\u0301",
                "\u00e9",
                "\u202esage",
                "\u200b",
                "sa\u200dge",
                "\u2066a\u2069",
                "\x1b[2J\x1b]0;x\x07",
                "\r\n",
            ),
            *("\x85", "\u2028", "\U0010ffff", "🐈", "🇩🇪", "ﷺ", "ß", "İ", "\u017f", "ﬁ"),
            *("' OR 1=1 --", "'; DROP TABLE agent_run; --", '"', "\\", "\\u0000", "%00", "%s", "${jndi:x}", "{{7*7}}"),
            *("../../etc/passwd", "NaN", "null", "true", "0", "-0", "1e999", "__proto__", "constructor", "[masked:x]"),
            *(
                "password=hunter22",
                "Bearer abcdefgh12345678",
                "a@example.com",
                "sk-ant-" + "a1" * 20,
                "4111111111111111",
            ),
        ]
    ),
    st.builds(
        lambda unit, count: unit * count, st.text(min_size=1, max_size=3), st.sampled_from([65, 256, 2001, 8001])
    ),
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    chosen(
        [0, -0.0, 1, -1, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**400]
    ),
    chosen([1e308, 5e-324, 0.1 + 0.2, 1e22, math.inf, -math.inf, math.nan, 8400.0, 1e9, 999999999.99999999995]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
NAMES = st.one_of(
    TEXTS, st.sampled_from(["password", "api_key", "value", "name", "summary", "no_work", "cost_usd", "id"])
)


def _deep(value: object, depth: int, *, lists: bool) -> object:
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


VALUES: st.SearchStrategy[Any] = st.one_of(
    SCALARS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    ),
    st.builds(_deep, SCALARS, st.integers(28, 70), lists=st.booleans()),
    st.builds(lambda item, count: [item] * count, NUMBERS | st.text(max_size=9), st.sampled_from([200, 201, 1001])),
    st.builds(lambda item, count: {str(n): item for n in range(count)}, NUMBERS, st.sampled_from([50, 1000])),
)


def written(value: object, *, twice: bool = False) -> bytes:
    """Write as JSON whatever Python's own writer writes: NaN, Infinity, lone surrogates, any integer; keys twice."""
    try:
        text = json.dumps(value)
    except ValueError:  # an integer of more digits than Python prints
        text = "1" + "0" * 5000
    if twice and text.startswith("{") and len(text) > 2:
        text = f"{text[:-1]}, {text[1:]}"
    return text.encode()


PIECES = st.one_of(
    st.binary(max_size=6),
    st.integers(0, 17).map(lambda power: b"[" * 2**power),
    chosen(
        [
            *(
                b'"',
                b"\\",
                b"\\u0000",
                b"\\ud800",
                b"\\udc00\\ud800",
                b"\x00",
                b"\x1f",
                b"\xff",
                b"\xfe\xff",
                b"\xc0\x80",
            ),
            *(
                b"\xed\xa0\x80",
                b"\xf4\x90\x80\x80",
                b"\xef\xbb\xbf",
                b"\xe2\x80\xae",
                b",",
                b":",
                b"{}",
                b"[",
                b"]",
                b"{",
                b"}",
            ),
            *(
                b"1e400",
                b"-1e400",
                b"NaN",
                b"Infinity",
                b"01",
                b"-0",
                b"-",
                b"1.",
                b".5",
                b"1E+2",
                b"9" * 30,
                b"9" * 5000,
            ),
            *(
                b"//",
                b"/**/",
                b"null",
                b"tru",
                b"'a'",
                b"\t\r\n ",
                b"\x0b",
                b"\xc2\xa0",
                b"[" * 40,
                b'{"a":' * 40,
                b"[" * 100_000,
            ),
        ]
    ),
)


def _spliced(value: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for place, cut, piece in edits:
        at = int(place * len(value))
        value = value[:at] + piece + value[at + cut :]
    return value


def mutated(values: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Give values with pieces put in, taken out or replaced; some as they are."""
    edits = st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES)
    return st.builds(_spliced, values, st.lists(edits, max_size=3))


JSON_BYTES = st.one_of(
    st.builds(written, VALUES, twice=st.booleans()), mutated(st.builds(written, VALUES)), st.binary(max_size=64)
)


def examples_of(topic: str) -> list[dict[str, Any]]:
    """The examples of a topic's records."""
    return [orjson.loads(path.read_bytes()) for path in sorted((EXAMPLES / topic).glob("*.json"))]


def _places(document: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, item in items:
        yield from _places(item, (*path, name))


def _put(document: Any, path: tuple[str | int, ...], value: object, deed: str) -> Any:  # noqa: ANN401  # any JSON
    """Copy a document, changed at one place."""
    copied: Any = dict(document) if isinstance(document, dict) else list(document)
    name = path[0]
    if len(path) > 1:
        copied[name] = _put(copied[name], path[1:], value, deed)
    elif deed == "drop":
        del copied[name]
    elif deed == "add" and isinstance(copied, dict):
        copied[str(value)[:300]] = copied[name]
    else:
        copied[name] = value
    return copied


@st.composite
def almost(draw: st.DrawFn, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Give one of these documents, changed at up to three places."""
    document = draw(chosen(documents))
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(document))
        if not places:
            break
        path = draw(st.sampled_from(places))
        document = _put(document, path, draw(VALUES), draw(st.sampled_from(["set", "set", "set", "drop", "add"])))
    return document


def almost_bytes(documents: list[dict[str, Any]]) -> st.SearchStrategy[bytes]:
    """Give such documents as bytes, some of them mutated once more."""
    whole = st.builds(written, almost(documents), twice=st.sampled_from([False, False, False, True]))
    return st.one_of(whole, mutated(whole), JSON_BYTES)
