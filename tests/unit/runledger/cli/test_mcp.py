from __future__ import annotations

import pytest

from runledger.access.errors import AccessError
from runledger.cli.mcp import trusted_project
from runledger.stack.addresses import Addresses

LOCAL = "postgresql://postgres@127.0.0.1:5432/runledger"


def test_a_named_project_is_trusted_wherever_the_servers_are() -> None:
    assert trusted_project(Addresses("kafka.example:9092", "postgresql://db.example/x"), "mine") == "mine"


@pytest.mark.parametrize(
    ("kafka", "postgres"),
    [
        ("127.0.0.1:9092", LOCAL),
        ("localhost:9092,127.0.0.2:9093", "postgresql://localhost/x"),
        ("[::1]:9092", "postgresql:///x?host=/tmp"),
        ("127.0.0.1:9092", "dbname=x"),
    ],
)
def test_servers_on_this_machine_lead_to_the_default_project(kafka: str, postgres: str) -> None:
    assert trusted_project(Addresses(kafka, postgres), None) == "default"


@pytest.mark.parametrize(
    ("kafka", "postgres"),
    [
        ("kafka.example:9092", LOCAL),
        ("127.0.0.1:9092,10.0.0.1:9092", LOCAL),
        ("127.0.0.1:9092", "postgresql://10.0.0.2/x"),
        ("127.0.0.1:9092", "postgresql://u@127.0.0.1,db.example/x"),
        ("localhost.example:9092", LOCAL),
    ],
)
def test_shared_servers_need_a_key_or_a_project(kafka: str, postgres: str) -> None:
    with pytest.raises(AccessError, match="RUNLEDGER_API_KEY"):
        trusted_project(Addresses(kafka, postgres), None)
