"""Apply mutants one at a time to copies of the packages, and see which of them the processors' unit tests notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

from tests.mutants.mutants import Mutant

Fate: TypeAlias = Literal["killed", "survived", "timed out"]

ROOT = Path(__file__).parents[2]
TESTS = "tests/unit/processors"
LAWS = f"{TESTS}/laws"
TIMEOUT_SECONDS = 300
NEAR: dict[str, tuple[str, ...]] = {
    "ledger": ("ledger", "deadlines", "outcomes"),
    "outcomes": ("outcomes", "ledger", "deadlines"),
    "incidents": ("incidents", "streaks"),
    "streaks": ("streaks", "incidents"),
    "state": ("state", "run_stage", "bounds"),
    "fold": ("fold",),
    "timers": ("timers", "state", "run_stage"),
    "silence": ("silence", "ledger"),
}
"""{module: whose tests are tried first}; a module's own alone if it does not stand here."""
_IGNORED = shutil.ignore_patterns("__pycache__", ".hypothesis", "*.so")


class BrokenSetupError(Exception):
    """The tests fail without any mutant, or run on other code than the copy."""


@dataclass(frozen=True)
class Result:
    """What became of a mutant; the tests that noticed it, or that took too long, count alike."""

    mutant: Mutant
    fate: Fate
    seconds: float
    noticed_by: str = ""


def packages() -> list[str]:
    """Top-level folders that are linked into runledger/."""
    return sorted(path.name for path in (ROOT / "runledger").iterdir() if path.is_symlink())


def copy(target: Path) -> None:
    """Copy what the unit tests of the processors import, and the pages whose stories they fold."""
    for name in [*packages(), "runledger", "tests", "docs"]:
        shutil.copytree(ROOT / name, target / name, symlinks=True, ignore=_IGNORED)
    shutil.copy(ROOT / "pyproject.toml", target)


def mutate(text: str, mutant: Mutant) -> str:
    """Return the file's text with the mutant in it.

    Raises:
        ValueError: the original text does not occur exactly once.
    """
    count = text.count(mutant.original)
    if count != 1:
        raise ValueError(f"{mutant.module}: {mutant.original!r} occurs {count} times")
    return text.replace(mutant.original, mutant.replacement)


@contextmanager
def mutated(copied: Path, mutant: Mutant) -> Iterator[None]:
    """Hold a mutant in a copy's file."""
    path = copied / "processors" / f"{mutant.module}.py"
    text = path.read_text()
    path.write_text(mutate(text, mutant))
    try:
        yield
    finally:
        path.write_text(text)


def run_tests(copied: Path, *chosen: str) -> subprocess.CompletedProcess[str]:
    """Run some tests in a copy.

    Raises:
        subprocess.TimeoutExpired: they did not end.
    """
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "RUNLEDGER_LAWS_PROFILE": "laws-mutants"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", *chosen],
        cwd=copied,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def run_until_noticed(copied: Path, module: str) -> subprocess.CompletedProcess[str]:
    """Run a module's own tests, then the laws, then all the others: most mutants are noticed at once.

    Raises:
        subprocess.TimeoutExpired: they did not end.
    """
    near = [f"{TESTS}/test_{name}.py" for name in NEAR.get(module, (module,))]
    near = [name for name in near if (copied / name).exists()]
    rest = [TESTS, f"--ignore={LAWS}", *(f"--ignore={name}" for name in near)]
    tried = run_tests(copied, *near) if near else None
    for chosen in ([LAWS], rest):
        if tried is None or not tried.returncode:
            tried = run_tests(copied, *chosen)
    assert tried is not None
    return tried


def check_setup(copied: Path) -> None:
    """Make sure that a copy's tests pass, on the copy's code.

    Raises:
        BrokenSetupError: they do not.
    """
    whose = [sys.executable, "-c", "import runledger.processors as found; print(found.__file__)"]
    found = subprocess.run(whose, cwd=copied, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(found).resolve().is_relative_to(copied.resolve()):
        raise BrokenSetupError(f"the tests would run on {found}")
    tried = run_tests(copied, TESTS)
    if tried.returncode:
        raise BrokenSetupError(f"the tests fail without any mutant:\n{tried.stdout[-2000:]}")


def try_mutant(copied: Path, mutant: Mutant) -> Result:
    """See what becomes of one mutant."""
    began = time.monotonic()
    with mutated(copied, mutant):
        try:
            tried = run_until_noticed(copied, mutant.module)
        except subprocess.TimeoutExpired:
            return Result(mutant, "timed out", time.monotonic() - began)
    seconds = time.monotonic() - began
    failed = [line.split(" ")[1] for line in tried.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    fate: Fate = "killed" if tried.returncode else "survived"
    return Result(mutant, fate, seconds, failed[0].removeprefix(f"{TESTS}/") if failed else "")


def run(mutants: Sequence[Mutant], parallel: int) -> Iterator[Result]:
    """Try mutants, so many at a time, each in a copy of its own; give the results in the order of the mutants.

    Raises:
        BrokenSetupError: the tests fail without any mutant.
    """
    with TemporaryDirectory(prefix="runledger-mutants-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(parallel):
            copy(Path(folder) / str(number))
            copies.put(Path(folder) / str(number))
        check_setup(Path(folder) / "0")

        def try_somewhere(mutant: Mutant) -> Result:
            copied = copies.get()
            try:
                return try_mutant(copied, mutant)
            finally:
                copies.put(copied)

        with ThreadPoolExecutor(parallel) as pool:
            yield from pool.map(try_somewhere, mutants)
