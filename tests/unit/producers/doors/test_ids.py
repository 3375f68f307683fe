from __future__ import annotations

from runledger.producers.doors import event_id_of


def test_an_id_follows_from_project_route_and_key() -> None:
    assert event_id_of("acme", "runs", "k") == event_id_of("acme", "runs", "k")
    assert (
        len({event_id_of(*call) for call in [("acme", "runs", "k"), ("b", "runs", "k"), ("acme", "records", "k")]}) == 3
    )


def test_the_ids_never_change() -> None:
    """A repetition may come after an upgrade."""
    assert event_id_of("acme", "runs", "k") == "d9cc1cc6-8115-59b7-b27e-6a90f93fee07"
