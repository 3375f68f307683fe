"""Costs by period and group, from tables written by the writer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from runledger.analytics.cost_table import CostQuestion, CostReader
from runledger.analytics.database import Database
from runledger.analytics.errors import TimeZoneError
from runledger.analytics.reader import LedgerReader
from runledger.schemas.run_events import AnyRunEvent
from tests.integration.analytics.events import BEGAN, ended, started, used, write
from tests.integration.sinks.conftest import Ledger

pytestmark = pytest.mark.integration

_ALL = CostQuestion("acme", BEGAN - timedelta(days=1), BEGAN + timedelta(days=2))


def _tell(ledger: Ledger) -> None:
    write(
        ledger,
        *(started(1, 0), used(1, 1, cost="0.5", model="m"), ended(1, 2, "completed")),
        *(started(2, 0), used(2, 1, cost="0.25", model="m"), used(2, 2, cost=None, model="own")),
        *(started(3, 0), used(3, 1, cost=None, model="own")),
        *(started(4, 1440, agent="b"), ended(4, 1441, "completed", agent="b")),
        *(started(5, 0, project="other", agent="o"), used(5, 1, cost="9", model="m", project="other", agent="o")),
    )


async def test_costs_are_told_apart_by_how_they_are_known(ledger: Ledger) -> None:
    _tell(ledger)
    async with Database(ledger.uri) as database:
        table = await CostReader(database).read(replace(_ALL, group_by="agent"))
    assert table.total.runs == {"reported": 1, "mixed": 1, "unknown": 2}
    assert table.total.cost_usd == {"reported": Decimal("0.5"), "mixed": Decimal("0.25")}
    assert (table.total.total_usd, table.total.all_runs) == (Decimal("0.75"), 4)
    assert (table.total.tokens["unknown"], table.total.runs_with_tokens) == (15, 3)
    assert [one.begins_on for one in table.periods] == [date(2026, 2, 27), date(2026, 2, 28)]
    assert [(one.agent_id, one.sums.all_runs) for one in table.groups] == [("a", 3), ("b", 1)]
    assert table.others is None


async def test_periods_begin_in_the_time_zone_and_runs_of_another_time_or_project_are_left_out(ledger: Ledger) -> None:
    _tell(ledger)
    async with Database(ledger.uri) as database:
        reader = CostReader(database)
        east = await reader.read(replace(_ALL, time_zone="Pacific/Auckland"))
        months = await reader.read(replace(_ALL, step="month"))
        early = await reader.read(CostQuestion("acme", BEGAN, BEGAN + timedelta(minutes=2)))
        with pytest.raises(TimeZoneError):
            await reader.read(replace(_ALL, time_zone="../etc/passwd"))
    assert [one.begins_on for one in east.periods] == [date(2026, 2, 28), date(2026, 3, 1)]
    assert [(one.begins_on, one.sums.all_runs) for one in months.periods] == [(date(2026, 2, 1), 4)]
    assert (early.total.all_runs, early.groups) == (1, [])


async def test_runs_of_several_models_are_a_group_and_filters_narrow_everything_down(ledger: Ledger) -> None:
    _tell(ledger)
    async with Database(ledger.uri) as database:
        reader = CostReader(database)
        by_model = await reader.read(replace(_ALL, group_by="model"))
        own = await reader.read(replace(_ALL, group_by="model", model="own"))
        agent = await reader.read(replace(_ALL, agent_id="b"))
    assert [(one.models, one.sums.all_runs) for one in by_model.groups] == [
        (("m",), 1),
        (("m", "own"), 1),
        ((), 1),
        (("own",), 1),
    ]
    assert own.total.runs == {"mixed": 1, "unknown": 1}
    assert agent.total.all_runs == 1


async def test_groups_beyond_the_fiftieth_are_added_up(ledger: Ledger) -> None:
    events: list[AnyRunEvent] = []
    for number in range(53):
        events += [
            started(number, 0, agent=f"a{number:02}"),
            used(number, 1, cost="1", model="m", agent=f"a{number:02}"),
        ]
    write(ledger, *events)
    async with Database(ledger.uri) as database:
        table = await CostReader(database).read(replace(_ALL, group_by="agent"))
    assert len(table.groups) == 50
    assert table.others is not None
    assert (table.others.all_runs, table.others.total_usd) == (3, Decimal(3))


async def test_tokens_that_nobody_can_have_used_are_added_up_all_the_same(ledger: Ledger) -> None:
    _tell(ledger)
    ledger.connection.execute("UPDATE agent_run SET total_tokens = 9223372036854775807")
    async with Database(ledger.uri) as database:
        table = await CostReader(database).read(replace(_ALL, group_by="agent"))
        total = (await LedgerReader(database).run_costs("acme", BEGAN, "agent", 10)).total
    assert table.total.total_tokens == sum(one.sums.total_tokens or 0 for one in table.groups) == 4 * (2**63 - 1)
    assert total.total_tokens == 2**53 - 1
