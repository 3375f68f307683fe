from __future__ import annotations

from structlog.testing import capture_logs

from runledger.watch.availability import Availability


def test_it_says_once_that_something_went_away_and_once_that_it_is_back() -> None:
    availability = Availability("watermark", 15)
    with capture_logs() as logs:
        availability.answered()
        for _ in range(4):
            availability.lost("_TRANSPORT")
        availability.answered()
        availability.answered()
        availability.lost("08006")
    assert [(line["event"], line.get("reason")) for line in logs] == [
        ("away", "_TRANSPORT"),
        ("back", None),
        ("away", "08006"),
    ]


def test_pauses_double_up_to_the_limit_and_begin_anew() -> None:
    availability = Availability("watermark", 3)
    assert [availability.lost("x") for _ in range(5)] == [0.5, 1, 2, 3, 3]
    availability.answered()
    assert availability.lost("x") == 0.5
