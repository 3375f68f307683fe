"""Take scoring jobs, answer with scores."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import FrameType
from uuid import UUID

import structlog

from runledger.schemas.codec import decode
from runledger.schemas.dead_letters import DeadLetter, Reason
from runledger.schemas.errors import DecodeError
from runledger.schemas.scoring import RunScored, ScoringJob
from runledger.schemas.topics import RUN_SCORES, SCORING_JOBS
from runledger.scoring.answers import Answers
from runledger.scoring.jobs import Jobs, TakenJob
from runledger.scoring.progress import PartitionProgress
from runledger.scoring.recent import RecentJobs
from runledger.scoring.retry import GiveUp, RetryPolicy, TryAgain
from runledger.scoring.scorers import Scorer, Scores, load_scorers
from runledger.scoring.settings import ScoringSettings
from runledger.scoring.vital_signs import ScoringSigns
from runledger.scoring.waiting import Attempt, WaitingRoom
from runledger.vitals import count, told_to_end, watch
from runledger.vitals.metrics import DEAD_LETTERS, DUPLICATES_SKIPPED, RECORDS_READ, RECORDS_WRITTEN

READER = "scoring"
_LOG = structlog.get_logger()
_POLL_SECONDS = 0.2
_DRAIN_SECONDS = 8
"""A stop takes at most 10 s; two are left for leaving the group."""
_RECENT_JOBS = 100_000


def run_scorer(settings: ScoringSettings) -> None:
    """Score jobs until SIGTERM or SIGINT, then drain within 10 s. For the main thread of a process.

    Raises:
        UnknownScorerError: a scorer of the settings is not installed.
        ScoringError: as `ScoringWorker.run` does.
    """
    stopping = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        told_to_end()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    ScoringWorker(settings, load_scorers(settings.scorers)).run(stopping)


class ScoringWorker:
    """Score jobs in one thread. A job's position is committed after the broker has its answer or its dead letter.

    Args:
        settings: where the broker is, and how patient to be.
        scorers: {rubric: scorer}.
    """

    def __init__(self, settings: ScoringSettings, scorers: Mapping[str, Scorer]) -> None:
        self._settings = settings
        self._scorers = scorers
        self._policy = RetryPolicy(
            settings.scoring_max_attempts, settings.scoring_first_delay_seconds, settings.scoring_max_delay_seconds
        )
        self._answers = Answers(settings)
        self._jobs = Jobs(settings, before_revoke=partial(self._answers.flush, _DRAIN_SECONDS))
        self._waiting = WaitingRoom()
        self._answered = RecentJobs(_RECENT_JOBS)
        self._under_way: dict[UUID, PartitionProgress] = {}
        self._signs = ScoringSigns(self._jobs.positions)
        watch(self._signs)

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop.

        Raises:
            ScoringError: the broker refused something; whoever started the worker starts it again.
        """
        try:
            while not stopping.is_set():
                self._step()
            self._answers.flush(_DRAIN_SECONDS)
            self._jobs.commit()
        finally:
            self._jobs.close()

    def _step(self) -> None:
        self._signs.beat()
        self._jobs.hold(held=len(self._waiting) >= self._settings.scoring_max_waiting)
        patience = self._waiting.seconds_until_due(time.monotonic())
        wait_seconds = _POLL_SECONDS if patience is None else min(patience, _POLL_SECONDS)
        jobs = self._jobs.take(self._settings.scoring_batch, wait_seconds)
        count(RECORDS_READ, len(jobs), SCORING_JOBS.suffix)
        for taken in jobs:
            self._begin(taken)
        for attempt in self._waiting.take_due(time.monotonic()):
            self._attempt(attempt)
        self._answers.serve()
        self._jobs.commit()

    def _begin(self, taken: TakenJob) -> None:
        try:
            job = decode(ScoringJob, taken.value)
        except DecodeError as error:
            self._give_up(taken, error.reason, error.detail)
            return
        if job.job_id in self._answered or self._under_way.get(job.job_id) is taken.progress:
            _LOG.info("duplicates_skipped", count=1)
            count(DUPLICATES_SKIPPED, 1, READER)
            taken.finish()
        elif (scorer := self._scorers.get(job.rubric)) is None:
            self._give_up(taken, "unknown_rubric", f"no scorer here answers for {job.rubric}")
        else:
            self._under_way[job.job_id] = taken.progress
            self._attempt(Attempt(job, scorer, taken))

    def _attempt(self, attempt: Attempt) -> None:
        if not self._jobs.owns(attempt.taken):
            self._forget(attempt)  # its partition's next owner reads it again
            return
        try:
            scores = attempt.scorer.score(attempt.job)
        except Exception as error:  # noqa: BLE001  # a scorer may be anybody's code: what it raises is a warning
            self._failed(attempt, error)
        else:
            self._answers.send_scored(_scored(attempt, scores), partial(self._answered_by_broker, attempt))

    def _failed(self, attempt: Attempt, error: Exception) -> None:
        _LOG.warning(
            "scorer_failed",
            job_id=str(attempt.job.job_id),
            scorer=attempt.scorer.name,
            attempt=attempt.number,
            error=type(error).__name__,
        )
        match self._policy.decide(attempt.number):
            case TryAgain(after_seconds):
                self._waiting.put(replace(attempt, number=attempt.number + 1), time.monotonic() + after_seconds)
            case GiveUp():
                self._forget(attempt)
                detail = f"{attempt.scorer.name}, {attempt.number} attempts, at last {type(error).__name__}"
                self._give_up(attempt.taken, "scorer_failed", detail)

    def _answered_by_broker(self, attempt: Attempt) -> None:
        count(RECORDS_WRITTEN, 1, RUN_SCORES.suffix)
        self._answered.add(attempt.job.job_id)
        attempt.taken.answered(self._settings.dead_letter_limits)
        self._forget(attempt)
        attempt.taken.finish()

    def _forget(self, attempt: Attempt) -> None:
        if self._under_way.get(attempt.job.job_id) is attempt.taken.progress:
            del self._under_way[attempt.job.job_id]

    def _give_up(self, taken: TakenJob, reason: Reason, detail: str) -> None:
        taken.refuse(self._settings.dead_letter_limits)
        count(DEAD_LETTERS, 1, READER, reason)
        _LOG.warning("job_dead_lettered", reason=reason, partition=taken.partition, offset=taken.offset)
        letter = DeadLetter(
            reason=reason,
            detail=detail,
            topic=taken.topic,
            partition=taken.partition,
            offset=taken.offset,
            reader=READER,
            key=taken.key,
            value=taken.value,
            logged_at_ms=taken.logged_at_ms,
            original=taken.headers,
        )
        self._answers.send_dead_letter(letter, taken.finish)


def _scored(attempt: Attempt, scores: Scores) -> RunScored:
    job = attempt.job
    return RunScored(
        job_id=job.job_id,
        row_id=job.outcome.row_id,
        project_key=job.outcome.project_key,
        run_id=job.outcome.run_id,
        agent_id=job.outcome.agent_id,
        rubric=job.rubric,
        scorer=attempt.scorer.name,
        dimensions=dict(scores.dimensions),
        overall=scores.overall,
        scored_at=datetime.now(UTC),
    )
