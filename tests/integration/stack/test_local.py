"""The embedded stack on a data folder of its own: it starts, answers, is stopped, and keeps its data."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # exported at run time

from runledger.stack import Addresses, Plan, Stack, StackError, discover
from runledger.stack.identity import ProcessIdentity
from runledger.stack.ports import LOOPBACK, settle_ports
from tests.servers import stack_folder

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SERVERS_ONLY = Plan(pipeline=False, durable=False, topic_prefix="t.", partitions=4)
DEADLINE_SECONDS = 60.0
LATER_START_SECONDS = 20.0


@pytest.fixture
def folder() -> Iterator[Path]:
    with stack_folder() as folder:
        yield folder


@pytest.fixture
def stack(folder: Path) -> Iterator[Stack]:
    stack = Stack(folder)
    yield stack
    stack.stop()


def processes(stack: Stack) -> tuple[ProcessIdentity, ...]:
    state = stack.state()
    assert state is not None
    return state.processes()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def write(addresses: Addresses) -> None:
    admin = AdminClient({"bootstrap.servers": addresses.kafka})
    admin.create_topics([NewTopic("kept", 1)])["kept"].result(30)
    producer = Producer({"bootstrap.servers": addresses.kafka, "transactional.id": "t"})
    # Hangs where the internal topics want more copies than there are brokers.
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("kept", b"value")
    producer.commit_transaction(30)
    with psycopg.connect(addresses.postgres) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")


def read(addresses: Addresses) -> tuple[bytes | None, object]:
    config = {"bootstrap.servers": addresses.kafka, "group.id": "g", "auto.offset.reset": "earliest"}
    consumer = Consumer({**config, "session.timeout.ms": 6000})
    consumer.subscribe(["kept"])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    assert message.error() is None
    with psycopg.connect(addresses.postgres) as connection:
        row = connection.execute("SELECT n FROM kept").fetchone()
    assert row is not None
    return message.value(), row[0]


def test_data_survives_a_stop_and_a_later_start_is_quick(stack: Stack) -> None:
    said: list[str] = []
    first = stack.start(SERVERS_ONLY, attached=True, on_progress=said.append)
    assert discover(stack.folder.root) == first
    write(first)
    left = processes(stack)
    assert stack.stop()
    assert not any(process.is_alive() for process in left)
    assert discover(stack.folder.root) is None

    began = time.monotonic()
    second = stack.start(SERVERS_ONLY, attached=True)
    assert time.monotonic() - began < LATER_START_SECONDS
    assert second == first
    assert read(second) == (b"value", 42)
    assert any("Formatting" in step for step in said)


def test_the_database_wants_its_password(stack: Stack) -> None:
    addresses = stack.start(SERVERS_ONLY, attached=True)
    password = stack.folder.password_file.read_text()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(addresses.postgres.replace(password, "wrong"))


def test_a_killed_broker_is_started_again_on_the_same_port(stack: Stack) -> None:
    addresses = stack.start(SERVERS_ONLY, attached=True)
    write(addresses)
    for process in processes(stack)[:-1]:
        process.send(signal.SIGKILL)

    def recovered() -> bool:
        state = stack.state()
        return state is not None and state.is_healthy and all(service.restarts == 1 for service in state.services)

    wait_until(recovered)
    assert read(addresses) == (b"value", 42)


def test_two_starts_at_once_share_one_stack(folder: Path) -> None:
    stacks = [Stack(folder) for _ in range(2)]
    try:
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda stack: stack.start(SERVERS_ONLY), stacks)
        assert first == second
        assert processes(stacks[0]) == processes(stacks[1])
    finally:
        for stack in stacks:
            stack.stop()


def test_a_killed_supervisor_leaves_nothing_and_the_next_start_recovers(stack: Stack) -> None:
    write(stack.start(SERVERS_ONLY))
    left = processes(stack)
    left[-1].send(signal.SIGKILL)
    wait_until(lambda: not left[-1].is_alive())
    addresses = stack.start(SERVERS_ONLY)
    assert not any(process.is_alive() for process in left)
    assert read(addresses) == (b"value", 42)


def test_an_attached_stack_ends_with_the_process_that_wanted_it(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from runledger.stack import Plan, Stack\n"
        "plan = Plan.model_validate_json(sys.argv[2])\n"
        "with Stack(Path(sys.argv[1])).running(plan): print('up', flush=True); input()\n"
    )
    arguments = [str(folder), SERVERS_ONLY.model_dump_json()]
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        left = processes(Stack(folder))
        owner.kill()
    wait_until(lambda: not any(process.is_alive() for process in left))


@pytest.mark.parametrize("step", ["Creating the database", "Formatting", "Starting"])
def test_ctrl_c_at_any_step_leaves_nothing(folder: Path, step: str) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from runledger.stack import Plan, Stack\n"
        "def interrupt(step):\n"
        "    if step.startswith(sys.argv[3]): os.kill(os.getpid(), signal.SIGINT)\n"
        "with Stack(Path(sys.argv[1])).running(Plan.model_validate_json(sys.argv[2]), on_progress=interrupt): pass\n"
    )
    command = [sys.executable, "-c", program, str(folder), SERVERS_ONLY.model_dump_json(), step]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert "KeyboardInterrupt" in done.stderr
    assert Stack(folder).state() is None
    assert not [name for name in os.listdir("/proc") if name.isdigit() and str(folder) in _command_line(name)]


def test_an_outside_server_that_does_not_answer_is_named(stack: Stack) -> None:
    plan = SERVERS_ONLY.model_copy(update={"postgres": "postgresql://nobody@127.0.0.1:1/none"})
    with pytest.raises(StackError, match="RUNLEDGER_POSTGRES names does not answer"):
        stack.start(plan)
    assert stack.state() is None


def test_a_taken_port_is_named_before_anything_is_made(stack: Stack) -> None:
    stack.folder.prepare()
    ports = settle_ports(stack.folder.ports_file)
    with socket.create_server((LOOPBACK, ports.kafka)), pytest.raises(StackError, match=f"port {ports.kafka}.*taken"):
        stack.start(SERVERS_ONLY)
    assert not stack.folder.postgres.exists()


def test_a_start_during_a_stop_waits_for_its_end(stack: Stack) -> None:
    first = stack.start(SERVERS_ONLY)
    state = stack.state()
    assert state is not None
    state.supervisor.send(signal.SIGTERM)
    wait_until(lambda: (now := stack.state()) is None or now.phase == "stopping")
    assert stack.start(SERVERS_ONLY) == first


def _command_line(pid: str) -> str:
    try:
        return Path("/proc", pid, "cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
