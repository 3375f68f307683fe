"""The wheel, in a program of somebody else's."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from runledger.schemas.codec import decode_event
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys

import schemas, producers, sinks
from runledger import RunClient, subscribe

with RunClient(kafka=sys.argv[1], topic_prefix=sys.argv[2]) as client:
    with client.run("acme", "sage", summary="beside a schemas.py of my own") as run:
        run.usage(input_tokens=10, output_tokens=1)
with subscribe("run-events", kafka=sys.argv[1], topic_prefix=sys.argv[2], stop_at_end=True) as events:
    assert len(list(events)) == 3
assert schemas.MINE and producers.MINE and sinks.MINE
print(sorted(name.partition(".")[0] for name in sys.modules))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    target = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(target.glob("*.whl"))


def test_the_wheel_holds_one_package_and_its_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"runledger"}
    data = ("data/airline_runs.jsonl", "sinks/migrations/0001_ledger.sql", "contracts/topics/runs.v1.json")
    for needed in ("py.typed", "schemas/codec.py", *data):
        assert f"runledger/{needed}" in names


def test_a_host_with_its_own_schemas_uses_the_sdk(wheel: Path, topics: ConnectionSettings, tmp_path: Path) -> None:
    """And the base install brings no Faust, no web framework and no database driver."""
    host = tmp_path / "host"
    (host / "sinks").mkdir(parents=True)
    for name in ("schemas.py", "producers.py", "sinks/__init__.py"):
        (host / name).write_text("MINE = True\n")
    (host / "main.py").write_text(PROGRAM)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pins = re.findall(r"^([a-z0-9_.-]+==\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    (tmp_path / "pins.txt").write_text("\n".join(pins))
    install = [str(python), "-m", "pip", "install", "--quiet", "--retries", "10"]
    install += ["-c", str(tmp_path / "pins.txt"), str(wheel)]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    arguments = [str(python), "main.py", topics.kafka, topics.topic_prefix]
    result = subprocess.run(arguments, cwd=host, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    listed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout.lower()
    for heavy in ("faust", "fastapi", "starlette", "aiohttp", "psycopg", "sqlalchemy", "nicegui"):
        assert heavy not in listed
    assert len(read_all(topics)) == 3
    command = subprocess.run([python, "-m", "runledger"], capture_output=True, text=True, check=False, cwd=host)
    assert command.returncode == 2
    assert "runledger[stack]" in command.stderr


def read_all(settings: ConnectionSettings) -> list[str]:
    """Types of the events in the log."""
    consumer = Consumer(
        {"bootstrap.servers": settings.kafka, "group.id": f"{settings.topic_prefix}read", "enable.partition.eof": True}
    )
    topic, ended = RUN_EVENTS.name(settings.topic_prefix), 0
    types: list[str] = []
    consumer.assign([TopicPartition(topic, number, 0) for number in range(settings.partitions)])
    while ended < settings.partitions:
        for message in consumer.consume(100, 1.0):
            if message.error() is None:
                types.append(decode_event(message.value(), message.key()).type)
            else:
                ended += 1
    consumer.close()
    return types
