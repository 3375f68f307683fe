"""What stands behind options that several commands take."""

from __future__ import annotations

import pytest
import typer

from runledger.cli.options import moment_of, project_key, run_prefix, seconds_of
from tests.unit.runledger.cli.build import NOON, run_number


def test_a_run_is_named_by_its_id_with_or_without_dashes_or_its_beginning() -> None:
    run = run_number(7)
    assert run_prefix(str(run)) == run_prefix(run.hex.upper()) == run.hex
    assert run_prefix("3F9a-") == "3f9a"


def test_a_moment_is_a_time_with_its_zone_or_how_long_ago() -> None:
    assert moment_of("2h", NOON).isoformat() == "2026-03-01T10:00:00+00:00"
    assert moment_of("2026-03-01T13:00+01:00").isoformat() == "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (run_prefix, ""),
        (run_prefix, "run-7"),
        (run_prefix, "0" * 33),
        (moment_of, "yesterday"),
        (moment_of, "2026-03-01T12:00"),
        (moment_of, "0001-01-01T00:00+14:00"),
        (project_key, "My Project"),
        (seconds_of, "hourly"),
    ],
)
def test_what_makes_no_sense_is_refused_with_an_example(read: object, text: str) -> None:
    assert callable(read)
    with pytest.raises(typer.BadParameter, match=r"no run's id|no time|no zone|outside the years|no project|no length"):
        read(text)
