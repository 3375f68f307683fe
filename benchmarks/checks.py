"""Whether a contestant's sums are the generator's."""

from __future__ import annotations

from collections.abc import Collection

import orjson

from benchmarks import topics
from benchmarks.errors import WrongResultError
from benchmarks.load import Totals
from benchmarks.servers import Corner
from runledger.schemas.codec import decode
from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.topics import RUNS


def check_totals(who: str, found: Totals, expected: Totals) -> None:
    """Compare by key.

    Raises:
        WrongResultError: a sum differs; the message names the first.
    """
    for key, total in expected.items():
        if found.get(key) != total:
            raise WrongResultError(f"{who}: {key} came to {found.get(key)}, not {total}")
    if len(found) != len(expected):
        raise WrongResultError(f"{who}: {len(found)} keys, not {len(expected)}")


def check_sums(who: str, found: Collection[tuple[int, int]], expected: Totals) -> None:
    """Compare all (tokens, events), whatever the form in which a peer stores its keys.

    Raises:
        WrongResultError: they differ.
    """
    if sorted(found) != sorted(expected.values()):
        summed = sum(tokens for tokens, _ in found), sum(events for _, events in found)
        wanted = sum(tokens for tokens, _ in expected.values()), sum(events for _, events in expected.values())
        raise WrongResultError(f"{who}: {len(found)} keys with {summed} in all, not {len(expected)} with {wanted}")


def changelog_sums(corner: Corner, *words: str) -> list[tuple[int, int]]:
    """(tokens, events) in the changelog of a peer, found by words in its name; values are JSON pairs."""
    found: list[tuple[int, int]] = []
    for name in topics.find(corner.kafka, corner.word, *words):
        for value in topics.read_latest(corner.kafka, name).values():
            pair = orjson.loads(value)
            if isinstance(pair, list) and len(pair) == 2:  # noqa: PLR2004  # other rows are the peer's own bookkeeping
                found.append((pair[0], pair[1]))
    return found


def snapshot_totals(corner: Corner) -> Totals:
    """What our ledger's snapshots come to; a run that has not ended counts for nothing."""
    totals: Totals = {}
    for key, value in topics.read_latest(corner.kafka, RUNS.name(corner.settings.topic_prefix)).items():
        run = decode(RunSnapshot, value)
        if run.status == "completed":
            totals[key.decode()] = run.usage.input_tokens or 0, run.events
    return totals


def table_totals(corner: Corner, query: str) -> Totals:
    """{key: (tokens, events)} that a query gives."""
    with corner.connect() as connection:
        rows = connection.execute(query).fetchall()
    return {key: (int(tokens), int(events)) for key, tokens, events in rows}
