from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runledger.vitals import Keeper, Pulse, VitalsSettings, Watched, Work, kept_by, watch
from runledger.vitals.exits import EXIT_CUT_OFF, EXIT_STUCK
from runledger.vitals.listener import ListenError

STALL_SECONDS = 0.8


@contextmanager
def program(how: str, stall_seconds: float = STALL_SECONDS) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.unit.runledger.vitals.program", how, str(stall_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], seconds: float) -> int | None:
    """The exit code, if it ends within so many seconds."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def last_line(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stderr is not None
    line: dict[str, object] = json.loads(process.stderr.read().splitlines()[-1])
    return line


def test_a_stuck_loop_ends_the_process_and_the_log_says_where_it_hung() -> None:
    with program("hang") as process:
        assert ended(process, 20) == EXIT_STUCK
        line = last_line(process)
    assert line["event"] == "stuck"
    assert line["works"].keys() == {"sink loop"}  # type: ignore[attr-defined]  # a line may hold anything
    assert "hang_in_the_fold" in json.dumps(line["stacks"])


def test_a_loop_that_comes_around_is_left_alone() -> None:
    with program("beat") as process:
        assert ended(process, 4 * STALL_SECONDS) is None


def test_who_waits_for_an_absent_server_is_left_alone() -> None:
    with program("wait") as process:
        assert ended(process, 4 * STALL_SECONDS) is None
        process.terminate()
        assert ended(process, 20) == EXIT_CUT_OFF


def test_a_process_that_was_stopped_and_goes_on_is_left_alone() -> None:
    with program("beat") as process:
        process.send_signal(signal.SIGSTOP)
        assert ended(process, 3 * STALL_SECONDS) is None
        process.send_signal(signal.SIGCONT)
        assert ended(process, 2 * STALL_SECONDS) is None


def test_no_limit_means_no_watchdog() -> None:
    with program("hang", 0) as process:
        assert ended(process, 3 * STALL_SECONDS) is None


def test_who_is_told_to_end_and_does_not_is_cut_off_within_the_bound() -> None:
    with program("hang", 0) as process:
        process.terminate()
        assert ended(process, 20) == EXIT_CUT_OFF
        assert last_line(process)["event"] == "cut_off"


class Stores(Watched):
    def troubles(self) -> Mapping[str, str]:
        return {"stores_not_open": "2 of 8 stores are not open"}


def test_health_is_200_or_503_with_what_is_wrong_and_since_when() -> None:
    keeper = Keeper("processor", VitalsSettings())
    answer = keeper.healthz()
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok", "process": "processor", "problems": []})
    keeper.health.watch(Stores())
    answer = keeper.healthz()
    document = json.loads(answer.body)
    assert answer.status == 503
    assert document["problems"][0].keys() == {"problem", "detail", "since"}
    assert document["problems"][0]["problem"] == "stores_not_open"


def test_metrics_tell_the_problems_too() -> None:
    keeper = Keeper("processor", VitalsSettings())
    keeper.health.watch(Stores())
    families = {it.name: it for it in text_string_to_metric_families(keeper.metrics().body.decode())}
    assert [it.labels for it in families["runledger_problem"].samples] == [{"problem": "stores_not_open"}]


def test_a_pulse_is_work_that_always_has_to_move() -> None:
    pulse = Pulse("event loop", patience=2.5)
    (before,) = pulse.works()
    pulse.beat()
    (after,) = pulse.works()
    assert before == Work("event loop", 0, patience=2.5)
    assert after.progress != before.progress


@pytest.mark.parametrize("value", ["-1", "65536", "metrics"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("RUNLEDGER_METRICS_PORT", value)
    with pytest.raises(ValueError, match="metrics_port"):
        VitalsSettings()


def test_a_keeper_that_cannot_listen_keeps_nobodys_vitals() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        keeper = Keeper("processor", VitalsSettings(metrics_port=taken.getsockname()[1]))
        with pytest.raises(ListenError), kept_by(keeper):
            pass
    watch(Stores())
    assert keeper.health.watched == ()
