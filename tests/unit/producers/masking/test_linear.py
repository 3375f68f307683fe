"""Masking takes time in proportion to the text, also where the text is made to make it slow."""

from __future__ import annotations

import time

import pytest

from runledger.producers.masking import Masker
from tests.unit.producers.masking.samples import SECRETS

MASKER = Masker({"own": r"EMP-\w{1,100}+-\d{1,20}"})
CHARACTERS = 900_000
SLOWEST_RATIO = 9
"""Squared time would take sixteen times as long; the room above four is for a busy machine."""

UNITS = [
    *("@", "a", "a@", "a.", "a@a.", "%40", "a%", "a%40a.", "-", ".", "_", " ", "\n", "\\", '"', "'", "=", ":", "&"),
    *("://", "://a", "://:", "://a:", "://a:a@", "://::::", "4", "4111 ", "4111-1111-", "4111111111111111"),
    *("eyJ", "eyJaaaaaaaa.", "eyJ.", "eyJaaaaaaaaa.eyJ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "-----"),
    *("-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAA\n", "password", "password=", "password: ", 'password="'),
    *('password="\\', "password='", 'password=\\"', "password\\\\\\", "password        ", "token=", "tokentoken"),
    *("secret_access_", "secretkey", "api_key:", "authorization", "authorization: ", "authorization: digest "),
    *("authorization:basic", "bearer ", "bearer a", "cookie", "cookie: a", "cookie: a=", "cookie:a", "?sig=", "&sig=a"),
    *("--password", "--a-", "--a-a-a-", "--token ", "curl -u a", " -u a:", "sk-", "sk-ant-", "sk-a", "AKIA", "Q~"),
    *(
        "0000000Q~",
        "8Q~a",
        "xox",
        "xoxb.xoxb-",
        "SG.",
        "0-us",
        "0123456789abcdef-us",
        "M",
        "Maaaaaaaaaaaaaaaaaaaaaaaa.",
        "SG.aaaaaaaaaaaaaaaaaa.",
        "dp.pt.",
        ":AA",
        "00000000:AA",
    ),
    *("hooks.slack.com/services/", "/webhook", "discord.com/api/webhooks/", "EMP-", "EMP-a-", "[masked:", "[masked:x]"),
    *(f"{before}{secret}{after}" for _, before, secret, after in SECRETS[::4]),
]


def seconds(text: str) -> float:
    began = time.thread_time()
    MASKER.mask_text(text)
    return time.thread_time() - began


@pytest.mark.parametrize("unit", UNITS)
def test_four_times_the_hostile_text_takes_about_four_times_the_time(unit: str) -> None:
    quarter = unit * (CHARACTERS // 4 // len(unit))  # a unit cut in two may hold a secret or not, and cost a pass more
    for attempt in range(5):
        ratio = seconds(4 * quarter) / seconds(quarter)
        if ratio < SLOWEST_RATIO:
            return
        assert attempt < 4, f"four times the text took {ratio:.1f} times the time"
