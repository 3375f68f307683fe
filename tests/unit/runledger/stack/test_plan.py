from __future__ import annotations

import pytest

from runledger.stack.addresses import Addresses
from runledger.stack.plan import Plan, pipeline_services

ADDRESSES = Addresses(
    kafka="127.0.0.1:1",
    postgres="postgresql://p",
    http="http://127.0.0.1:2",
    mcp="http://127.0.0.1:3/mcp",
    api="http://127.0.0.1:4",
    dashboard="http://127.0.0.1:5",
)
SECRET = "s" * 32
PLAN = Plan(topic_prefix="t.", partitions=8, processors=2)


def test_every_worker_is_a_process_of_its_own() -> None:
    services = pipeline_services(PLAN, ADDRESSES, SECRET)
    assert [service.name for service in services] == [
        "processor-1",
        "processor-2",
        "sink",
        "relay",
        "scorer",
        "watch",
        "gateway",
        "mcp",
        "api",
        "dashboard",
    ]
    assert [service.command[2:] for service in services[1:3]] == [
        ("runledger", "worker", "processor"),
        ("runledger", "worker", "sink"),
    ]


def test_workers_are_told_where_everything_is() -> None:
    for service in pipeline_services(PLAN, ADDRESSES, SECRET):
        assert service.env["RUNLEDGER_KAFKA"] == "127.0.0.1:1"
        assert service.env["RUNLEDGER_POSTGRES"] == "postgresql://p"
        assert service.env["RUNLEDGER_TOPIC_PREFIX"] == "t."
        assert service.env["RUNLEDGER_PARTITIONS"] == "8"


@pytest.mark.parametrize(
    ("name", "variables", "port"),
    [
        ("gateway", "RUNLEDGER_HTTP", "2"),
        ("mcp", "RUNLEDGER_MCP", "3"),
        ("api", "RUNLEDGER_API", "4"),
        ("dashboard", "RUNLEDGER_DASHBOARD", "5"),
    ],
)
def test_the_doors_listen_where_the_addresses_say(name: str, variables: str, port: str) -> None:
    (door,) = [service for service in pipeline_services(PLAN, ADDRESSES, SECRET) if service.name == name]
    assert (door.env[f"{variables}_HOST"], door.env[f"{variables}_PORT"]) == ("127.0.0.1", port)
    assert not door.ready()


def test_our_own_database_is_read_itself_and_an_outside_one_where_the_environment_says() -> None:
    own = pipeline_services(PLAN, ADDRESSES, SECRET)[-1]
    outside = pipeline_services(PLAN.model_copy(update={"postgres": "postgresql://p"}), ADDRESSES, SECRET)[-1]
    assert own.env["RUNLEDGER_POSTGRES_READ"] == "postgresql://p"
    assert "RUNLEDGER_POSTGRES_READ" not in outside.env


def test_outside_servers_are_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_KAFKA", "k:1")
    monkeypatch.delenv("RUNLEDGER_POSTGRES", raising=False)
    plan = Plan.from_environment()
    assert (plan.kafka, plan.postgres) == ("k:1", None)


def test_a_plan_crosses_to_the_supervisor_unchanged() -> None:
    assert Plan.model_validate_json(PLAN.model_dump_json()) == PLAN


def test_the_dashboard_alone_knows_the_secret_of_its_links() -> None:
    told = {service.name for service in pipeline_services(PLAN, ADDRESSES, SECRET) if SECRET in service.env.values()}
    assert told == {"dashboard"}
