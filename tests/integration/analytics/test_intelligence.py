"""The public figures on real tables: as the second source document counts them, and nothing that nobody released."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from runledger.analytics.counters import CompletedCounts
from runledger.analytics.database import Database
from runledger.analytics.days import day_start, quarter_start
from runledger.analytics.errors import TimeZoneError
from runledger.analytics.intelligence import Intelligence, IntelligenceReader
from tests.integration.analytics.tables import Tables, ago, explained

pytestmark = pytest.mark.integration

_SEED_COUNT = """
SELECT count(*) FROM agent_run_log
WHERE status = 'success'
AND created_at >= %(today_start)s
AND project_key IN (SELECT project_key FROM project WHERE is_public)"""
_SEED_SCORE = """
SELECT avg((rlhf_scores ->> 'overall')::numeric)::double precision, count(rlhf_scores ->> 'overall')
FROM agent_run_log
WHERE created_at >= %(scored_since)s
AND project_key IN (SELECT project_key FROM project WHERE is_public)"""


async def _read(uri: str, time_zone: str = "UTC", counts: CompletedCounts | None = None) -> Intelligence:
    async with Database(uri) as database:
        return await IntelligenceReader(database, counts or CompletedCounts({})).read(time_zone)


@pytest.fixture
def public(tables: Tables) -> Tables:
    """The tables, with one project that opted in, one that opted out, and one that has not decided."""
    tables.project("open", is_public=True)
    tables.project("closed", is_public=False)
    tables.project("undecided")
    return tables


def _around(tables: Tables, moment: datetime, zone: str) -> None:
    """Log runs just before and just after a day's boundary, and all over the day before and after it."""
    offsets = [timedelta(microseconds=-1), timedelta(0), timedelta(microseconds=1), timedelta(minutes=-14)]
    offsets += [timedelta(minutes=37 * n) for n in range(-40, 40)]
    for number, offset in enumerate(offsets):
        status = ("success", "success", "partial", "failed")[number % 4] if number > 3 else "success"
        for project in ("open", "closed", "undecided"):
            agent, shard = f"{zone}-{number % 3}", number % 4
            score = None if number % 3 else number / 100
            tables.logged(project, agent, moment + offset, status=status, score=score, shard=shard)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Asia/Kolkata", "America/Los_Angeles"])
async def test_the_figures_equal_the_seeds_own_sql(uri: str, public: Tables, zone: str) -> None:
    _around(public, day_start(public.now(), ZoneInfo(zone)), zone)
    _around(public, ago(public, days=7), "week")
    public.summed_up()
    read = await _read(uri, zone)
    bounds = {"today_start": read.today_start, "scored_since": read.scored_since}
    (count,) = public.connection.execute(_SEED_COUNT, bounds).fetchone() or ()
    score, sample_size = public.connection.execute(_SEED_SCORE, bounds).fetchone() or ()
    assert count > 2
    assert read.breakdown == {"agent_runs": count}
    assert read.tasks_completed_today == count
    assert read.rlhf_quality_score_7d == pytest.approx(score, rel=1e-12)
    assert read.rlhf_quality_sample_size == sample_size > 0


async def test_today_begins_at_midnight_there_and_not_a_microsecond_before(uri: str, public: Tables) -> None:
    for zone in ("Asia/Kathmandu", "Asia/Kolkata", "UTC"):
        public.connection.execute("TRUNCATE agent_run_log")
        start = day_start(public.now(), ZoneInfo(zone))
        public.logged("open", "early", start - timedelta(microseconds=1))
        public.logged("open", "late", start)
        public.summed_up()
        read = await _read(uri, zone)
        assert (read.today_start, read.tasks_completed_today) == (start, 1)


async def test_the_week_begins_on_a_quarter_of_an_hour(uri: str, public: Tables) -> None:
    read = await _read(uri)
    before = read.pipeline.read_at - timedelta(days=7) - read.scored_since
    assert timedelta(0) <= before < timedelta(minutes=15)
    assert read.scored_since.timestamp() % 900 == 0


async def test_where_nothing_was_scored_the_score_is_unknown(uri: str, public: Tables) -> None:
    public.logged("open", "sage", public.now())
    public.logged("open", "sage", ago(public, days=8), score=1.0)
    public.summed_up()
    read = await _read(uri)
    assert (read.rlhf_quality_score_7d, read.rlhf_quality_sample_size) == (None, 0)


async def test_an_empty_ledger_has_completed_nothing_and_scored_nothing(uri: str) -> None:
    read = await _read(uri)
    assert (read.tasks_completed_today, read.rlhf_quality_score_7d, read.rlhf_quality_sample_size) == (0, None, 0)
    assert (read.agents, read.pipeline.state, read.pipeline.as_of) == ([], "unknown", None)


async def test_registered_counts_are_added_and_missing_ones_named(uri: str, public: Tables) -> None:
    public.logged("open", "sage", public.now())
    public.summed_up()
    asked: list[datetime] = []

    async def loops(since: datetime) -> int:
        asked.append(since)
        return 40

    def broken(_since: datetime) -> int:
        raise RuntimeError

    read = await _read(uri, "Asia/Kolkata", CompletedCounts({"improvement_loops": loops, "cloud": broken}))
    assert read.breakdown == {"agent_runs": 1, "cloud": None, "improvement_loops": 40}
    assert (read.tasks_completed_today, read.unavailable) == (41, ["cloud"])
    assert asked == [read.today_start]


async def test_a_card_shows_each_agents_newest_run(uri: str, public: Tables) -> None:
    now = public.now()
    public.agent("open", "sage", name="Sage", role="Backend")
    public.agent("open", "nova")
    public.logged("open", "sage", now, ended_at=now - timedelta(hours=2), action_summary="old")
    public.logged("open", "sage", now - timedelta(days=1), ended_at=now - timedelta(hours=1), action_summary="new")
    public.logged("open", "nova", now, ended_at=now - timedelta(minutes=1), status="failed", action_summary=None)
    public.logged("open", "luma", now, ended_at=now - timedelta(days=400), status="partial")
    public.summed_up()
    cards = (await _read(uri)).agents
    assert [(card.title, card.action_summary, card.status) for card in cards] == [
        ("nova", None, "failed"),
        ("Sage -- Backend", "new", "completed"),
        ("luma", "did it", "completed"),
    ]
    assert [card.ran_at for card in cards] == [now - timedelta(minutes=1), now - timedelta(hours=1), cards[2].ran_at]
    assert cards[1].ran_seconds_ago == pytest.approx(3600, abs=30)


async def test_only_the_newest_hundred_agents_have_cards(uri: str, public: Tables) -> None:
    now = public.now()
    for number in range(105):
        public.logged("open", f"agent-{number}", now - timedelta(minutes=number))
    public.summed_up()
    cards = (await _read(uri)).agents
    assert [card.agent_id for card in cards] == [f"agent-{number}" for number in range(100)]


async def test_nothing_is_shown_that_nobody_released(uri: str, public: Tables) -> None:
    now = public.now()
    for project in ("open", "closed", "undecided"):
        public.agent(project, f"{project}-agent", name=f"{project} name")
        hidden = {"summary": f"{project} summary", "error": "SECRET error", "prompt_preview": "SECRET preview"}
        public.logged(
            project, f"{project}-agent", now, action_summary=hidden["summary"], actions_taken=hidden, score=0.5
        )
        public.connection.execute(
            "INSERT INTO run_failure VALUES (%s, gen_random_uuid(), 'e', 'a', NULL, 'f', 'SECRET summary',"
            " 'SECRET error', '{\"x\": \"SECRET context\"}', '{}', false, now(), now(), 0, 0)",
            [project],
        )
    public.summed_up()
    shown = orjson.dumps(dataclasses.asdict(await _read(uri))).decode()
    assert "open summary" in shown
    for secret in ("SECRET", "closed", "undecided"):
        assert secret not in shown


@pytest.mark.parametrize("quoted", ["error", "output"])
async def test_a_card_tells_no_summary_that_is_an_error_or_an_answer(uri: str, public: Tables, quoted: str) -> None:
    taken = {"summary": "SECRET words", "summary_is": quoted}
    public.logged("open", "sage", public.now(), action_summary=taken["summary"], actions_taken=taken)
    public.summed_up()
    (card,) = (await _read(uri)).agents
    assert (card.agent_id, card.action_summary) == ("sage", None)


async def test_a_project_that_opts_out_is_gone_at_once(uri: str, public: Tables) -> None:
    public.logged("open", "sage", public.now(), score=0.5)
    public.summed_up()
    assert (await _read(uri)).tasks_completed_today == 1
    public.project("open", is_public=False)
    read = await _read(uri)
    assert (read.tasks_completed_today, read.rlhf_quality_score_7d, read.agents) == (0, None, [])


async def test_who_asks_soon_after_another_is_given_the_same_answer(uri: str, public: Tables) -> None:
    public.logged("open", "sage", public.now())
    public.summed_up()
    async with Database(uri) as database:
        reader = IntelligenceReader(database, CompletedCounts({}))
        first = await reader.read()
        public.connection.execute("TRUNCATE run_rollup")
        assert await reader.read("UTC") is first
        assert (await reader.read("Asia/Kolkata")).tasks_completed_today == 0
        at_once = IntelligenceReader(database, CompletedCounts({}), fresh_seconds=0)
        assert (await at_once.read()).tasks_completed_today == 0


@pytest.mark.slow
async def test_the_figures_cost_a_week_of_the_rollup_however_long_its_history(uri: str, tables: Tables) -> None:
    """200 days of 20 projects, 3 of them public: only the week of these is read, by the key."""
    for number in range(20):
        tables.project(f"p{number}", is_public=number < 3)
    tables.connection.execute(
        "INSERT INTO run_rollup SELECT 'p' || p, q, 0, 9, 9, 0, 0, 9, 4.5 FROM generate_series(0, 19) AS p,"
        " generate_series(date_bin('15 minutes', now() - interval '200 days', '2000-01-01Z'), now(), '15 minutes') AS q"
    )
    tables.connection.execute("ANALYZE")
    now = tables.now()
    asked = {"today": day_start(now, ZoneInfo("UTC")), "scored_since": quarter_start(now - timedelta(days=7))}
    nodes = await explained(uri, "select_public_figures", asked)
    reads = [node for node in nodes if node.get("Relation Name") == "run_rollup"]
    assert reads
    assert "Seq Scan" not in {node["Node Type"] for node in reads}
    assert sum(node["Actual Loops"] * node["Actual Rows"] for node in reads) <= 3 * (7 * 96 + 2)


async def test_it_says_how_far_the_pipeline_has_come(uri: str, public: Tables) -> None:
    reached_at = ago(public, seconds=5)
    public.listened(ago(public, hours=1), reached_at)
    read = await _read(uri)
    assert (read.pipeline.state, read.pipeline.as_of) == ("current", reached_at)


async def test_the_day_does_not_depend_on_the_databases_time_zone(uri: str, public: Tables) -> None:
    with_zone = f"{uri} options='-c timezone=Pacific/Auckland'"
    assert (await _read(with_zone)).today_start == day_start(public.now(), ZoneInfo("UTC"))
    assert (await _read(with_zone)).today_start.utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "'; DROP TABLE project; --"])
async def test_what_is_no_time_zone_is_refused_before_the_database_is_asked(zone: str) -> None:
    with pytest.raises(TimeZoneError):
        await _read("postgresql://postgres@127.0.0.1:1/none", zone)
