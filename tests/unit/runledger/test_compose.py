"""The Docker files run the same processes as the local stack, and publish nothing beyond this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from runledger.schemas.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX
from runledger.stack import Addresses, Plan
from runledger.stack.artifacts import KAFKA_VERSION
from runledger.stack.plan import pipeline_services

TOP = Path(__file__).parents[3]
SERVERS = {"kafka", "postgres"}
LISTENING = {*SERVERS, "gateway", "mcp", "api", "dashboard"}
ONE_SHOT = {"migrate"}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((TOP / "docker-compose.yml").read_text())
    return loaded


def test_published_ports_are_bound_to_the_loopback_address() -> None:
    services = compose()["services"]
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(published) == len(LISTENING)
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_servers_are_the_official_images_with_health_checks_and_volumes() -> None:
    file = compose()
    for name, image in {"kafka": f"apache/kafka:{KAFKA_VERSION}", "postgres": "postgres:18"}.items():
        service = file["services"][name]
        assert service["image"] == image
        assert service["healthcheck"]["test"]
        assert service["volumes"][0].split(":")[0] in file["volumes"]


def test_the_workers_are_those_of_the_local_stack() -> None:
    plan = Plan(topic_prefix=DEFAULT_PREFIX, partitions=DEFAULT_PARTITIONS)
    addresses = Addresses("k:1", "p", http="http://h:1", mcp="http://h:2/mcp", api="http://h:3", dashboard="http://h:4")
    local = {service.command[3:] for service in pipeline_services(plan, addresses, "")}
    services = compose()["services"]
    workers = services.keys() - SERVERS - ONE_SHOT
    assert {tuple(services[name]["command"]) for name in workers} == local
    assert all(services[name]["command"][-1] == name for name in workers)


def test_workers_wait_for_topics_and_tables_and_these_for_healthy_servers() -> None:
    services = compose()["services"]
    for name in services.keys() - SERVERS - ONE_SHOT:
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["command"] == ["migrate"]
    assert services["migrate"]["restart"] == "no"
    assert services["migrate"]["depends_on"] == {name: {"condition": "service_healthy"} for name in SERVERS}


def test_the_gateway_trusts_its_private_network_and_keeps_the_servers_addresses() -> None:
    services = compose()["services"]
    environment = services["gateway"]["environment"]
    assert environment["RUNLEDGER_INTERNAL_LISTENER_TRUSTED"] == "true"
    assert environment["RUNLEDGER_KAFKA"] == services["sink"]["environment"]["RUNLEDGER_KAFKA"]


def test_the_mcp_server_answers_to_its_name_on_the_private_network() -> None:
    assert compose()["services"]["mcp"]["environment"]["RUNLEDGER_MCP_ALLOWED_HOSTS"] == "mcp"


def test_no_password_stands_in_the_file() -> None:
    services = compose()["services"]
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    assert "${POSTGRES_PASSWORD:?" in services["sink"]["environment"]["RUNLEDGER_POSTGRES"]


def test_the_broker_is_told_what_one_broker_needs() -> None:
    environment = compose()["services"]["kafka"]["environment"]
    for name in (
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR",
        "KAFKA_DEFAULT_REPLICATION_FACTOR",
    ):
        assert environment[name] == 1


def test_the_image_installs_the_locked_dependencies_and_every_package() -> None:
    text = (TOP / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert "requirements.lock" in text
    linked = {path.name for path in (TOP / "runledger").iterdir() if path.is_symlink()}
    copied = set(re.findall(r"^COPY (\w+) \./\w+$", text, re.MULTILINE))
    assert linked <= copied
    assert linked <= {line.removeprefix("!") for line in (TOP / ".dockerignore").read_text().splitlines()}
    assert "\nUSER runledger\n" in text
