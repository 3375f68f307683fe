from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runledger.contracts import CONTRACTS, __main__, files, schema_of
from runledger.contracts.json_schemas import json_schema_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the contracts that may be spoilt; the command works on it."""
    for name in (files.TOPICS, files.RELEASED):
        shutil.copytree(files.FOLDER / name, tmp_path / name)
    shutil.copy(files.FOLDER / files.ASYNCAPI, tmp_path)
    for function in (files.write, files.stale, files.check, files.release):
        monkeypatch.setattr(function, "__defaults__", (tmp_path,))
    return tmp_path


def test_the_contracts_beside_the_code_are_up_to_date() -> None:
    assert files.stale() == [], "make contracts"


def test_nothing_breaks_the_contracts_of_the_last_release() -> None:
    assert [str(breach) for breach in files.check()] == []


def test_what_is_read_is_what_the_code_promises() -> None:
    for contract in CONTRACTS:
        assert schema_of(contract) == json_schema_of(contract)


def test_what_differs_is_missing_or_too_much_is_stale_until_it_is_written(folder: Path) -> None:
    (folder / "topics" / "runs.v1.json").write_text("{}")
    (folder / "asyncapi.json").unlink()
    (folder / "topics" / "runs.v0.json").write_text("{}")
    assert files.stale() == ["asyncapi.json", "topics/runs.v0.json", "topics/runs.v1.json"]
    assert __main__.main(["check"]) == 1
    assert __main__.main(["write"]) == 0
    assert files.stale() == []
    assert __main__.main(["check"]) == 0


def test_a_broken_promise_is_told_and_keeps_a_release_from_being_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "released" / "incidents.v1.json"
    released = json.loads(path.read_text())
    released["$defs"]["Incident"]["properties"]["colour"] = {"type": "string"}
    path.write_text(json.dumps(released))
    assert __main__.main(["check"]) == 1
    assert "incidents.v1: colour: field removed: or renamed; this needs a new version" in capsys.readouterr().err
    assert __main__.main(["release"]) == 1
    assert json.loads(path.read_text()) == released


def test_a_release_keeps_the_contracts_and_the_older_versions(folder: Path) -> None:
    shutil.rmtree(folder / "released")
    (folder / "released").mkdir()
    (folder / "released" / "runs.v0.json").write_text("{}")
    assert __main__.main(["release"]) == 0
    assert files.read(folder / "released").keys() == {contract.name for contract in CONTRACTS} | {"runs.v0"}


@pytest.mark.parametrize("arguments", [[], ["wirte"], ["check", "more"]])
def test_what_is_none_of_its_commands_is_answered_with_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(arguments) == 2
    assert "usage" in capsys.readouterr().err
