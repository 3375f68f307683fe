"""The subscriber in TypeScript reads what is committed, nothing else, and judges it as Python does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import Producer

from runledger.contracts import CONTRACTS, Contract
from runledger.contracts.examples import EXAMPLES, REFUSED
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import RunRecorded
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS
from tests import documents
from tests.contract.test_contracts import key_of
from tests.e2e.command import environment
from tests.e2e.killed_demo import committed, play
from tests.tools.conftest import IDLE_SECONDS, Subscriber

pytestmark = [pytest.mark.tools, pytest.mark.integration, pytest.mark.slow]

EVENT = (EXAMPLES / "run-events" / "run_recorded.json").read_bytes()


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_both_languages_judge_the_examples_alike(contract: Contract, subscriber: Subscriber) -> None:
    good = sorted((EXAMPLES / contract.topic.suffix).glob("*.json"))
    bad = sorted((EXAMPLES / contract.topic.suffix / REFUSED).glob("*.json"))
    done = subscriber.judge(contract.topic.name(), key_of(contract.topic), [*good, *bad])
    assert (done.returncode, done.stderr) == (0, "")
    judged = json.loads(done.stdout)
    assert [path for path in map(str, good) if judged[path]] == []
    assert [path for path in map(str, bad) if not judged[path]] == []


@pytest.mark.timeout(600)
def test_every_committed_record_of_a_demo_with_kills_keeps_its_contract(
    topics: ConnectionSettings, database: str, tmp_path: Path, subscriber: Subscriber
) -> None:
    settings = topics.model_copy(update={"postgres": database})
    play(settings, tmp_path)
    done = subscriber.read(settings)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(line["topic"], line["partition"], line["offset"]) for line in lines} == committed(settings)
    assert len(lines) == len(committed(settings))


def test_aborted_transactions_that_overlap_and_follow_each_other_are_not_seen(
    topics: ConnectionSettings, subscriber: Subscriber
) -> None:
    """Where clients go wrong: the broker lists them by their ends, and one producer may have several in a fetch."""
    key = run_key("myproject", RunRecorded.model_validate_json(EVENT).run_id)
    first, second = (_transactional(topics, name) for name in ("first", "second"))
    _write(topics, first, key, commit=None)
    _write(topics, second, key, commit=False)
    _write(topics, first, key, commit=False, begin=False)
    for commit in (False, True, False, True):
        _write(topics, second, key, commit=commit)
    _write(topics, first, key, commit=True)
    done = subscriber.read(topics, RUN_EVENTS.suffix)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = {(line["topic"], line["partition"], line["offset"]) for line in lines}
    assert len(found) == 3
    assert found == committed(topics)


def _transactional(settings: ConnectionSettings, name: str) -> Producer:
    producer = Producer({"bootstrap.servers": settings.kafka, "transactional.id": f"{settings.topic_prefix}{name}"})
    producer.init_transactions(20)
    return producer


def _write(
    settings: ConnectionSettings, producer: Producer, key: bytes, *, commit: bool | None, begin: bool = True
) -> None:
    """Write an event in a transaction: committed, aborted, or left open."""
    if begin:
        producer.begin_transaction()
    producer.produce(RUN_EVENTS.name(settings.topic_prefix), EVENT, key)
    producer.flush()
    if commit is not None:
        (producer.commit_transaction if commit else producer.abort_transaction)()


@pytest.mark.usefixtures("subscriber")
def test_the_line_of_the_page_reads_what_it_names(topics: ConnectionSettings) -> None:
    """`make test-tools` has installed what the line would install; a person ends it with Ctrl-C."""
    enter, install, *rest = documents.example("docs/contracts.md", "bash", "npm start").strip().split(" && ")
    assert install == "npm ci"
    producer = Producer({"bootstrap.servers": topics.kafka})
    key = run_key("myproject", RunRecorded.model_validate_json(EVENT).run_id)
    producer.produce(RUN_EVENTS.name(topics.topic_prefix), EVENT, key)
    producer.flush()
    script = " && ".join([enter, *rest]) + f" --until-idle {IDLE_SECONDS}"
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=documents.ROOT,
        env=os.environ | environment(topics),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (told,) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert (told["topic"], told["key"]) == (RUN_EVENTS.name(topics.topic_prefix), key.decode())


def test_what_breaks_a_contract_is_told_with_its_place_and_an_exit_code(
    topics: ConnectionSettings, subscriber: Subscriber
) -> None:
    producer = Producer({"bootstrap.servers": topics.kafka})
    name = RUN_EVENTS.name(topics.topic_prefix)
    producer.produce(name, EVENT.replace(b"claude-opus", b""), b"MyProject/1", partition=0)
    producer.produce(name, b"my secret", b"myproject/1", partition=0)
    producer.flush()
    done = subscriber.read(topics, RUN_EVENTS.suffix)
    assert done.returncode == 1
    assert f"{name} 0 0: key" in done.stderr
    assert f"{name} 0 0: value/agentid" in done.stderr
    assert f"{name} 0 1: value" in done.stderr
    assert "my secret" not in done.stderr + done.stdout
