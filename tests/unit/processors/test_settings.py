"""Settings come from the environment, and unsafe ones are refused outside of tests."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runledger.processors.settings import ProcessorSettings


def test_nothing_is_unsafe_by_default() -> None:
    settings = ProcessorSettings()
    assert (settings.unsafe_disable, settings.unsafe_abort_ratio, settings.testing) == (frozenset(), 0, False)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_RUN_DEADLINE_SECONDS", "2.5")
    monkeypatch.setenv("RUNLEDGER_TOPIC_PREFIX", "mine.")
    settings = ProcessorSettings()
    assert (settings.run_deadline_seconds, settings.topic_prefix) == (2.5, "mine.")


@pytest.mark.parametrize("name", ["fencing", "read_committed", "dedupe"])
def test_a_protection_is_not_switched_off_without_testing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("RUNLEDGER_UNSAFE_DISABLE", name)
    with pytest.raises(ValidationError, match="RUNLEDGER_TESTING=1"):
        ProcessorSettings()
    monkeypatch.setenv("RUNLEDGER_TESTING", "1")
    assert ProcessorSettings().unsafe_disable == {name}


def test_transactions_are_not_aborted_without_testing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_UNSAFE_ABORT_RATIO", "0.1")
    with pytest.raises(ValidationError, match="RUNLEDGER_TESTING=1"):
        ProcessorSettings()


def test_other_processes_protections_are_left_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_TESTING", "1")
    monkeypatch.setenv("RUNLEDGER_UNSAFE_DISABLE", "dedupe,outbox,compare_and_set,fencing")
    assert ProcessorSettings().unsafe_disable == {"dedupe", "fencing"}


@pytest.mark.parametrize("name", ["run_deadline_seconds", "pending_records", "state_bytes", "session_timeout_seconds"])
def test_nonsense_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        ProcessorSettings.model_validate({name: 0})


@pytest.mark.parametrize("name", ["run_commit_interval_seconds", "agent_commit_interval_seconds"])
@pytest.mark.parametrize("seconds", [-0.1, 1.1])
def test_an_interval_between_commits_is_neither_negative_nor_longer_than_a_second(name: str, seconds: float) -> None:
    with pytest.raises(ValidationError, match=name):
        ProcessorSettings.model_validate({name: seconds})
    assert ProcessorSettings.model_validate({name: 0}) is not None
