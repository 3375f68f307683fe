"""What changes or reads texts: masking, what OTLP sends, what stands on a command line, cursors of pages."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import orjson
import typer
from google.protobuf.json_format import ParseDict
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import TypeAdapter

from runledger.analytics.errors import CursorError
from runledger.analytics.paging import read_cursor, write_cursor
from runledger.analytics.run_list import _PLACES
from runledger.cli.dlq_options import parse_moment, parse_place
from runledger.cli.terminal import plain
from runledger.intervals import parse_interval, say_interval
from runledger.producers.masking import Masker
from runledger.producers.otlp import Shortener, UnreadableError, map_reading, read_json
from runledger.producers.otlp.protobuf import read_protobuf
from runledger.schemas.codec import decode_event, encode_event
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.values import MAX_ERROR, MAX_EVENT_BYTES, MAX_VALUE_BYTES
from tests.fuzz.nasty import JSON_BYTES, TEXTS, VALUES, almost, chosen, mutated, written
from tests.fuzz.running import Fuzzer, kept_cases
from tests.unit.producers.masking.samples import SECRETS
from tests.unit.producers.masking.test_linear import UNITS
from tests.unit.producers.otlp.requests import modelled, raw_span, request

MASKER = Masker({"own": r"EMP-\w{1,100}+-\d{1,20}"})
_PARTS = st.one_of(
    chosen([*UNITS, *(secret for _, _, secret, _ in SECRETS)]),
    st.sampled_from([" ", "\n", ",", "'", '"', ": ", "=", ")", "]", "://", "@", "***", "[masked:password]", "\\"]),
    st.text(max_size=5),
)
TANGLED = st.lists(_PARTS, max_size=12).map("".join)
LONG = st.builds(
    lambda parts, count: "".join(parts) * count, st.lists(_PARTS, max_size=3), st.sampled_from([1, 50, 700])
)


def check_text(text: str) -> None:
    """Mask a text: what was masked stays as it is, and a limit holds."""
    once = MASKER.mask_text(text)
    assert MASKER.mask_text(once) == once
    if len(text) <= MAX_ERROR:
        assert len(MASKER.mask_text(text, MAX_ERROR)) <= MAX_ERROR


def check_secret(parts: tuple[str, tuple[str, str, str, str], str]) -> None:
    """Mask a known secret wherever it stands, with white space around it."""
    before, (_, named, secret, after), behind = parts
    text = f"{before}\n{named}{secret}{after}\n{behind}"
    assert secret not in MASKER.mask_text(text) or secret in before + behind


def check_json(value: Any) -> None:  # noqa: ANN401  # any JSON
    """Mask any value: its shape stays, nothing is unmasked the second time."""
    try:
        before = orjson.dumps(value)
    except TypeError:  # the event model takes none such
        return
    if len(before) > MAX_EVENT_BYTES:
        return
    once = MASKER.mask_json(value)
    assert orjson.dumps(value) == before
    assert orjson.dumps(MASKER.mask_json(once)) == orjson.dumps(once)  # not a number is not itself
    if len(before) <= MAX_VALUE_BYTES:
        assert len(orjson.dumps(MASKER.mask_json(value, MAX_VALUE_BYTES))) <= MAX_VALUE_BYTES


_SPANS = [
    request(
        raw_span({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7, "gen_ai.request.model": "gpt-4o"})
    ),
    request(raw_span({"openinference.span.kind": "AGENT", "input.value": "a", "output.value": "b"}, parent=None)),
    request(raw_span({"gen_ai.tool.name": "t", "list": [1, {"a": None}], "error": True})),
]


def _as_protobuf(document: dict[str, Any]) -> bytes:
    try:
        return ParseDict(document, ExportTraceServiceRequest(), ignore_unknown_fields=True).SerializeToString()
    except Exception:  # noqa: BLE001  # whatever its writer refuses is none of our affair
        return ParseDict(_SPANS[0], ExportTraceServiceRequest()).SerializeToString()


SPANS_PROTOBUF = mutated(st.builds(_as_protobuf, almost(_SPANS)))
SPANS_JSON = st.one_of(st.builds(written, almost(_SPANS)), mutated(st.builds(written, almost(_SPANS))), JSON_BYTES)


def check_spans(read: Callable[[bytes], Any], body: bytes) -> None:
    """Read spans: the events made of them are events that everybody reads."""
    try:
        reading = read(body)
    except UnreadableError as error:
        str(error).encode()
        return
    mapped = map_reading("default", reading, Shortener(MASKER))
    for event in map(modelled, mapped.events):
        assert decode_event(encode_event(event)) == event


def check_argument(text: str) -> None:
    """Read an argument in every way the command line does."""
    with suppress(ValueError):
        seconds = parse_interval(text)
        assert parse_interval(say_interval(seconds)) == seconds
    with suppress(typer.BadParameter):
        parse_moment(text)
    with suppress(typer.BadParameter):
        parse_place(_CONNECTION, text)
    assert plain(text).isprintable()


ARGUMENTS = st.one_of(
    TEXTS,
    st.from_regex(r"[0-9]{1,11}[dhms]([0-9]{1,5}[hms])?", fullmatch=True),
    st.datetimes().map(str),
    st.sampled_from(["0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59", "2026-02-30", "2026-W10-1", "20260101T00Z"]),
    st.from_regex(r"[a-z.-]{0,8}/[0-9]{0,20}/[0-9]{0,20}", fullmatch=True),
    st.from_regex(r"[0-9TZ:+-]{0,30}", fullmatch=True),
)
_CONNECTION = ConnectionSettings()
_QUESTION = {"list": "runs", "project_key": "default"}


def check_cursor(pair: tuple[str, bytes | str]) -> None:
    """Read a cursor that somebody made up."""
    column, packed = pair
    text = packed if isinstance(packed, str) else base64.urlsafe_b64encode(packed).rstrip(b"=").decode()
    place: TypeAdapter[Any] = _PLACES[column]
    try:
        found = read_cursor(text, _QUESTION, place)
    except CursorError:
        return
    orjson.dumps(found, default=str)


def _own_cursor(place: list[Any]) -> bytes:
    begun = write_cursor(_QUESTION, ["x"])
    digest = orjson.loads(base64.urlsafe_b64decode(begun + "=" * (-len(begun) % 4)))[0]
    return written([digest, *place])


CURSORS = st.tuples(
    st.sampled_from(sorted(_PLACES)),
    st.one_of(
        JSON_BYTES,
        TEXTS,
        st.lists(VALUES, max_size=3).map(_own_cursor),
        st.tuples(VALUES, st.uuids().map(str)).map(lambda pair: _own_cursor(list(pair))),
        st.binary(max_size=50).map(gzip.compress),
    ),
)


def fuzzers() -> Iterable[Fuzzer[Any]]:
    """Fuzzers of all these."""
    yield Fuzzer("masked-texts", TANGLED | LONG | TEXTS, check_text)
    yield Fuzzer("masked-secrets", st.tuples(TANGLED, chosen(SECRETS), TANGLED), check_secret)
    yield Fuzzer(
        "masked-json",
        VALUES
        | st.recursive(
            TANGLED,
            lambda i: (
                st.lists(i, max_size=3)
                | st.dictionaries(
                    TANGLED | st.sampled_from(["password", "token", "value", "name", "cookie"]), i, max_size=3
                )
            ),
        ),
        check_json,
    )
    yield Fuzzer("otlp-protobuf", SPANS_PROTOBUF, lambda body: check_spans(read_protobuf, body))
    yield Fuzzer("otlp-json", SPANS_JSON, lambda body: check_spans(read_json, body))
    yield Fuzzer("arguments", ARGUMENTS, check_argument)
    yield Fuzzer("cursors", CURSORS, check_cursor)


def check_kept() -> None:
    """Check what once was found."""
    for _, value in kept_cases("masked-texts"):
        check_text(value.decode())
    for name in ("otlp-json", "otlp-protobuf"):
        for _, value in kept_cases(name):
            check_spans(read_json if name == "otlp-json" else read_protobuf, value)
