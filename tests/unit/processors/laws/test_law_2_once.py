"""Law 2, nothing counted twice: repeats, batches, deaths, replays, ticks and settings leave every emission as it is.

Agents, producers, operators and dying processes do what they may, in any order; a naive model recounts, from the list
of distinct events in the log, every snapshot, outcome, row, revision and incident of both stages.
"""

from __future__ import annotations

from hypothesis import given

from tests.unit.processors.laws.steps import Step, steps
from tests.unit.processors.laws.world import World


@given(steps)
def test_law_2_every_commit_says_what_the_distinct_events_come_to(happens: list[Step]) -> None:
    """Looked at after each step, so at every point at which a process may be replaced."""
    world = World()
    for number, step in enumerate(happens):
        step.play(world, number)
        world.check_runs()
        world.check_agents()


@given(steps)
def test_law_2_in_the_end_every_run_has_gone_out_once_and_left(happens: list[Step]) -> None:
    """Nothing is forgotten: whatever died on the way, timeouts, outcomes and evictions come."""
    world = World()
    for number, step in enumerate(happens):
        step.play(world, number)
    world.settle()
    world.check_runs()
    world.check_agents()
