"""What we run, and what our own code never does."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from runledger.stack.artifacts import pinned_jars

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PACKAGES = (
    "access",
    "analytics",
    "integrations",
    "processors",
    "producers",
    "schemas",
    "scoring",
    "sinks",
    "subscribers",
)
SOURCES = sorted(
    path
    for folder in (*PACKAGES, "watch", "runledger")
    for path in (ROOT / folder).rglob("*.py")
    if not any(part.is_symlink() for part in path.parents)
)
_PIN = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,_-]+\])?==\S+")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
ALLOWED = {"schemas/twins.py": ["exec"], "runledger/cli/completion.py": ["shell"]}
"""Of the names of our own records' fields, as `dataclasses` does: nothing from outside comes near it. And the name of
the shell for which lines are printed: nothing is run."""
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "os.system",
    "os.popen",
}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_to_a_version_and_to_its_files(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line.split("#", 1)[0].strip() for line in text.splitlines()]
    entries = [entry for entry in entries if entry]
    assert len(entries) > 50
    for entry in entries:
        requirement, *rest = re.split(r"\s+(?=--hash)", entry)
        assert _PIN.match(requirement), requirement
        assert rest, f"{requirement} has no hash"
        assert all(_HASH.fullmatch(one) for one in rest), entry


def test_what_runs_has_the_same_versions_in_both_lock_files() -> None:
    runs, develops = (
        set(re.findall(r"^([a-z0-9._-]+==\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
        for lock in LOCKS
    )
    assert runs <= develops


def test_every_jar_is_pinned_to_its_digest() -> None:
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in pinned_jars().values())


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{_name(node.value)}.{node.attr}"
        case _:
            return ""


def offences(text: str) -> list[str]:
    """Name what a module does that runs data as code."""
    found = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import():
                found += [alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES]
            case ast.ImportFrom() if (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
                found.append(str(node.module))
            case ast.Call() if _name(node.func) in FORBIDDEN_CALLS:
                found.append(_name(node.func))
            case ast.Call() if any(
                word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
                for word in node.keywords
            ):
                found.append("shell")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_runs_data_as_code(path: Path) -> None:
    assert offences(path.read_text(encoding="utf-8")) == ALLOWED.get(path.relative_to(ROOT).as_posix(), [])


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from marshal import loads",
        "x = eval('1')",
        "import yaml; yaml.load(s)",
        "run(c, shell=True)",
        "def f():\n  import shelve",
    ],
    ids=range(6),
)
def test_the_search_finds_what_it_looks_for(text: str) -> None:
    assert len(offences(text)) == 1


def _sbom(folder: Path) -> bytes:
    written = folder / "sbom.json"
    command = [
        "make",
        "--silent",
        "--assume-old=tools",
        f"BIN={Path(sys.executable).parent}",
        f"SBOM={written}",
        "sbom",
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=240)
    return written.read_bytes()


def test_the_bill_of_materials_is_valid_whole_and_reproducible(tmp_path: Path) -> None:
    document = _sbom(tmp_path)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document.decode()) is None
    assert _sbom(tmp_path) == document
    parts = {f"{part['name']}=={part['version']}" for part in json.loads(document)["components"]}
    locked = re.findall(r"^([a-z0-9._-]+==[^\s;]+)", (ROOT / LOCKS[0]).read_text(encoding="utf-8"), re.MULTILINE)
    assert parts == set(locked)


def test_the_audit_says_so_where_nobody_can_be_asked(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text(f"orjson==3.10.0 --hash=sha256:{'0' * 64}\n")
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "tests.audit_dependencies", str(lock)],
        cwd=ROOT,
        env=os.environ | nowhere | {"NO_PROXY": "", "no_proxy": "", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("The packages were not looked at: no answer from the database of flaws")
    assert len(done.stderr.splitlines()) == 1
