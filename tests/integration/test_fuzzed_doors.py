"""The fuzzers of the listeners in their short form; `make fuzz` runs them for long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz import doors
from tests.fuzz.doors import Ground
from tests.fuzz.running import run_briefly

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def ground(servers: tuple[str, str]) -> Iterator[Ground]:
    """Topics, tables and keys of these tests' own."""
    with doors.ground(*servers) as made:
        yield made


@pytest.mark.parametrize("name", doors.DOORS)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # reports of large inputs are large
def test_hostile_requests_are_answered_as_documented(name: str, ground: Ground) -> None:
    with doors.DOORS[name](ground) as fuzzers:
        for fuzzer in fuzzers:
            run_briefly(fuzzer, 150)
