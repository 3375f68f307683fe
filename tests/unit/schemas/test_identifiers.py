from __future__ import annotations

import uuid
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from runledger.schemas import identifiers

RUN_ID = UUID("00000000-0000-4000-8000-000000000001")


def test_ids_never_change() -> None:
    """They are primary keys in databases that exist: these very values must hold for ever."""
    row = identifiers.row_id("default", RUN_ID)
    assert str(row) == "b4743760-6882-58f2-9d59-29ae1e89c267"
    assert str(identifiers.job_id(row, "heuristic.v1")) == "a5080dc0-c5b1-5426-9064-2a8be425cb6c"
    assert identifiers.timeout_event_id(row, 7) == "93270b29-5004-53f8-af74-257f82cab1ba"
    assert str(identifiers.incident_id("default", "sage", "silent", 7)) == "7ca1de16-d7cb-5405-8428-00fa0d56a907"
    assert str(identifiers.run_id_of("default", "mine")) == "8fe55ab0-d89c-536c-be6d-359dfb4f614e"


def test_the_project_stands_in_every_id() -> None:
    assert identifiers.row_id("a", RUN_ID) != identifiers.row_id("b", RUN_ID)
    assert identifiers.run_key("a", RUN_ID) != identifiers.run_key("b", RUN_ID)
    assert identifiers.agent_key("a", "x") != identifiers.agent_key("b", "x")
    assert identifiers.incident_id("a", "x", "silent", 1) != identifiers.incident_id("b", "x", "silent", 1)
    assert identifiers.run_id_of("a", "e") != identifiers.run_id_of("b", "e")


def test_new_ids_are_unique_and_sorted_by_time() -> None:
    ids = [identifiers.new_event_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert ids == sorted(ids)
    assert UUID(ids[0]).version == identifiers.new_run_id().version == 7


@given(st.uuids(), st.text(st.characters(exclude_categories=["Cs"])))
def test_uuid5_is_that_of_the_standard_library(namespace: UUID, name: str) -> None:
    assert (
        identifiers.uuid5(namespace, name) == identifiers.uuid5(namespace, name.encode()) == uuid.uuid5(namespace, name)
    )


@given(st.uuids(), st.text())
def test_a_written_hash_is_the_hash(namespace: UUID, name: str) -> None:
    assert identifiers.uuid5_text(namespace, name) == str(uuid.uuid5(namespace, name))
