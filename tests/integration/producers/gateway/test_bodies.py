"""Bodies: their size, coding, type and syntax."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import pytest

from runledger.producers.gateway.body import MAX_BODY_BYTES
from tests.integration.producers.gateway.serving import Caller

pytestmark = pytest.mark.integration
JSON = {"Content-Type": "application/json"}
BODY = b'{"summary": "packed"}'
ZIPPED = gzip.compress(BODY)


# Named, because gzip writes the time into what it packs: without names no two workers would collect the same tests.
@pytest.mark.parametrize(
    ("coding", "packed"), [("gzip", ZIPPED), ("deflate", zlib.compress(BODY))], ids=["gzip", "deflate"]
)
def test_a_packed_body_is_unpacked(acme: Caller, coding: str, packed: bytes) -> None:
    assert acme.send("failures", data=packed, headers={**JSON, "Content-Encoding": coding}).status_code == 201


def test_a_body_that_unpacks_to_too_much_is_refused(acme: Caller) -> None:
    bomb = gzip.compress(b'{"summary": "' + b"a" * (200 * MAX_BODY_BYTES))
    assert len(bomb) < MAX_BODY_BYTES
    answer = acme.send("failures", data=bomb, headers={**JSON, "Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def padded(size: int) -> bytes:
    return BODY + b" " * (size - len(BODY))


def test_a_body_may_take_a_mebibyte_and_no_more(acme: Caller) -> None:
    assert acme.send("failures", data=padded(MAX_BODY_BYTES), headers=JSON).status_code == 201
    assert acme.send("failures", data=padded(MAX_BODY_BYTES + 1), headers=JSON).status_code == 413


def test_a_body_that_does_not_say_its_size_is_counted(acme: Caller) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (b" " * 65_536 for _ in range(17))

    assert acme.send("failures", data=chunks(), headers=JSON).status_code == 413


def test_an_event_that_gets_too_large_is_refused(acme: Caller) -> None:
    traces = [{"text": "x" * 200_000}] * 5
    answer = acme.post("runs/0199f0c2-7f3a-7cc1-8d3b-0a5c1f2e3d4c/usage", {"token_usage": {}, "traces": traces})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "packed", [b"no gzip", ZIPPED[:-4], ZIPPED + b"more"], ids=["no gzip", "cut short", "too long"]
)
def test_a_broken_coding_is_refused(acme: Caller, packed: bytes) -> None:
    answer = acme.send("failures", data=packed, headers={**JSON, "Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_body")


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd"])
def test_other_codings_are_refused_with_those_that_are_known(acme: Caller, coding: str) -> None:
    answer = acme.send("failures", data=BODY, headers={**JSON, "Content-Encoding": coding})
    assert answer.status_code == 415
    assert "gzip" in answer.headers["Accept-Encoding"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_other_media_types_are_refused(acme: Caller, media_type: str) -> None:
    answer = acme.send("failures", data=BODY, headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json()["error"]["field"]) == (415, "Content-Type")


def test_a_media_types_parameters_do_not_matter(acme: Caller) -> None:
    assert acme.send("failures", data=BODY, headers={"Content-Type": "Application/JSON; charset=utf-8"}).ok


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"summary": "s"} x',
        b'{"summary": NaN}',
        b'{"summary": "\\ud800"}',
        b'{"summary": "\xff"}',
        b"{'summary': 's'}",
        b"[" * 300 + b"]" * 300,
    ],
)
def test_what_is_not_json_is_refused(acme: Caller, text: bytes) -> None:
    answer = acme.send("failures", data=text, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "body")


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (b'{"a": 1e999}', "context.a"),
        (b'{"a": [12345678901234567890123]}', "context.a[0]"),
        (b'{"a": "\\u0000"}', "context.a"),
        (b'{"a":' * 32 + b"1" + b"}" * 32, "context." + ".".join("a" * 32)),
    ],
)
def test_what_the_log_does_not_hold_is_named(acme: Caller, value: bytes, field: str) -> None:
    answer = acme.send("failures", data=b'{"summary": "s", "context": ' + value + b"}", headers=JSON)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_a_free_form_object_may_take_256_kib(acme: Caller) -> None:
    fits = {"a": "x" * (256 * 1024 - 8)}
    assert acme.post("failures", {"summary": "s", "context": fits}).status_code == 201
    answer = acme.post("failures", {"summary": "s", "context": {"a": fits["a"] + "x"}})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "context")
