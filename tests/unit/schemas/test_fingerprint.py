"""Failures of one kind share a fingerprint; others do not."""

import time

import pytest

from runledger.schemas.fingerprint import fingerprint, normalise
from tests.unit.schemas.real_errors import ALL

TRACE = (
    'Traceback (most recent call last):\n  File "/srv/releases/{release}/app/orders.py", line {line}, in place\n'
    "    total = cart[key]\nKeyError: 'total'"
)

SAME = [
    ("Error: connect ETIMEDOUT 10.0.0.5:5432", "Error: connect ETIMEDOUT 10.0.17.201:5432"),
    ("Error: connect ECONNREFUSED 127.0.0.1:6379", "Error: connect ECONNREFUSED 127.0.0.1:6380"),
    ("dial tcp [2001:db8::12]:443: i/o timeout", "dial tcp [2001:db8::ffee]:8443: i/o timeout"),
    ("connection to fe80::1%eth0 lost", "connection to fe80::2%eth1 lost"),
    ("could not connect to db.internal:5432", "could not connect to db.internal:15432"),
    ("redis:6379 is not ready", "redis:16379 is not ready"),
    (TRACE.format(release="20250101", line=42), TRACE.format(release="20250302", line=57)),
    ("at charge (/home/ci7/app/pay.js:10:15)", "at charge (/home/ci12/app/pay.js:118:3)"),
    ("main.go:88 +0x1d: nil pointer", "main.go:91 +0x2f4: nil pointer"),
    ("<Task object at 0x7f3a2b1c> is done", "<Task object at 0x55d0aa01> is done"),
    ("run 550e8400-e29b-41d4-a716-446655440000 not found", "run 6BA7B810-9DAD-11D1-80B4-00C04FD430C8 not found"),
    ("commit 9fceb02d0ae5 is not on main", "commit 1a410efbd13591db07496601ebc7a059dd55cfe9 is not on main"),
    ("request req_011CSHoEeqs5C35K2UUqR7Fy failed", "request req_018EeQ23mLd9s7Xa2Vb4TtZk failed"),
    ("order 48213345 is closed", "order 48213999 is closed"),
    ("user ann@example.com is locked", "user bob.smith+x@mail.example.org is locked"),
    ("2025-01-02 03:04:05,123 lease lost", "2025-11-30 23:59:59,999 lease lost"),
    ("token expired at 2025-01-02T03:04:05Z", "token expired at 2026-02-03T04:05:06.789+01:00"),
    ("Not before Mon, 02 Jan 2025 10:00:00 GMT", "Not before Fri, 14 Mar 2025 07:30:12 GMT"),
    ("Tue Mar 04 12:00:01 2025 segfault", "Sat Nov 15 01:02:03 2025 segfault"),
    ("12:34:56 watchdog barked", "01:02:03.456 watchdog barked"),
    ("timed out after 30000ms", "timed out after 120s"),
    ("timed out after 1.5 seconds", "timed out after 2 minutes"),
    ("gave up after 2m30s", "gave up after 45s"),
    ("rate limited, retry in 1 day 3 hours later", "rate limited, retry in 12 hours later"),
    ("ENOENT: /tmp/run-12345/out_7.json", "ENOENT: /tmp/run-999/out_12.json"),
    (r"C:\Users\ci7\Temp\42\a.txt is locked", r"C:\Users\ci12\Temp\7\a.txt is locked"),
    ("GET https://api.example.com/users/123?page=4 failed", "GET https://api.example.com/users/98?page=11 failed"),
    ("syntax error at line 3, column 14", "syntax error at line 120, column 2"),
    ("Unexpected token < in JSON at position 0", "Unexpected token < in JSON at position 512"),
    ("worker pid 4711 was killed", "worker pid 99 was killed"),
    ("disk  full\n\twhile writing", "disk full while writing"),
    ("body of 1.5 MB refused", "body of 12 MB refused"),
    ("peer ::ffff:10.0.0.5 left", "peer ::ffff:10.0.7.9 left"),
    ("cannot read /tmp/tmp.Xa8Kd92LqP/a", "cannot read /tmp/tmp.b7Zq41hWnn/a"),
]

DIFFERENT = [
    ("HTTP 404 from upstream", "HTTP 500 from upstream"),
    ("request failed with status:404", "request failed with status:503"),
    ("ERROR:1045 access denied", "ERROR:1062 access denied"),
    ("exit code 1", "exit code 137"),
    ("SQLSTATE:42703", "SQLSTATE:23505"),
    ("Error: connect ETIMEDOUT 10.0.0.5:5432", "Error: connect ECONNREFUSED 10.0.0.5:5432"),
    ("KeyError: 'total'", "KeyError: 'price'"),
    ("KeyError: 'total'", "AttributeError: 'total'"),
    ("ENOENT: /tmp/run-1/out.json", "ENOENT: /tmp/run-1/in.json"),
    ("GET https://api.example.com/users/1 failed", "GET https://api.example.com/orders/1 failed"),
    ("could not connect to db.internal:5432", "could not connect to cache.internal:5432"),
    ("timed out after 30s while reading", "timed out after 30s while writing"),
    ("foo::bar failed", "foo::baz failed"),
    ("index [12] is out of range", "index [13] is out of range"),
    ("needs python 3.11", "needs python 3.12"),
    ("user ann@example.com is locked", "user ann@example.com is unknown"),
    ("model gpt-4 is gone", "model gpt-5 is gone"),
    ("exit=1", "exit=2"),
    ("Key (id)=(7) already exists", "Key (email)=(7) already exists"),
    ("Key (id)=(7) already exists", "Key (id)=(7) is not present"),
    ("no template /srv/tmpdirectory/a", "no template /srv/tmpdownloads/a"),
    ("pod my-service-front is gone", "pod my-service-cache is gone"),
    ("task-worker died", "task-runner died"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_failures_of_one_kind_have_one_fingerprint(first: str, second: str) -> None:
    assert normalise(first) == normalise(second)
    assert fingerprint("p", "s", first) == fingerprint("p", "other summary", second)


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_failures_of_different_kinds_have_different_fingerprints(first: str, second: str) -> None:
    assert fingerprint("p", "s", first) != fingerprint("p", "s", second)


@pytest.mark.parametrize("kind", [kind for kind, errors in ALL.items() if len(errors) > 1])
def test_real_errors_of_one_kind_are_not_split(kind: str) -> None:
    assert len({normalise(error) for error in ALL[kind]}) == 1


def test_real_errors_of_different_kinds_are_not_merged() -> None:
    """Every kind against every other."""
    kinds: dict[str, set[str]] = {}
    for kind, errors in ALL.items():
        for error in errors:
            kinds.setdefault(fingerprint("p", "s", error), set()).add(kind)
    assert {frozenset(merged) for merged in kinds.values() if len(merged) > 1} == set()


def test_the_table_of_real_errors_is_large() -> None:
    assert sum(map(len, ALL.values())) >= 120
    assert len(ALL) >= 80


@pytest.mark.parametrize("kind", ALL)
def test_real_errors_are_normalised_once_and_for_all(kind: str) -> None:
    for error in ALL[kind]:
        assert normalise(normalise(error)) == normalise(error)


def test_fingerprint_is_sha256_of_version_project_and_normalised_error() -> None:
    # printf 'v1\nshop\nconnect ETIMEDOUT <ip>' | sha256sum
    expected = "0801f66dbc2c95a3755fdff7f25d2911c9c0123a354adbb34b4ee8a4786ad343"
    assert fingerprint("shop", "x", "connect ETIMEDOUT 10.0.0.5:5432") == expected


def test_fingerprint_tells_projects_apart() -> None:
    assert fingerprint("a", "s", "boom") != fingerprint("b", "s", "boom")


@pytest.mark.parametrize("error", [None, "", "  \n"])
def test_fingerprint_takes_the_summary_where_there_is_no_error(error: str | None) -> None:
    assert fingerprint("p", "timed out after 3s", error) == fingerprint("p", "s", "timed out after 40s")


@pytest.mark.parametrize("first", [first for pair in SAME for first in pair])
def test_normalise_has_nothing_left_to_do_on_its_own_output(first: str) -> None:
    assert normalise(normalise(first)) == normalise(first)


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "1:",
        "a.",
        "a@",
        "/",
        "1s ",
        "<ip>/",
        "0-",
        "a-",
        "a1_",
        "[::",
        "Mon ",
        " ",
        "A://",
        "ab",
        "1 ",
        "Key (",
        "Duplicate entry '",
        "*",
        "-b2",
        "[1:<hex>] ",
        "/tmp",  # noqa: S108  # a text, not a file
        "port ",
    ],
)
def test_normalise_takes_little_time_on_any_text(unit: str) -> None:
    text = (unit * 8000)[:8000]
    started = time.perf_counter()
    normalise(text)
    assert time.perf_counter() - started < 1.0
