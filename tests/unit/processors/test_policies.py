"""An agent's own settings hold, else its project's, else the default: setting by setting, and whatever came before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.policies import Policies, Subject, default_policy, read_settings
from runledger.processors.settings import ProcessorSettings
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import encode
from runledger.schemas.errors import DecodeError
from runledger.schemas.identifiers import settings_key

DEFAULT = default_policy(ProcessorSettings(run_deadline_seconds=60, silence_threshold=4, failure_threshold=5))


def policies(*said: AgentSettings) -> Policies:
    made = Policies(DEFAULT)
    made.take({(settings.project_key, settings.agent_id): settings for settings in said})
    return made


def in_force(made: Policies, agent_id: str | None = "sage", project_key: str = "p") -> tuple[float, int, int]:
    """Return (deadline in seconds, silence threshold, failure threshold)."""
    policy = made.of(project_key, agent_id)
    streaks = policy.streaks
    return policy.deadlines.run_deadline.total_seconds(), streaks.silence_threshold, streaks.failure_threshold


def test_the_default_is_the_processors_own_settings() -> None:
    assert in_force(policies()) == (60, 4, 5)
    assert in_force(policies(AgentSettings("q", deadline_seconds=7))) == (60, 4, 5)


def test_each_setting_is_taken_from_the_narrowest_scope_that_says_it() -> None:
    made = policies(
        AgentSettings("p", deadline_seconds=100, silence_threshold=10),
        AgentSettings("p", "sage", silence_threshold=2),
        AgentSettings("p", "owl", deadline_seconds=200, failure_threshold=1),
    )
    assert in_force(made) == (100, 2, 5)
    assert in_force(made, "owl") == (200, 10, 1)
    assert in_force(made, "crow") == (100, 10, 5)
    assert in_force(made, None) == (100, 10, 5)
    assert in_force(made, "sage", "q") == (60, 4, 5)


def test_retention_is_no_operators_setting() -> None:
    made = policies(AgentSettings("p", "sage", deadline_seconds=100))
    assert made.of("p", "sage").deadlines.ended_retention == DEFAULT.deadlines.ended_retention
    assert made.of("p", "sage").streaks.window_runs == DEFAULT.streaks.window_runs


def test_what_is_taken_back_falls_to_the_wider_scope() -> None:
    made = policies(AgentSettings("p", deadline_seconds=100), AgentSettings("p", "sage", deadline_seconds=10))
    made.take({("p", "sage"): None})
    assert in_force(made) == (100, 4, 5)
    made.take({("p", None): None})
    assert in_force(made) == (60, 4, 5)


def test_a_record_is_whole_and_says_nothing_of_what_it_leaves_out() -> None:
    made = policies(AgentSettings("p", "sage", deadline_seconds=10))
    made.take({("p", "sage"): AgentSettings("p", "sage", silence_threshold=2)})
    assert in_force(made) == (60, 2, 5)


def test_what_the_topic_no_longer_holds_is_forgotten_when_it_is_read_again() -> None:
    made = policies(AgentSettings("p", "sage", deadline_seconds=10))
    made.replace({("p", "owl"): AgentSettings("p", "owl", deadline_seconds=20)})
    assert (in_force(made)[0], in_force(made, "owl")[0]) == (60, 20)


def test_the_revision_grows_only_when_a_deadline_changes() -> None:
    made = policies(AgentSettings("p", "sage", silence_threshold=2, name="Sage"))
    first = made.revision
    made.take({("p", "sage"): AgentSettings("p", "sage", silence_threshold=3)})
    made.take({})
    assert made.revision == first
    for said in (AgentSettings("p", "sage", deadline_seconds=9), AgentSettings("p", deadline_seconds=9), None):
        made.take({("p", "sage" if said is None else said.agent_id): said})
    assert made.revision == first + 3


_scopes: st.SearchStrategy[Subject] = st.tuples(st.sampled_from("pq"), st.sampled_from([None, "a", "b"]))
_values = st.none() | st.integers(1, 5)


@given(st.lists(st.tuples(_scopes, st.none() | st.tuples(_values, _values, _values)), max_size=12), st.integers(0, 12))
def test_any_history_gives_what_its_last_records_say(
    history: list[tuple[Subject, tuple[int | None, int | None, int | None] | None]], cut: int
) -> None:
    """Read at once from the topic, or as a process that began in the middle and went on: against a naive look-up."""
    records = [
        (subject, None if values is None else AgentSettings(subject[0], subject[1], *values))
        for subject, values in history
    ]
    whole, lived = Policies(DEFAULT), Policies(DEFAULT)
    whole.replace(dict(records))
    lived.replace(dict(records[:cut]))
    for subject, settings in records[cut:]:
        lived.take({subject: settings})
    newest = dict(records)
    for project_key in "pq":
        for agent_id in (None, "a", "b", "c"):
            scopes = [newest.get((project_key, agent_id)), newest.get((project_key, None))]
            expected = tuple(
                next((value for scope in scopes if scope and (value := getattr(scope, name)) is not None), default)
                for name, default in (("deadline_seconds", 60), ("silence_threshold", 4), ("failure_threshold", 5))
            )
            assert in_force(whole, agent_id, project_key) == expected
            assert whole.of(project_key, agent_id) == lived.of(project_key, agent_id)


def test_a_settings_record_is_read_with_its_subject() -> None:
    for said in (AgentSettings("p", "sage", deadline_seconds=1), AgentSettings("p", silence_threshold=1)):
        key = settings_key(said.project_key, said.agent_id)
        assert read_settings(key, encode(said)) == ((said.project_key, said.agent_id), said)
        assert read_settings(key, None) == ((said.project_key, said.agent_id), None)
    assert read_settings(b"p/a/b", None) == (("p", "a/b"), None)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"p/owl", encode(AgentSettings("p", "sage")), "wrong_key"),
        (None, encode(AgentSettings("p", "sage")), "wrong_key"),
        (b"p", b"{no", "not_json"),
        (b"p", b'{"project_key": "p", "deadline_seconds": 0}', "invalid"),
        (b"\xff", None, "wrong_key"),
    ],
)
def test_what_is_no_settings_record_is_refused(key: bytes | None, value: bytes | None, reason: str) -> None:
    with pytest.raises(DecodeError) as refused:
        read_settings(key, value)
    assert refused.value.reason == reason


def test_the_deadline_may_be_as_long_as_a_setting_can_say() -> None:
    made = policies(AgentSettings("p", "sage", deadline_seconds=2**31 - 1))
    assert made.of("p", "sage").deadlines.run_deadline == timedelta(seconds=2**31 - 1)
