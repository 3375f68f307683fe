"""What the pages show for a running stack, on one that docs/start.md's own commands start and stop."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg
import pytest

from runledger.stack import Stack
from runledger.stack.health import answers_http
from runledger.stack.ports import LOOPBACK, choose_port
from runledger.vitals.metrics import WORKERS
from tests import documents
from tests.e2e.pipeline import wait_for
from tests.integration.producers.mcp_server.serving import answer, over_http
from tests.integration.watch.receiver import receiving
from tests.servers import own_database, own_environment, stack_folder

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SECONDS = 60
START = documents.example("docs/start.md", "bash", "runledger up")
END = documents.example("docs/start.md", "bash", "runledger down")
*README, README_END = documents.example("README.md", "bash", "runledger up").splitlines()
*LOCAL, LOCAL_END = documents.example("docs/local-stack.md", "bash", "runledger up").splitlines()
CALLS = [
    documents.example("README.md", "bash", "$RUNLEDGER_API_KEY"),
    documents.example("docs/doctor.md", "bash", "runledger doctor"),
]
"""Commands that need no more than the stack, and the project `myproject` with its key."""
TOLD_NOW = """
SELECT count(*)::int FROM agent_run_log
WHERE agent_id = '{}' AND project_key = 'default' AND ended_at > now() - interval '1h'
"""


@dataclass
class Site:
    """A checkout's folder, and a shell in it."""

    checkout: Path
    environment: dict[str, str]
    exported: dict[str, str] = field(default_factory=dict)

    def shell(
        self, script: str, folder: Path | None = None, codes: tuple[int, ...] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        """Run a script as it stands."""
        done = subprocess.run(
            ["bash", "--norc", "-euo", "pipefail", "-c", script],
            env=self.environment | self.exported,
            cwd=folder or self.checkout,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode in codes, f"{script}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def run(self, script: str, folder: Path | None = None, codes: tuple[int, ...] = (0,)) -> str:
        """Run a script as it stands; return what it prints."""
        return self.shell(script, folder, codes).stdout

    def start(self) -> None:
        """Start the stack, and take over what its shell exports."""
        done = self.shell(f"{START}\nenv -0")
        assert f"Look at it: http://{LOOPBACK}:" in done.stderr, done.stderr
        variables = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
        ours = {name: value for name, value in variables.items() if name.startswith("RUNLEDGER_")}
        self.exported = ours | {"PATH": variables["PATH"]}
        self.exported["RUNLEDGER_API_KEY"] = self.run("runledger project create myproject").strip()

    def stop(self) -> None:
        """Stop it by each page's own words; what is stopped already is left alone."""
        for script in (END, README_END, LOCAL_END):
            self.run(script)
        self.run("runledger status", codes=(3,))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.exported["RUNLEDGER_POSTGRES"], autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def wait_for_run(self, agent: str) -> None:
        """Wait until a run that an agent told just now stands in the tables."""
        wait_for(f"a run of {agent}", lambda: self.rows(TOLD_NOW.format(agent)) != [(0,)], SECONDS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A stack with data of its own, and nothing in it but what these tests tell."""
    checkout = tmp_path_factory.mktemp("checkout")
    (checkout / ".venv").symlink_to(sys.prefix)
    (checkout / "runledger").mkdir()
    (checkout / "runledger" / "data").symlink_to(documents.ROOT / "runledger" / "data")
    with stack_folder() as data:
        known = own_environment() | {"RUNLEDGER_DATA_DIR": str(data)}
        known.pop("COLUMNS", None)  # the tests' own runner sets it in its workers
        made = Site(checkout, known)
        try:
            made.start()
            yield made
            made.stop()
        finally:
            Stack(data).stop()


def test_the_first_minute_goes_as_it_is_told(site: Site, tmp_path: Path) -> None:
    site.run(documents.example("docs/start.md", "bash", "curl"), tmp_path)
    (tmp_path / "first.py").write_text(documents.example("docs/start.md", "python"))
    site.run(documents.example("docs/start.md", "bash", "python first.py"), tmp_path)
    for agent in ("nova", "sage"):
        site.wait_for_run(agent)
    lines = [line.rstrip() for line in site.run(documents.example("docs/start.md", "bash", "tail")).splitlines()]
    table = documents.example("docs/start.md", "text").splitlines()
    assert lines[-len(table) :] == table
    assert any(re.search(r"default/sage .* ended +completed +Leak fixed", line) for line in lines)


@pytest.mark.parametrize("commands", [README, LOCAL], ids=["README", "local-stack"])
def test_the_stacks_own_commands_run(commands: list[str], site: Site) -> None:
    printed = site.run("\n".join(commands))
    for name in ("RUNLEDGER_HTTP", "RUNLEDGER_API"):
        assert f"export {name}={site.exported[name]}" in printed.splitlines()


def test_a_run_is_told_by_one_call_without_a_key(site: Site, tmp_path: Path) -> None:
    assert site.run(documents.example("README.md", "bash", "curl -X POST"), tmp_path) == ""
    told = "SELECT 1 FROM agent_run_log WHERE action_summary = 'Nightly cleanup done' AND agent_id = 'sage'"
    wait_for("the run", lambda: site.rows(told) == [(1,)], SECONDS)


@pytest.mark.parametrize("script", CALLS)
def test_commands_run_as_they_stand(script: str, site: Site, tmp_path: Path) -> None:
    printed = site.run(script, tmp_path)
    assert printed
    assert '"error"' not in printed


def test_prometheus_finds_every_worker(site: Site, tmp_path: Path) -> None:
    folder = shutil.copytree(documents.ROOT / "monitoring", tmp_path / "monitoring")
    site.run(documents.example("docs/monitoring.md", "bash", "targets.py"), folder)
    (found,) = json.loads((folder / "targets.json").read_bytes())
    told = [httpx.get(f"http://{target}/metrics", timeout=SECONDS).text for target in found["targets"]]
    named = {re.findall(r'runledger_process_info\{process="(\w+)"', text)[0] for text in told}
    assert named == {*WORKERS}


def test_the_doctors_line_for_cron_runs(site: Site, tmp_path: Path) -> None:
    """With `--strict` a machine's own warnings, such as a low limit of open files, end it with 3."""
    command = documents.scheduled(documents.example("docs/doctor.md", "cron"))
    site.run(command, tmp_path, codes=(0, 3))


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (
            "curl -sS -X POST $RUNLEDGER_HTTP/api/v1/internal/agent-run-log -H 'Content-Type: application/json'"
            ' -d \'{"agent_id": "sage", "status": "great"}\'',
            documents.example("docs/http.md", "json"),
        ),
        (
            'curl -sS "$RUNLEDGER_API/api/v1/runs?cursor=x" -H "Authorization: Bearer $RUNLEDGER_API_KEY"',
            documents.example("docs/reading.md", "json"),
        ),
    ],
    ids=["telling", "reading"],
)
def test_a_refusal_looks_as_it_is_shown(command: str, shown: str, site: Site) -> None:
    assert orjson.loads(site.run(command)) == orjson.loads(shown)


def test_a_written_run_is_replayed(site: Site, tmp_path: Path) -> None:
    """In a project of its own, since the id is also that of a hand-made run."""
    written = orjson.loads(documents.example("docs/importing.md", "json")) | {"project_key": "imported"}
    (tmp_path / "run.jsonl").write_bytes(orjson.dumps(written))
    site.run("runledger replay run.jsonl --wait", tmp_path)
    shown = json.loads(site.run(f"runledger run show {written['run_id']} --project imported --json"))["run"]
    assert (shown["status"], shown["agent_id"], shown["input_tokens"]) == ("completed", "sage", 8400)


async def test_an_agent_asks_whether_an_error_was_met_before(site: Site, tmp_path: Path) -> None:
    program = documents.example("docs/failures.md", "python", "RunClient").replace('"default"', '"myproject"')
    (tmp_path / "fail.py").write_text(program)
    site.run("python fail.py", tmp_path)
    wait_for(
        "the failure", lambda: site.rows("SELECT 1 FROM failure_group WHERE project_key = 'myproject'") != [], SECONDS
    )
    call = ast.parse(documents.example("docs/failures.md", "python", "recent_failures").strip(), mode="eval").body
    assert isinstance(call, ast.Call)
    arguments = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    async with over_http(site.exported["RUNLEDGER_MCP"], site.exported["RUNLEDGER_API_KEY"]) as client:
        (group,) = (await answer(client, ast.unparse(call.func), **arguments))["groups"]
    assert group["failure_count"] == 1


async def test_a_webhook_is_set_tried_shown_and_removed(site: Site, tmp_path: Path) -> None:
    script = documents.example("docs/webhooks.md", "bash")
    async with receiving() as receiver:
        there = script.replace("https://example.com/hooks/runledger", receiver.url)
        assert there != script
        printed = await asyncio.to_thread(site.run, there, tmp_path)
    assert "whsec_" in printed
    assert [told["type"] for _, told in receiver.told] == ["webhook.test"]
    assert site.rows("SELECT count(*)::int FROM webhook") == [(0,)]


def test_a_dashboard_behind_a_proxy_answers_to_its_name_alone(site: Site, tmp_path: Path) -> None:
    command = documents.example("docs/dashboard.md", "bash")
    port = choose_port()
    environment = site.environment | site.exported | {"RUNLEDGER_DASHBOARD_PORT": str(port)}
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(["bash", "-c", f"exec env {command}"], env=environment, stdout=log, stderr=log)
    try:
        wait_for("the dashboard", lambda: answers_http(LOOPBACK, port, "/healthz"), SECONDS)
        known, unknown = (
            httpx.get(f"http://{LOOPBACK}:{port}/login", headers={"Host": host})
            for host in ("ledger.example", "elsewhere.example")
        )
        assert (known.status_code, unknown.status_code) == (200, 421)
        running.terminate()
        assert running.wait(SECONDS) == 0
    finally:
        running.kill()
        running.wait()


def test_a_stack_is_run_from_python(site: Site, tmp_path: Path) -> None:
    """On the servers of the other, with topics and tables of its own."""
    program = documents.example("docs/local-stack.md", "python")
    for shown, there in {'"/tmp/ledger"': repr(str(tmp_path)), "...": "print(addresses.api)"}.items():
        assert program.count(shown) == 1
        program = program.replace(shown, there)
    (tmp_path / "run.py").write_text(program)
    with own_database(site.exported["RUNLEDGER_POSTGRES"]) as uri:
        settings = {"RUNLEDGER_POSTGRES": uri, "RUNLEDGER_TOPIC_PREFIX": f"second-{uuid.uuid4().hex[:8]}."}
        printed = _with(site, settings).run("python run.py", tmp_path)
    assert re.search(rf"^http://{re.escape(LOOPBACK)}:\d+$", printed, re.MULTILINE)


def _with(site: Site, variables: Mapping[str, str]) -> Site:
    return Site(site.checkout, site.environment, site.exported | dict(variables))
