from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from runledger.schemas import dead_letters
from runledger.schemas.codec import encode
from runledger.schemas.identifiers import run_key
from runledger.schemas.scoring import DEFAULT_RUBRIC, ScoringJob
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import SCORING_JOBS
from runledger.scoring.errors import PositionError
from runledger.scoring.scorers import HeuristicScorer, Scorer, Scores
from runledger.scoring.settings import ScoringSettings
from runledger.scoring.worker import ScoringWorker
from tests.integration.scoring.jobs import (
    committed,
    job,
    read_dead_letters,
    read_scores,
    send,
    send_jobs,
    wait_for,
)

pytestmark = pytest.mark.integration


class Stubborn:
    """Fails on the jobs it is told to, so many times each."""

    name = "stubborn/1"
    rubric = DEFAULT_RUBRIC

    def __init__(self, failures: dict[UUID, int]) -> None:
        self.failures = failures
        self.calls: Counter[UUID] = Counter()

    def score(self, job: ScoringJob) -> Scores:
        """Raise, or answer 1."""
        self.calls[job.job_id] += 1
        if self.calls[job.job_id] <= self.failures.get(job.job_id, 0):
            raise RuntimeError("not now \udc00")
        return Scores({"outcome": 1.0}, 1.0)


@contextmanager
def working(settings: ConnectionSettings, scorer: Scorer, **patience: float) -> Iterator[None]:
    """A worker in a thread, stopped at the end; what it raised is raised here."""
    raised: list[BaseException] = []
    stopping = threading.Event()
    worker = ScoringWorker(scoring_settings(settings, **patience), {scorer.rubric: scorer})

    def run() -> None:
        try:
            worker.run(stopping)
        except BaseException as error:  # noqa: BLE001  # carried into the test's own thread
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()
        if raised:
            raise raised[0]


def scoring_settings(settings: ConnectionSettings, **patience: float) -> ScoringSettings:
    return ScoringSettings.model_validate({**settings.model_dump(), **patience})


def headers_of(letter: Message) -> dict[str, bytes]:
    headers = letter.headers()
    assert isinstance(headers, list)
    return {name: value for name, value in headers if isinstance(value, bytes)}


def test_every_job_is_answered_once_and_committed(topics: ConnectionSettings) -> None:
    jobs = [job(number) for number in range(1, 51)]
    send_jobs(topics, jobs)
    with working(topics, HeuristicScorer()):
        scores = read_scores(topics, {job.job_id for job in jobs})
        wait_for(lambda: committed(topics) == len(jobs))
    assert Counter(scored.job_id for scored in scores) == Counter(job.job_id for job in jobs)
    first = scores[0]
    assert (first.scorer, first.rubric) == ("heuristic/1", DEFAULT_RUBRIC)
    assert first.overall == pytest.approx(0.5 + 0.2 * 0.75 + 0.2 + 0.1 * 0.5)


def test_a_repeated_job_is_answered_once(topics: ConnectionSettings) -> None:
    send_jobs(topics, [job(1), job(1), job(2)])
    with working(topics, HeuristicScorer()):
        wait_for(lambda: committed(topics) == 3)
        send_jobs(topics, [job(1), job(3)])
        wait_for(lambda: committed(topics) == 5)
    scores = read_scores(topics, {job(number).job_id for number in (1, 2, 3)})
    assert len(scores) == 3


def test_a_failing_scorer_is_tried_again_while_others_go_on(topics: ConnectionSettings) -> None:
    scorer = Stubborn({job(1).job_id: 2})
    send_jobs(topics, [job(number) for number in range(1, 6)])
    with working(topics, scorer, scoring_first_delay_seconds=0.05):
        scores = read_scores(topics, {job(number).job_id for number in range(1, 6)})
        wait_for(lambda: committed(topics) == 5)
    assert scorer.calls[job(1).job_id] == 3
    assert len(scores) == 5


def test_a_job_no_attempt_helps_is_dead_lettered_and_blocks_nobody(topics: ConnectionSettings) -> None:
    hopeless = job(1)
    scorer = Stubborn({hopeless.job_id: 99})
    send_jobs(topics, [hopeless, *(job(number) for number in range(2, 20))])
    with working(topics, scorer, scoring_first_delay_seconds=0.05, scoring_max_attempts=3):
        (letter,) = read_dead_letters(topics, 1)
        read_scores(topics, {job(number).job_id for number in range(2, 20)})
        wait_for(lambda: committed(topics) == 19)
    headers = headers_of(letter)
    assert scorer.calls[hopeless.job_id] == 3
    assert letter.value() == encode(hopeless)
    assert letter.key() == run_key("default", hopeless.outcome.run_id)
    assert headers[dead_letters.REASON] == b"scorer_failed"
    assert headers[dead_letters.TOPIC] == SCORING_JOBS.name(topics.topic_prefix).encode()
    assert headers[dead_letters.READER] == b"scoring"
    assert headers[dead_letters.DETAIL].endswith(b"at last RuntimeError")


def test_what_is_no_job_and_what_nobody_scores_is_dead_lettered(topics: ConnectionSettings) -> None:
    send(topics, [(b"default/x", b"{"), (b"default/x", b"{}")])
    send_jobs(topics, [job(1, "unheard-of.v1"), job(2)])
    with working(topics, HeuristicScorer()):
        letters = read_dead_letters(topics, 3)
        read_scores(topics, {job(2).job_id})
        wait_for(lambda: committed(topics) == 4)
    reasons = sorted(headers_of(letter)[dead_letters.REASON] for letter in letters)
    assert reasons == [b"invalid", b"not_json", b"unknown_rubric"]


def test_a_full_waiting_room_takes_no_more_but_recovers(topics: ConnectionSettings) -> None:
    jobs = [job(number) for number in range(1, 13)]
    scorer = Stubborn(dict.fromkeys((job.job_id for job in jobs), 1))
    send_jobs(topics, jobs)
    with working(topics, scorer, scoring_first_delay_seconds=0.1, scoring_max_waiting=2, scoring_batch=1):
        read_scores(topics, {job.job_id for job in jobs})
        wait_for(lambda: committed(topics) == len(jobs))
    assert set(scorer.calls.values()) == {2}


def test_two_workers_share_the_jobs(topics: ConnectionSettings) -> None:
    jobs = [job(number) for number in range(1, 21)]
    first, second = Stubborn({}), Stubborn({})
    with working(topics, first), working(topics, second):
        send_jobs(topics, jobs)
        read_scores(topics, {job.job_id for job in jobs})
        fresh = iter(range(100, 10_000))

        def both_have_worked() -> bool:
            send_jobs(topics, [job(next(fresh))])
            return bool(first.calls and second.calls)

        wait_for(both_have_worked)
    read_scores(topics, {job.job_id for job in jobs})


def test_a_position_behind_the_log_stops_the_worker(topics: ConnectionSettings) -> None:
    """Jobs would be skipped without a word."""
    group = f"{topics.topic_prefix}scoring"
    consumer = Consumer({"bootstrap.servers": topics.kafka, "group.id": group, "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition(SCORING_JOBS.name(topics.topic_prefix), 0, 1000)], asynchronous=False)
    consumer.close()
    worker = ScoringWorker(scoring_settings(topics), {DEFAULT_RUBRIC: HeuristicScorer()})
    with pytest.raises(PositionError, match="reset the group's offsets"):
        worker.run(threading.Event())


PROGRAM = """
from runledger.scoring.settings import ScoringSettings
from runledger.scoring.worker import run_scorer
run_scorer(ScoringSettings())
"""


def start_process(settings: ConnectionSettings) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "RUNLEDGER_KAFKA": settings.kafka,
        "RUNLEDGER_TOPIC_PREFIX": settings.topic_prefix,
        "RUNLEDGER_SCORING_BATCH": "5",
    }
    return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment)


@pytest.mark.faults
def test_killed_workers_leave_every_job_scored(topics: ConnectionSettings) -> None:
    jobs = [job(number) for number in range(1, 401)]
    ids = {job.job_id for job in jobs}
    for part in range(4):
        portion = jobs[part * 100 : (part + 1) * 100]
        send_jobs(topics, portion)
        worker = start_process(topics)
        read_scores(topics, {portion[10 * part].job_id})
        worker.kill()
        worker.wait()
    survivor = start_process(topics)
    try:
        scores = read_scores(topics, ids)
        wait_for(lambda: committed(topics) == len(jobs))
    finally:
        survivor.send_signal(signal.SIGTERM)
        assert survivor.wait(15) == 0
    assert {scored.job_id for scored in scores} == ids
