"""Law 3, order does not matter to a run: any permutation of what agents said comes to the same in the end.

The same final snapshots (log-time fields apart), the same last word on each run, and, within 32 outcomes, the same
streaks of each row and of the agent: those that a naive model recounts from the set of events.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.ledger import apply
from runledger.schemas.codec import decode, decode_run_log
from runledger.schemas.lean_events import lean
from runledger.schemas.outcomes import LoggedRun, RunOutcome
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.snapshots import RunSnapshot
from tests.unit.processors.histories import at, ends, flat_price, histories, make_event, payloads
from tests.unit.processors.laws.agents_model import in_order, streaks
from tests.unit.processors.laws.model import Fields, Price, Said, recount, words
from tests.unit.processors.laws.world import OUTCOMES, RUN_LOG, World, fields_of
from tests.unit.processors.logs import run_of

BY_LOG = {"born_offset", "version", "last_logged_at", "heard_at", "end_logged_at", "outcome_revision"}
"""What depends on the log's own order, and may."""


def recounted(events: Sequence[AnyRunEvent], price: Price) -> tuple[Fields, RunOutcome | None]:
    """Recount a run from its events in the order of their ids, which is none of the log's."""
    ordered = sorted(events, key=lambda event: event.event_id)
    told = recount([Said(number, at(number).logged_at, event) for number, event in enumerate(ordered)], (), price)
    if told is None:
        return {}, None
    run = {name: value for name, value in told.run.items() if name not in BY_LOG}
    return run, told.outcomes[-1][1] if told.outcomes else None


@given(histories(max_size=12), st.randoms(use_true_random=False))
def test_law_3_any_permutation_gives_the_recounted_run_and_last_word(events: list[AnyRunEvent], random: Random) -> None:
    random.shuffle(events)
    state: RunSnapshot | None = None
    said: list[RunOutcome] = []
    for offset, event in enumerate(events):
        step = apply(state, lean(event), at(offset), flat_price)
        state = step.state
        said += step.emitted
    run, outcome = recounted(events, flat_price)
    assert state is not None
    assert fields_of(state, run) == run
    assert ([words(said[-1])] if said else []) == ([words(outcome)] if outcome is not None else [])


_rows = st.tuples(
    st.sampled_from([payloads, ends]).flatmap(lambda strategy: strategy),
    st.integers(0, 30),
    st.integers(0, 9),
    st.booleans(),
)


def agent_of(run: int) -> str:
    return "nova" if run % 3 == 0 else "sage"


@st.composite
def many_runs(draw: st.DrawFn) -> list[AnyRunEvent]:
    """Draw the events of up to ten runs of two agents."""
    rows = draw(st.lists(_rows, min_size=1, max_size=10) | st.lists(_rows, min_size=25, max_size=50))
    return [
        make_event(number, payload, second, agent_of(run) if named else None, run_of(run), agent_of(run))
        for number, (payload, second, run, named) in enumerate(rows)
    ]


def no_price(*_: object) -> None:
    """Estimate nothing: the other test does."""


@given(many_runs(), st.randoms(use_true_random=False), st.lists(st.integers(1, 20), max_size=10))
def test_law_3_any_permutation_gives_the_recounted_streaks_of_both_stages(
    events: list[AnyRunEvent], random: Random, sizes: list[int]
) -> None:
    random.shuffle(events)
    world = World()
    for event in events:
        world.log(event)
    for size in sizes:  # rows are revised across batches, too
        world.fold_runs(size, 0, 1, "none")
        world.fold_agents(size, 0, 1, "none")
    world.drain()
    told = {run_id: recounted(of_run(events, run_id), no_price) for run_id in {event.run_id for event in events}}
    last = {output.run_id: output for output in said(world)}
    expected = {run_id: outcome for run_id, (_, outcome) in told.items() if outcome is not None}
    assert {run_id: words(outcome) for run_id, outcome in last.items()} == {
        run_id: words(outcome) for run_id, outcome in expected.items()
    }
    for agent in ("sage", "nova"):
        holding = {run_id: outcome for run_id, outcome in expected.items() if outcome.agent_id == agent}
        counts = streaks(in_order(holding))
        assert rows(world, agent) == counts
        health = world.agents.held.states.get(f"p/{agent}".encode())
        current = None if health is None else (health.consecutive_silence_count, health.consecutive_failure_count)
        assert current == (list(counts.values())[-1] if counts else None)
        assert (0 if health is None else health.finished_runs) == len(holding)


def of_run(events: Sequence[AnyRunEvent], run_id: UUID) -> list[AnyRunEvent]:
    return [event for event in events if event.run_id == run_id]


def said(world: World) -> list[RunOutcome]:
    return [decode(RunOutcome, output.value) for output in world.runs.outputs if output.topic == OUTCOMES]


def rows(world: World, agent: str) -> dict[UUID, tuple[int, int]]:
    """What a sink holds of the agent's rows in the end: the last word on each."""
    held: dict[UUID, tuple[int, int]] = {}
    for output in world.agents.outputs:
        if output.topic == RUN_LOG and output.key == f"p/{agent}".encode():
            row = decode_run_log(output.value)
            run_id = row.outcome.run_id if isinstance(row, LoggedRun) else row.run_id
            held[run_id] = row.consecutive_silence_count, row.consecutive_failure_count
    return held
