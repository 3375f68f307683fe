from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.schemas.agent_settings import MAX_SETTING, AgentSettings
from runledger.settings_log import SettingsError, check_settings, merge_settings

_NUMBERS = st.none() | st.integers(1, MAX_SETTING)
_NAMES = st.none() | st.text("abc ", min_size=1).filter(lambda text: bool(text.strip()))
_SETTINGS = st.builds(
    AgentSettings,
    st.just("p"),
    st.just("sage"),
    deadline_seconds=_NUMBERS,
    silence_threshold=_NUMBERS,
    failure_threshold=_NUMBERS,
    expected_interval_seconds=_NUMBERS,
    name=_NAMES,
    role=_NAMES,
    retired=st.none() | st.booleans(),
)


@given(st.none() | _SETTINGS, _SETTINGS)
def test_what_is_said_holds_and_the_rest_stays(standing: AgentSettings | None, said: AgentSettings) -> None:
    merged = merge_settings(standing, said)
    for setting in fields(AgentSettings):
        now, before = getattr(said, setting.name), getattr(standing, setting.name, None)
        assert getattr(merged, setting.name) == (before if now is None else now)


@given(_SETTINGS, _SETTINGS)
def test_to_say_it_twice_changes_nothing(standing: AgentSettings, said: AgentSettings) -> None:
    once = merge_settings(standing, said)
    assert merge_settings(once, said) == once


def test_an_agent_that_comes_back_is_not_retired() -> None:
    merged = merge_settings(AgentSettings("p", "sage", retired=True), AgentSettings("p", "sage", retired=False))
    assert merged.retired is False


@given(_SETTINGS)
def test_settings_are_taken_as_they_are(settings: AgentSettings) -> None:
    assert check_settings(settings) == settings


def test_an_agents_id_is_trimmed_as_in_its_events() -> None:
    assert check_settings(AgentSettings("p", " sage ")).agent_id == "sage"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (AgentSettings("No project", "sage"), "project_key"),
        (AgentSettings("p", " "), "agent: must hold visible characters"),
        (AgentSettings("p", "x" * 256), "agent_id"),
        (AgentSettings("p", "sage", name=""), "name: must hold visible characters"),
        (AgentSettings("p", "sage", name="\x1b[31mred"), "name: must hold visible characters"),
        (AgentSettings("p", "sage", role="a\x00b"), "role: must hold visible characters"),
        (AgentSettings("p", "sage", role="\ud800"), "role: must hold visible characters"),
        (AgentSettings("p", "sage", role="x" * 256), "role"),
        (AgentSettings("p", "sage", expected_interval_seconds=0), "expected_interval_seconds"),
        (AgentSettings("p", "sage", expected_interval_seconds=2**31), "expected_interval_seconds"),
    ],
    ids=range(10),
)
def test_what_readers_would_refuse_is_refused_by_name(settings: AgentSettings, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        check_settings(settings)
