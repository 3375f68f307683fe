"""The terminal's commands on a real pipeline: numbers are the tables', examples run, ends are clean."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
import typer
from confluent_kafka.admin import AdminClient
from psycopg.rows import dict_row
from rich.text import Text

from runledger.cli.app import application, run
from runledger.producers.client import RunClient
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS
from runledger.sinks.migrate import migrate
from runledger.topic_admin import ensure_topics
from tests import documents
from tests.e2e.command import environment
from tests.e2e.pipeline import pipeline, wait_for
from tests.faults.proxy import Proxy

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

DATA = Path(__file__).parents[2] / "runledger" / "data"
HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\u202eevil[red]"
TRACES = [
    {"span_id": "a", "name": "answer", "duration_ms": 1500},
    {"span_id": "b", "parent_span_id": "a", "name": "search", "kind": "tool", "duration_ms": 20, "status": "error"},
]
WRITES = ("demo", "up", "down", "mcp", "worker", "project rotate", "project webhook", "erase", "dlq replay", "dlq drop")
"""Examples that start processes or that nothing can be undone after: they are parsed by the unit tests."""


@pytest.fixture(scope="module")
def ledger(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionSettings]:
    """A pipeline with the demo's runs, the hand-made ones, and one that tells hostile texts and traces."""
    mark = uuid.uuid4().hex[:8]
    name = f"test_{mark}"
    parts = psycopg.conninfo.conninfo_to_dict(servers[1]) | {"dbname": name}
    uri = psycopg.conninfo.make_conninfo(**parts)  # type: ignore[arg-type]  # every part is text
    settings = ConnectionSettings(kafka=servers[0], postgres=uri, topic_prefix=f"test-{mark}.")
    with psycopg.connect(servers[1], autocommit=True) as connection, ExitStack() as undoing:
        connection.execute(f'CREATE DATABASE "{name}"')
        undoing.callback(connection.execute, f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
        ensure_topics(settings)
        undoing.callback(_delete_topics, settings)
        migrate(uri)
        folder = tmp_path_factory.mktemp("terminal")
        with pipeline(settings, folder, ("processor", "sink", "relay", "scorer", "watch")):
            _fill(settings)
            yield settings


def _delete_topics(settings: ConnectionSettings) -> None:
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for deleted in admin.delete_topics([topic.name(settings.topic_prefix) for topic in ALL_TOPICS]).values():
        deleted.result()


def _fill(settings: ConnectionSettings) -> None:
    for file in ("airline_runs.jsonl", "handmade_runs.jsonl"):
        command = [sys.executable, "-m", "runledger", "replay", str(DATA / file), "--wait"]
        subprocess.run(command, env=environment(settings), check=True, capture_output=True, timeout=200)
    with RunClient(kafka=settings.kafka, topic_prefix=settings.topic_prefix) as client:
        told = client.start_run("default", agent=HOSTILE, summary=HOSTILE)
        told.usage(input_tokens=7, cost_usd=0.01, model=HOSTILE, traces=TRACES)
        told.failure(HOSTILE, error=HOSTILE)
        told.end("failed", summary=HOSTILE)
    with psycopg.connect(settings.postgres, autocommit=True) as connection:
        asked = [HOSTILE]
        wait_for("the last run", lambda: _count(connection, "agent_run_log", asked) == 1, 60)


def _count(connection: psycopg.Connection[Any], table: str, asked: list[str]) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table} WHERE agent_id = %s".encode(), asked).fetchone()  # noqa: S608
    return int(row[0]) if row else 0


@pytest.fixture
def told(
    ledger: ConnectionSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Any:  # noqa: ANN401  # a function with a variable number of arguments
    """Run commands within this process; give (exit code, stdout, stderr)."""
    for name, value in environment(ledger).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("COLUMNS", raising=False)  # the tests' own runner sets it in its workers
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        return code, *capsys.readouterr()

    return command


@pytest.fixture
def rows(ledger: ConnectionSettings) -> Iterator[Any]:
    """Ask the tables by plain SQL."""
    with psycopg.connect(ledger.postgres, autocommit=True, row_factory=dict_row) as connection:
        yield lambda query: connection.execute(query.encode()).fetchall()


def test_costs_are_the_tables_own_whatever_they_are_grouped_by(told: Any, rows: Any) -> None:  # noqa: ANN401
    [total] = rows("SELECT count(*) AS runs, sum(cost_usd) AS cost_usd FROM agent_run WHERE project_key = 'default'")
    sources = rows(
        "SELECT cost_source, sum(cost_usd) AS cost_usd FROM agent_run"
        " WHERE project_key = 'default' AND cost_usd IS NOT NULL GROUP BY cost_source"
    )
    for by in ("agent", "model", "day"):
        code, out, _ = told("costs", "--by", by, "--since", "2020-01-01T00:00Z", "--json")
        document = orjson.loads(out)
        assert code == 0
        assert document["total"]["runs"] == total["runs"] == sum(group["runs"] for group in document["groups"])
        assert Decimal(document["total"]["cost_usd"]) == total["cost_usd"]
        for source in sources:
            assert Decimal(document["total"][f"cost_{source['cost_source']}_usd"]) == source["cost_usd"]
    [acme] = rows("SELECT sum(cost_usd) AS cost_usd FROM agent_run WHERE project_key = 'acme'")
    _, out, _ = told("costs", "--by", "project", "--since", "2020-01-01T00:00Z", "--json")
    groups = {group["project"]: group["cost_usd"] for group in orjson.loads(out)["groups"]}
    assert Decimal(groups["acme"]) == acme["cost_usd"]


def test_agents_and_top_show_the_tables_streaks_and_last_runs(told: Any, rows: Any) -> None:  # noqa: ANN401
    known = rows("SELECT * FROM agent_health WHERE project_key = 'default' ORDER BY agent_id")
    for arguments in (("agents", "list", "--project", "default"), ("top",)):
        code, out, _ = told(*arguments, "--json")
        agents = sorted(orjson.loads(out)["agents"], key=lambda agent: agent["agent_id"])
        assert code == 0
        for agent, health in zip(agents, known, strict=True):
            for name in ("agent_id", "finished_runs", "consecutive_silence_count", "consecutive_failure_count"):
                assert agent[name] == health[name]
            assert len(agent["last_runs"]) == min(32, health["finished_runs"])
    code, out, _ = told("top")
    assert (code, "project default" in out, "\x1b" in out) == (0, True, False)


def test_a_run_is_found_by_its_first_digits_and_shown_as_the_tables_have_it(told: Any, rows: Any) -> None:  # noqa: ANN401
    run_row = rows("SELECT * FROM agent_run WHERE agent_id = 'airline' ORDER BY cost_usd DESC LIMIT 1")[0]
    code, out, _ = told("run", "show", run_row["run_id"].hex[:12], "--json", "--events", "200")
    document = orjson.loads(out)
    assert code == 0
    assert document["run"]["run_id"] == str(run_row["run_id"])
    assert Decimal(document["run"]["cost_usd"]) == run_row["cost_usd"]
    assert len(document["events"]) == run_row["events"]
    assert len(document["traces"]) == run_row["traces"]
    assert sum(model["input_tokens"] for model in document["models"]) == run_row["input_tokens"]


def test_what_agents_wrote_is_obeyed_by_no_terminal(told: Any, rows: Any) -> None:  # noqa: ANN401
    run_id = rows("SELECT run_id FROM agent_run WHERE agent_id LIKE '%evil%'")[0]["run_id"].hex
    shown = ""
    for arguments in (
        ["run", "show", run_id],
        ["run", "list"],
        ["agents", "list"],
        ["agents", "show", HOSTILE],
        ["costs", "--by", "model"],
        ["failures", "list"],
        ["top"],
        ["audit"],
        ["tail", "--no-follow", "--agent", HOSTILE],
        ["run", "show", run_id, "--json"],
        ["tail", "--no-follow", "--agent", HOSTILE, "--json"],
    ):
        code, out, err = told(*arguments)
        assert code in {0, 3, 4}, err
        assert "evil[red]" in out, arguments
        shown += out + err
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    assert "└── search  tool  20ms  error" in shown


def test_what_is_not_there_has_an_exit_code_of_its_own(told: Any) -> None:  # noqa: ANN401
    for arguments in (
        ["run", "show", "ffffffff"],
        ["agents", "show", "nobody"],
        ["agents", "list", "--project", "typo"],
        ["top", "--project", "typo"],
        ["costs", "--project", "typo"],
        ["costs", "--by", "project", "--project", "typo"],
        ["run", "list", "--project", "typo"],
        ["failures", "show", "ffff"],
        ["dlq", "show", "run-events/0/0"],
    ):
        code, out, err = told(*arguments)
        assert (code, out, err.count("\n")) == (5, "", 1), arguments
        assert "`runledger " in err  # the next step
    code, out, _ = told("run", "list", "--task", "nothing")
    assert (code, out) == (0, "No run is there that fits.\n")
    code, _, err = told("run", "show", "00000000")
    assert (code, "give more digits" in err) == (1, True)


def test_a_database_that_is_away_is_one_line_and_the_next_step(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    monkeypatch.setenv("RUNLEDGER_POSTGRES", "postgresql://postgres:hunter2@127.0.0.1:1/none")
    for arguments in (["top"], ["costs"], ["run", "list"], ["agents", "list"], ["audit"]):
        code, out, err = told(*arguments)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "`runledger doctor`" in err
        assert "hunter2" not in err


def test_every_example_that_only_reads_runs_as_it_stands(told: Any, rows: Any, tmp_path: Path) -> None:  # noqa: ANN401
    (tmp_path / "runs.jsonl").write_bytes((DATA / "handmade_runs.jsonl").read_bytes())
    stand_ins = {
        "3f9a1c2d": rows("SELECT run_id FROM agent_run WHERE agent_id = 'airline' LIMIT 1")[0]["run_id"].hex,
        "3f9a": rows("SELECT fingerprint FROM failure_group LIMIT 1")[0]["fingerprint"],
    }
    ran = 0
    for line in _examples(typer.main.get_command(application())):
        words = [stand_ins.get(word, word) for word in shlex.split(re.split(r"\s\s+#\s|\s>", line)[0])[1:]]
        if " ".join(words).startswith(WRITES):
            continue
        if words[0] == "tail":
            words += ["--no-follow", "--limit", "3"]
        code, _, err = told(*words)
        usual = {"audit": {0, 3, 4}, "doctor": {0, 3, 4}, "status": {3}, "dlq": {0, 5}}
        assert code in usual.get(words[0], {0}), f"{line}: {err}"
        assert "Traceback" not in err
        ran += 1
    assert ran > 40


def _examples(command: Any) -> Iterator[str]:  # noqa: ANN401  # typer's own click
    if command.epilog:
        yield from Text.from_markup(command.epilog).plain.splitlines()[1:]
    for below in getattr(command, "commands", {}).values():
        yield from _examples(below)


def test_each_example_of_the_page_runs(ledger: ConnectionSettings, tmp_path: Path) -> None:
    known = environment(ledger) | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    for block in documents.examples("docs/terminal.md", "bash"):
        script = "set -eu\n" + block.replace("; test", " || test")
        command = ["bash", "--norc", "-c", script]
        done = subprocess.run(
            command, env=known, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    assert (tmp_path / "runledger-completion.bash").stat().st_size


def _shape(line: str) -> str:
    """A line without its numbers."""
    return re.sub(r"\d[\d.,]*[kM]?", "#", " ".join(line.split()))


def _told_of(line: str) -> list[str]:
    """An event's line from its agent on: without its time, and the date that it has from midnight on."""
    words = line.split()
    return words[words.index("default/airline") :] if "default/airline" in words else []


def test_top_is_drawn_as_the_page_shows_it(told: Any, ledger: ConnectionSettings) -> None:  # noqa: ANN401
    """The rows but for how long ago it was; the head, of which all is in motion, by its words."""
    with RunClient(kafka=ledger.kafka, topic_prefix=ledger.topic_prefix) as client:  # the others may be of yesterday
        today = client.start_run("default", agent="of-today")
        today.usage(input_tokens=7, cost_usd=0.01, model="gpt-5")
        today.end("completed")
    head, table = documents.example("docs/terminal.md", "text", "pipeline current").split("\n\n")
    shown = {_shape(line) for line in head.splitlines()}
    printed: list[str] = []

    def is_current() -> bool:
        printed[:] = told("top", "--once")[1].splitlines()
        return shown <= {_shape(line) for line in printed}

    wait_for("a head like that of the page", is_current, 30)
    rows = [line.split()[:-2] for line in printed]
    assert [line for line in table.splitlines() if line.split()[:-2] not in rows] == []


def test_events_and_costs_are_printed_as_the_page_shows_them(told: Any) -> None:  # noqa: ANN401
    events = documents.example("docs/terminal.md", "text", "default/airline").splitlines()
    printed = [_told_of(line) for line in told("tail", "--since", "1h", "--no-follow")[1].splitlines()]
    assert [line for line in events if _told_of(line) not in printed] == []
    asked = documents.example("docs/terminal.md", "bash", "runledger costs --by model").splitlines()[0]
    costs = [line.rstrip() for line in told(*shlex.split(asked)[1:])[1].splitlines()]
    assert costs == documents.example("docs/terminal.md", "text", "estimated").splitlines()


def _start(settings: ConnectionSettings, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401
    command = [sys.executable, "-m", "runledger", *arguments]
    return subprocess.Popen(command, env=environment(settings), **options)


def test_an_event_is_shown_as_it_comes_and_ctrl_c_ends_without_a_word(ledger: ConnectionSettings) -> None:
    agent = f"tailed-{uuid.uuid4().hex[:8]}"
    process = _start(
        ledger, "tail", "--agent", agent, "--since", "1m", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        with RunClient(kafka=ledger.kafka, topic_prefix=ledger.topic_prefix) as client:
            client.record_run("default", "somebody-else", "not to be seen")
            client.record_run("default", agent, "to be seen")
            client.flush()
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stdout is not None
        seen = orjson.loads(process.stdout.readline())
        watchdog.cancel()
        assert (seen["agent_id"], seen["data"]["summary"]) == (agent, "to be seen")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (130, b"", b"")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("arguments", [["tail", "--no-follow"], ["tail", "--no-follow", "--json"], ["run", "list"]])
def test_a_pipe_that_closes_early_is_no_error_worth_a_word(ledger: ConnectionSettings, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = _start(ledger, *arguments, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, b"")


class Terminal:
    """A command on a terminal of 100 columns and 30 lines."""

    def __init__(self, settings: ConnectionSettings, *arguments: str, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        known = environment(settings) | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"} | variables
        known.pop("NO_COLOR", None) if "NO_COLOR" not in variables else None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runledger", *arguments], env=known, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self.shown = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                content = os.read(self._ours, 65536)
            except OSError:  # the command has ended
                return
            if not content:
                return
            self.shown += content.decode(errors="replace")

    def wait_for(self, words: str) -> None:
        """Wait until something was shown."""
        deadline = time.monotonic() + 60
        while words not in self.shown:
            assert time.monotonic() < deadline, self.shown[-3000:]
            threading.Event().wait(0.05)

    def end(self, number: signal.Signals | None = None) -> int:
        """Interrupt it if asked to; return its exit code."""
        if number is not None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(60)
        finally:
            self.process.kill()
        self._reader.join(10)
        os.close(self._ours)
        return code


def test_top_draws_again_in_place_and_gives_the_terminal_back(ledger: ConnectionSettings) -> None:
    agent = f"live-{uuid.uuid4().hex[:8]}"
    terminal = Terminal(ledger, "top", "--interval", "0.5")
    terminal.wait_for("project default")
    assert "\x1b[?1049h" in terminal.shown  # a screen of its own
    with RunClient(kafka=ledger.kafka, topic_prefix=ledger.topic_prefix) as client:
        client.record_run("default", agent, "seen live")
        client.flush()
    terminal.wait_for(agent)
    assert terminal.end(signal.SIGINT) == 0
    assert terminal.shown.rstrip().endswith("\x1b[?25h") or "\x1b[?1049l" in terminal.shown[-200:]
    assert "Traceback" not in terminal.shown


def test_a_database_that_goes_away_is_said_on_the_screen_and_comes_back(ledger: ConnectionSettings) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(ledger.postgres)
    proxy = Proxy(str(parts["host"]), int(parts.get("port") or 5432))
    uri = psycopg.conninfo.make_conninfo(ledger.postgres, port=proxy.port)
    terminal = Terminal(ledger, "top", "--interval", "0.5", RUNLEDGER_POSTGRES=uri)
    try:
        terminal.wait_for("project default")
        with proxy.refusing():
            terminal.wait_for("cannot be read just now")
        terminal.shown = ""
        terminal.wait_for("project default")
        assert terminal.end(signal.SIGINT) == 0
    finally:
        proxy.close()
    assert "Traceback" not in terminal.shown


def test_a_broker_that_goes_away_is_said_beside_the_events(ledger: ConnectionSettings) -> None:
    host, _, port = ledger.kafka.rpartition(":")
    proxy = Proxy(host, int(port))
    terminal = Terminal(ledger, "tail", RUNLEDGER_KAFKA=f"127.0.0.1:{proxy.port}")
    try:
        terminal.wait_for("Waiting for events")
        with proxy.refusing():
            terminal.wait_for("no broker answers at")
        terminal.wait_for("the broker answers again")
        assert terminal.end(signal.SIGINT) == 130
    finally:
        proxy.close()
    assert "Traceback" not in terminal.shown


def test_no_color_and_dumb_terminals_get_plain_words(ledger: ConnectionSettings) -> None:
    coloured = Terminal(ledger, "agents", "list")
    assert coloured.end() == 0
    assert "\x1b[32m" in coloured.shown
    plain = Terminal(ledger, "agents", "list", NO_COLOR="1")
    assert plain.end() == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", plain.shown)
    dumb = Terminal(ledger, "top", TERM="dumb")
    assert dumb.end() == 0
    assert "\x1b" not in dumb.shown
    assert "project default" in dumb.shown


def test_a_bar_is_drawn_on_a_terminal_alone(ledger: ConnectionSettings) -> None:
    terminal = Terminal(ledger, "verify")
    assert terminal.end() == 0
    assert "Recounting" in terminal.shown
    assert "no difference" in terminal.shown
    done = _start(ledger, "verify", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = done.communicate(timeout=100)
    assert (done.returncode, err) == (0, b"")
    assert b"Recounting" not in out
