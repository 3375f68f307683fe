"""The page of settings tells every field of every class, with its unit."""

from __future__ import annotations

import re

import pytest
from pydantic import Field
from pydantic_settings import BaseSettings

from reference.settings import READERS, own_fields, owners, settings_page, unit_of
from runledger.doctor.variables import SETTINGS, known_names
from runledger.vitals.settings import VitalsSettings

PAGE = settings_page()
ALL: list[type[BaseSettings]] = [*SETTINGS.values(), *READERS.values(), VitalsSettings]


class _Base(BaseSettings):
    pause_seconds: float = 1
    most: int = Field(default=2, json_schema_extra={"x-unit": "runs"})


class _Made(_Base):
    pause_seconds: float = 2


def test_every_variable_that_means_something_is_told() -> None:
    assert set(re.findall(r"^\| `(RUNLEDGER_\w+)`", PAGE, re.MULTILINE)) == known_names()


@pytest.mark.parametrize("owner", owners(ALL), ids=lambda owner: str(owner.__name__))
def test_every_setting_says_what_it_is_and_a_number_in_what_it_counts(owner: type[BaseSettings]) -> None:
    for name, field in own_fields(owner).items():
        assert field.description, name
        is_number = re.search(r"\b(int|float)\b", str(field.annotation)) and not name.endswith(("port", "workers"))
        assert bool(unit_of(name, field)) == bool(is_number), name


def test_a_class_is_told_after_its_base_and_its_own_fields_alone() -> None:
    assert owners([_Made]) == [_Base, _Made]
    assert list(own_fields(_Made)) == ["pause_seconds"]


def test_a_unit_is_in_the_name_or_said() -> None:
    fields = own_fields(_Base)
    assert {name: unit_of(name, field) for name, field in fields.items()} == {
        "pause_seconds": "seconds",
        "most": "runs",
    }


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_a_setting_of_two_classes_is_told_in_each_with_its_readers() -> None:
    assert "Read by processor.\n" in section("Processor")
    assert "| `RUNLEDGER_SESSION_TIMEOUT_SECONDS` | number of seconds, more than 0 | `6` |" in section("Processor")
    assert "Read by sink, relay.\n" in section("Sink")
    assert "| `RUNLEDGER_SESSION_TIMEOUT_SECONDS` | number of seconds, more than 0 | `10` |" in section("Sink")
    assert "Read by all.\n" in section("Kafka")


def test_who_defines_a_setting_anew_does_not_read_the_first() -> None:
    (row,) = [line for line in section("Producer").splitlines() if "RUNLEDGER_DELIVERY_TIMEOUT_SECONDS" in line]
    assert row.endswith("(read by clients alone) |")
    assert "| `RUNLEDGER_DELIVERY_TIMEOUT_SECONDS` | number of seconds, 1 to 900 | `30` |" in section("Gateway")


def test_units_bounds_and_large_numbers_are_told() -> None:
    assert "| `RUNLEDGER_PARTITIONS` | whole number of partitions, 1 to 1000 | `4` |" in PAGE
    assert "| share, more than 0 and at most 1 | `0.5` |" in PAGE
    assert "| `RUNLEDGER_STATE_BYTES` | whole number of bytes, at least 1 | `268435456` (256 MiB) |" in PAGE
