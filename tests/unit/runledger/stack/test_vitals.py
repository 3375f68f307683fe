from __future__ import annotations

import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from runledger.stack.errors import StackError
from runledger.stack.ports import LOOPBACK, choose_port
from runledger.stack.service import Service
from runledger.stack.vitals import settle_vitals_ports, why_unwell, with_vitals
from runledger.vitals.listener import Answer, Listener

UNWELL = (
    b'{"status": "unwell", "process": "sink", "problems": '
    b'[{"problem": "database_away", "detail": "57P01", "since": "2026-01-01T12:00:00.123+00:00"}]}'
)


def test_each_worker_keeps_its_port(tmp_path: Path) -> None:
    path = tmp_path / "vitals-ports.json"
    first = settle_vitals_ports(path, ["processor-1", "sink"])
    assert len(set(first.values())) == 2
    more = settle_vitals_ports(path, ["processor-1", "processor-2", "sink"])
    assert more.items() >= first.items()
    assert settle_vitals_ports(path, ["sink"]) == {"sink": first["sink"]}
    assert settle_vitals_ports(path, ["processor-2"]) == {"processor-2": more["processor-2"]}


def test_a_port_that_somebody_took_is_chosen_anew(tmp_path: Path) -> None:
    path = tmp_path / "vitals-ports.json"
    first = settle_vitals_ports(path, ["sink"])["sink"]
    with socket.create_server((LOOPBACK, first)):
        assert settle_vitals_ports(path, ["sink"])["sink"] != first


def test_no_port_of_the_stack_is_given_to_a_worker(tmp_path: Path) -> None:
    path = tmp_path / "vitals-ports.json"
    first = settle_vitals_ports(path, ["sink"])["sink"]
    assert settle_vitals_ports(path, ["sink"], taken=[first])["sink"] != first


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"sink": "x"}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vitals-ports.json"
    path.write_bytes(content)
    with pytest.raises(StackError, match=r"vitals-ports\.json is damaged"):
        settle_vitals_ports(path, ["sink"])


def test_a_worker_is_told_its_port_and_asked_there() -> None:
    port = choose_port()
    (service,) = with_vitals([Service(name="sink", command=("x",), env={"A": "1"})], {"sink": port})
    assert service.env == {"A": "1", "RUNLEDGER_METRICS_HOST": LOOPBACK, "RUNLEDGER_METRICS_PORT": str(port)}
    assert service.vitals == f"http://{LOOPBACK}:{port}"
    assert service.unwell() == "no answer"


def test_the_dashboard_is_told_where_all_of_them_are() -> None:
    ports = {"sink": 1, "dashboard": 2}
    services = with_vitals([Service(name=name, command=("x",)) for name in ports], ports)
    told = {service.name: service.env.get("RUNLEDGER_DASHBOARD_WORKERS") for service in services}
    assert told == {"sink": None, "dashboard": f"sink={LOOPBACK}:1,dashboard={LOOPBACK}:2"}


@pytest.fixture(params=[(UNWELL, 503), (b"{}", 200), (b"<html>", 503), (b"{}", 503)])
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[Listener, bytes, int]]:
    body, status = request.param
    listener = Listener(LOOPBACK, 0, {"/healthz": lambda: Answer(body, "application/json", HTTPStatus(status))})
    yield listener, body, status
    listener.close()


def test_what_is_wrong_is_said_in_one_line(answering: tuple[Listener, bytes, int]) -> None:
    listener, body, status = answering
    said = why_unwell(LOOPBACK, listener.port)
    if status == 200:
        assert said is None
    elif body == UNWELL:
        assert said == "database_away: 57P01, since 2026-01-01T12:00:00Z"
    else:
        assert said == f"something else answers on port {listener.port}"
