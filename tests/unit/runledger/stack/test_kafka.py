from __future__ import annotations

from pathlib import Path

from runledger.stack.kafka import kafka_properties
from runledger.stack.ports import Ports


def properties() -> dict[str, str]:
    text = kafka_properties(Path("/d"), Ports(kafka=1, controller=2, postgres=3, http=4, mcp=5, api=6, dashboard=7))
    return dict(line.split("=", 1) for line in text.splitlines())


def test_every_listener_is_on_loopback() -> None:
    for name in ("listeners", "advertised.listeners"):
        assert all("://127.0.0.1:" in listener for listener in properties()[name].split(","))


def test_one_broker_asks_for_one_copy() -> None:
    copies = {name: value for name, value in properties().items() if name.endswith((".replication.factor", ".min.isr"))}
    assert len(copies) == 6
    assert set(copies.values()) == {"1"}
