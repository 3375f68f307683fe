"""Law 6, isolation: the same runs in two projects are two runs, and neither changes what is said of the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runledger.schemas.run_events import AnyRunEvent
from tests.unit.processors.histories import histories
from tests.unit.processors.laws.world import World


def outputs_of(world: World, project_key: str) -> list[tuple[str, bytes | None]]:
    outputs = [*world.runs.outputs, *world.agents.outputs]
    prefix = f"{project_key}/".encode()
    return [(output.topic, output.key) for output in outputs if (output.key or b"").startswith(prefix)]


@given(histories(), st.data())
def test_law_6_the_same_run_and_event_ids_in_another_project_are_others(
    events: list[AnyRunEvent], data: st.DataObject
) -> None:
    others = [event.model_copy(update={"project_key": "q"}) for event in events]
    alone, together = World(), World()
    for event in events:
        alone.log(event)
    left, right = list(events), list(others)
    while left or right:
        take = left if left and (not right or data.draw(st.booleans())) else right
        together.log(take.pop(0))
    for world in (alone, together):
        world.drain()
    assert outputs_of(together, "p") == outputs_of(alone, "p")
    assert [(topic, (key or b"").replace(b"q/", b"p/", 1)) for topic, key in outputs_of(together, "q")] == outputs_of(
        alone, "p"
    )
    assert together.runs.held.states.keys() == {
        key for found in alone.runs.held.states for key in (found, found.replace(b"p/", b"q/", 1))
    }
