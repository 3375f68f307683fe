"""Tombstones that say that an agent, or a project, was erased."""

from __future__ import annotations

import pytest

from runledger.schemas.identifiers import agent_key
from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.schemas.topics import AGENTS, SETTINGS, Topic
from runledger.sinks.batch import fold, refused_event
from runledger.sinks.records import Record
from tests.unit.sinks.build import AGENT, PROJECT, health_record, incident_record, record, run_record, snapshot

KEY = agent_key(PROJECT, AGENT)


def _tombstone(topic: Topic, offset: int, key: bytes | None, reason: str | None = "erased") -> Record:
    return record(topic, offset, key, None, reason=reason)


def test_fold_forgets_what_came_before_an_agents_erasure() -> None:
    batch = fold([health_record(0), incident_record(0), _tombstone(AGENTS, 1, KEY)], DEFAULT_RUBRIC)
    assert batch.erased_agents == {KEY: {"project_key": PROJECT, "agent_id": AGENT}}
    assert (batch.health, batch.incidents, batch.named) == ({}, {}, set())


def test_fold_keeps_what_comes_after_an_agents_erasure() -> None:
    batch = fold([_tombstone(AGENTS, 0, KEY), health_record(1, version=9)], DEFAULT_RUBRIC)
    assert set(batch.erased_agents) == set(batch.health) == {KEY}
    assert (PROJECT, AGENT) in batch.named


@pytest.mark.parametrize("reason", [None, "evicted", "removed"])
def test_fold_ignores_a_tombstone_of_an_agent_for_another_reason(reason: str | None) -> None:
    batch = fold([health_record(0), _tombstone(AGENTS, 1, KEY, reason)], DEFAULT_RUBRIC)
    assert (batch.erased_agents, set(batch.health)) == ({}, {KEY})


@pytest.mark.parametrize("key", [None, b"", b"demo", b"demo/", b"\xff/sage"])
def test_fold_dead_letters_a_tombstone_whose_key_names_no_agent(key: bytes | None) -> None:
    batch = fold([_tombstone(AGENTS, 0, key)], DEFAULT_RUBRIC)
    assert [letter.reason for letter in batch.dead_letters] == ["wrong_key"]


def test_fold_erases_figures_by_the_tombstone_of_a_projects_own_settings_alone() -> None:
    erased = [_tombstone(SETTINGS, 0, KEY), _tombstone(SETTINGS, 1, b"demo"), _tombstone(SETTINGS, 2, b"kept", None)]
    assert fold(erased, DEFAULT_RUBRIC).erased_projects == [{"project_key": "demo"}]


def test_only_of_run_events_is_it_noted_where_they_were_refused() -> None:
    assert refused_event(run_record(0, snapshot(1))) is None
