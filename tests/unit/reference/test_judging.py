"""A name that is made up is refused, and one that is nowhere is found."""

from __future__ import annotations

import pytest

from reference.judging import made_up, undocumented
from tests.unit.reference.names import NAMES

EVERYTHING = """
`RUNLEDGER_KAFKA` and `RUNLEDGER_KAFKA_CA`; `run-events`, `runs`; `runledger_lag_records`; `agent_run`, `agent_run_log`.

```bash
make demo && make e2e
runledger run list --agent sage --json
runledger verify --wait 30
```
"""


def complaints(page: str) -> list[str]:
    return [words.partition(": ")[2] for words in made_up({"page.md": page}, NAMES)]


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("Set `RUNLEDGER_KAFKAS`.", "there is no setting RUNLEDGER_KAFKAS"),
        ("RUNLEDGER_KAFKAS, without a mark", "there is no setting RUNLEDGER_KAFKAS"),
        (
            "| `RUNLEDGER_BROKER` | in a table |\n|---|---|\n| `RUNLEDGER_KAFKA` | |",
            "there is no setting RUNLEDGER_BROKER",
        ),
        ("```sh\nexport RUNLEDGER_BROKER=x\n```", "there is no setting RUNLEDGER_BROKER"),
        ("`sum(runledger_lag_seconds)`", "there is no name runledger_lag_seconds"),
        ("`runledger_lag_records_total`", "there is no name runledger_lag_records_total"),
        ("the topic `run-event`", "there is no topic run-event"),
        ("the `run-event` topic", "there is no topic run-event"),
        ("the topics `runs`, `run-events` and `results`", "there is no topic results"),
        ("the views `agent_run` or `trends`", "there is no table trends"),
        ('`rate(x{topic="run-event"}[5m])`', "there is no topic run-event"),
        ('```python\nsubscribe("run-event")\n```', "there is no topic run-event"),
        ("`runledger.run-event`", "there is no name runledger.run-event"),
        ("`runledger.writer-`", "there is no name runledger.writer-"),
        ("`runledger.run.stopped.v1`", "there is no name runledger.run.stopped.v1"),
        ("the table `agent_runs`", "there is no table agent_runs"),
        ("`agent_runs` is one", "there is no name agent_runs"),
        ("`run-event` holds them", "there is no name run-event"),
        ("```sql\nSELECT 1 FROM agent_runs\n```", "there is no table agent_runs"),
        ("`agent_run.cost`", "there is no column agent_run.cost"),
        ("```sql\nSELECT r.cost FROM agent_run AS r\n```", "there is no column agent_run.cost"),
        ("`runledger run last`", "there is no command runledger run last"),
        ("`runledger verifi`", "there is no command runledger verifi"),
        ("```sh\nrunledger \\\n  verifi\n```", "there is no command runledger verifi"),
        ("    runledger verify --weight 3", "runledger verify has no option --weight"),
        ("```sh\nx=1 runledger run list \\\n  --agents sage\n```", "runledger run list has no option --agents"),
        ("with `--weight`", "there is no option --weight"),
        ("with `--weight NAME NUMBER`", "there is no option --weight"),
        ("`make demos`", "there is no target demos"),
    ],
)
def test_a_made_up_name_is_refused(page: str, wrong: str) -> None:
    assert complaints(page) == [wrong]


@pytest.mark.parametrize(
    "page",
    [
        "`RUNLEDGER_KAFKA`, RUNLEDGER_KAFKA_CA, every `RUNLEDGER_KAFKA_*`, RUNLEDGER_SOAK_RATE for tests",
        "`sum(rate(runledger_lag_records_bucket[5m]))`, the role `runledger_read`",
        "the topic `run-events`, the topics `runs` and more, the `runledger.runs` topic",
        "the topics `runs` and `run-events`; `key` is theirs, and the topic `runs`, `key` of it",
        '`x{topic="runs"}`',
        "`runledger.run.ended.v2` would be the next, `runledger.stack` holds `runledger.stack.plan`",
        "groups `runledger.reader-…`",
        "the table `agent_run` with `agent_run.cost_usd`, and `incident.opened`",
        "```sql\nWITH mine AS (SELECT a.run_id FROM agent_run AS a) SELECT mine.anything FROM mine\n```",
        "```sql\nSELECT extract(epoch FROM cost_usd), g FROM generate_series(1, 2) AS g\n```",
        "```sql\nSELECT count(*) AS days_to_see FROM agent_run\n```\n\nThe column `days_to_see`.",
        "`runledger run list --agent sage | head --lines 3`",
        "`runledger run` lists runs; `runledger run NAME`",
        "```python\nfrom runledger import subscribe\n```",
        "`kafka-acls.sh --add`, `make demo # one`, and `--json`",
        "we make things, and runledger verifies them",
    ],
)
def test_what_is_there_may_be_named(page: str) -> None:
    assert complaints(page) == []


def test_a_complaint_says_where() -> None:
    page = "# Title\n\nfirst\n\n| a |\n|---|\n| `RUNLEDGER_BROKER` |\n"
    assert list(made_up({"docs/page.md": page}, NAMES)) == ["docs/page.md:7: there is no setting RUNLEDGER_BROKER"]


def test_nothing_is_missing_where_everything_is_named() -> None:
    assert list(undocumented({"page.md": EVERYTHING}, NAMES)) == []


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("`RUNLEDGER_KAFKA_CA`", ["setting RUNLEDGER_KAFKA_CA"]),
        ("`runledger_lag_records`", ["metric runledger_lag_records"]),
        ("`run-events`", ["topic run-events"]),
        ("`agent_run_log`", ["table agent_run_log"]),
        (" && make e2e", ["make e2e"]),
        ("runledger verify --wait 30", ["command runledger verify", "option --wait of runledger verify"]),
        (" --json", ["option --json of runledger run list"]),
    ],
)
def test_what_no_page_names_is_found(name: str, missing: list[str]) -> None:
    page = EVERYTHING.replace(name, "")
    assert page != EVERYTHING
    assert list(undocumented({"page.md": page}, NAMES)) == missing


def test_a_name_within_a_longer_one_is_not_named() -> None:
    page = EVERYTHING.replace("`RUNLEDGER_KAFKA` and ", "").replace("`agent_run`, ", "")
    assert list(undocumented({"page.md": page}, NAMES)) == ["setting RUNLEDGER_KAFKA", "table agent_run"]
