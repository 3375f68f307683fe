"""What the read API says of costs, failures, incidents, agents and to anybody."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
import requests

from runledger.schemas.fingerprint import fingerprint
from tests.integration.analytics.http.serving import Asker
from tests.integration.analytics.http.telling import AGENT, BEGAN, ERROR, SLASHED, acme_run

pytestmark = pytest.mark.integration

SINCE = (BEGAN - timedelta(days=1)).isoformat()


def test_costs_add_up_what_is_known(acme: Asker) -> None:
    costs = acme.told("costs", since=SINCE)
    assert costs["total"]["cost_usd"] == "1.3"
    assert (costs["total"]["runs"], costs["total"]["runs_with_cost"]) == (10, 5)
    assert (costs["groups"], costs["more_groups"], costs["until"]) == ([], False, None)


@pytest.mark.parametrize("group_by", ["agent", "model", "day"])
def test_groups_add_up_to_the_total(acme: Asker, group_by: str) -> None:
    costs = acme.told("costs", since=SINCE, group_by=group_by)
    assert sum(Decimal(group["cost_usd"] or 0) for group in costs["groups"]) == Decimal(costs["total"]["cost_usd"])
    assert sum(group["runs"] for group in costs["groups"]) == costs["total"]["runs"]
    shortened = acme.told("costs", since=SINCE, group_by=group_by, limit=1)
    assert shortened["groups"] == costs["groups"][:1]
    assert shortened["more_groups"] == (len(costs["groups"]) > 1)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/St_Johns"])
def test_days_begin_in_the_zone_asked_for_as_plain_sql_has_it(acme: Asker, uri: str, zone: str) -> None:
    with psycopg.connect(uri) as connection:
        counted = connection.execute(
            "SELECT (coalesce(ended_at, last_occurred_at) AT TIME ZONE %s)::date::text, count(*), sum(cost_usd)"
            " FROM agent_run WHERE project_key = 'acme' GROUP BY 1",
            [zone],
        ).fetchall()
    groups = acme.told("costs", since=SINCE, group_by="day", time_zone=zone)["groups"]
    told = {(group["day"], group["runs"], group["cost_usd"]) for group in groups}
    assert told == {(day, runs, None if cost is None else f"{cost.normalize():f}") for day, runs, cost in counted}


def test_a_run_counts_until_the_time_that_is_named_and_no_longer(acme: Asker) -> None:
    ended_at = acme.told(f"runs/{acme_run(1)}")["ended_at"]
    assert acme.told("costs", since=SINCE, until=ended_at)["total"]["runs"] == 1
    assert acme.told("costs", since=ended_at)["total"]["runs"] == 9


def test_a_run_that_ended_a_little_ahead_of_the_log_counts(acme: Asker, uri: str) -> None:
    """Clocks may be five minutes ahead; the index that is read by log time must not leave such a run out."""
    run_id = acme_run(9)
    with psycopg.connect(uri) as connection:
        told = connection.execute(
            "SELECT heard_at + interval '4 minutes 59 seconds' FROM agent_run WHERE run_id = %s", [run_id]
        ).fetchone()
        assert told is not None
        connection.execute("UPDATE agent_run SET last_occurred_at = %s WHERE run_id = %s", [told[0], run_id])
        connection.commit()
        try:
            assert acme.told("costs", since=told[0].isoformat())["total"]["runs"] == 1
        finally:
            connection.execute("UPDATE agent_run SET last_occurred_at = started_at WHERE run_id = %s", [run_id])


def test_costs_of_a_project_without_runs_are_unknown_and_not_zero(empty: Asker) -> None:
    total = empty.told("costs", since=SINCE)["total"]
    assert (total["runs"], total["cost_usd"], total["total_tokens"]) == (0, None, None)


def test_a_kind_of_failure_is_listed_and_found(acme: Asker) -> None:
    kind = fingerprint("acme", ERROR)
    (listed,) = acme.told("failures")["failures"]
    assert (listed["fingerprint"], listed["failure_count"], listed["agents"]) == (kind, 3, [AGENT])
    assert acme.told(f"failures/{kind}") == listed
    assert acme.told("failures", since="2999-01-01T00:00:00Z")["failures"] == []


def test_incidents_are_listed_by_what_they_are(acme: Asker) -> None:
    (incident,) = acme.told("incidents")["incidents"]
    assert (incident["kind"], incident["agent_id"], incident["run_id"]) == ("failing", AGENT, str(acme_run(5)))
    assert acme.told("incidents", state=incident["state"], kind="failing", agent_id=AGENT)["incidents"] == [incident]
    for wanted in ({"kind": "silent"}, {"agent_id": SLASHED}, {"until": SINCE}, {"since": "2999-01-01T00:00:00Z"}):
        assert acme.told("incidents", **wanted)["incidents"] == []


@pytest.mark.parametrize("limit", [1, 200])
def test_agents_are_listed_by_their_ids_and_each_is_found(acme: Asker, limit: int) -> None:
    agents = acme.walk("agents", "agents", limit=limit)
    assert [agent["agent_id"] for agent in agents] == [AGENT, SLASHED]
    for agent in agents:
        assert acme.told(f"agents/{agent['agent_id']}") == agent
    assert acme.told("agents", state="retired")["agents"] == []


def test_an_audit_says_that_nobody_was_judged_quiet_while_nobody_watched(acme: Asker) -> None:
    audit = acme.told("audit")
    assert (audit["judged"], audit["pipeline"]["state"], audit["agents"]) == (False, "unknown", 2)
    assert sum(audit["states"].values()) == 2
    assert not any({"quiet", "never_reported"} & set(agent["findings"]) for agent in audit["found"])


def test_the_public_figures_need_no_key_and_pages_of_any_origin_may_read_them(nobody: Asker) -> None:
    answer = nobody.ask("public/platform/intelligence", time_zone="Asia/Kathmandu")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=10"
    figures = answer.json()
    assert figures["time_zone"] == "Asia/Kathmandu"
    assert figures["rlhf_quality_score_7d"] is None
    assert {card["agent_id"] for card in figures["agents"]} == {AGENT, SLASHED}


def test_nothing_of_a_project_that_did_not_opt_in_is_public(nobody: Asker) -> None:
    """The other project tells the same story, of agents of the same names."""
    answer = nobody.ask("public/platform/intelligence")
    assert (answer.json()["tasks_completed_today"], len(answer.json()["agents"])) == (5, 2)
    assert "other" not in answer.text
    assert ERROR not in answer.text


@pytest.mark.parametrize("route", ["runs", "audit", "nowhere", "costs?x=1"])
def test_whatever_is_private_may_be_neither_kept_nor_read_by_pages(acme: Asker, route: str) -> None:
    answer = acme.get(f"/api/v1/{route}", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_head_is_answered_as_get_without_the_body(acme: Asker, keys: dict[str, str]) -> None:
    key = {"Authorization": f"Bearer {keys['acme']}"}
    head = requests.head(f"{acme.url}/api/v1/incidents", headers=key, timeout=10)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(acme.ask("incidents").content)
    assert requests.head(f"{acme.url}/api/v1/incidents", timeout=10).status_code == 401


def test_what_it_does_not_know_is_answered_in_our_own_shape(nobody: Asker) -> None:
    wrong = requests.post(f"{nobody.url}/api/v1/runs", timeout=10)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert nobody.refused("elsewhere") == (404, "not_found", None)
    assert nobody.get("/docs").status_code == 404


def test_it_lives_and_is_ready(nobody: Asker) -> None:
    assert nobody.get("/healthz").json() == nobody.get("/readyz").json() == {"status": "ok"}
