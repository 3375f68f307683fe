"""Which of LiteLLM's calls are waited for."""

from __future__ import annotations

from runledger.integrations.litellm_waiting import BegunCalls


def left(calls: BegunCalls) -> tuple[bool, bool]:
    return calls.any_first(), calls.any_again()


def test_a_call_is_waited_for_until_it_is_told() -> None:
    calls = BegunCalls()
    calls.begin("a")
    assert left(calls) == (True, False)
    calls.tell("a", failed=False)
    assert left(calls) == (False, False)


def test_an_attempt_after_a_told_failure_is_another_matter() -> None:
    calls = BegunCalls()
    calls.begin("a")
    calls.tell("a", failed=True)
    calls.begin("a")
    assert left(calls) == (False, True)
    calls.tell("a", failed=False)
    assert left(calls) == (False, False)


def test_attempts_before_their_failure_is_told_leave_with_it() -> None:
    calls = BegunCalls()
    calls.begin("a")
    calls.begin("a")
    calls.tell("a", failed=True)
    assert left(calls) == (False, False)


def test_what_is_forgotten_is_not_waited_for() -> None:
    calls = BegunCalls()
    calls.begin("a")
    calls.forget()
    assert left(calls) == (False, False)


def test_calls_that_are_never_told_of_do_not_fill_the_memory() -> None:
    calls = BegunCalls()
    for number in range(10_001):
        calls.begin(str(number))
    for number in range(1, 10_001):
        calls.tell(str(number), failed=True)
    assert left(calls) == (False, False)
