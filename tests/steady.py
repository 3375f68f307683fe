"""Run tests side by side; the few that fail are run once more, alone: `python -m tests.steady [pytest's arguments]`.

Tests of processes and time-outs share a machine with as many others as there are workers, and on two cores one may wait
past its bound. What fails alone, too, has failed. What passes alone is named at the end, and in build/unsteady.txt:
somebody has to look at it. Of more than a few failures none is run again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

MOST_AGAIN = 3
_FAILED = 1
"""pytest's exit code where all tests ran and some failed; others tell of an interrupt, or of pytest itself."""
_CACHE = Path("build", "pytest")
_REPORT = Path("build", "unsteady.txt")
_ALONE = Path("build", "alone.xml")


def main(arguments: Sequence[str], *alone: str) -> int:
    """Run pytest; return its exit code, or that of the second run.

    Args:
        arguments: pytest's.
        alone: what the second run is told beside them.
    """
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={_CACHE}", *arguments]
    _REPORT.unlink(missing_ok=True)
    code = subprocess.run([*command, "--cache-clear"], check=False).returncode
    failed = _failed() if code == _FAILED else []
    if not 0 < len(failed) <= MOST_AGAIN:
        return code
    _say(f"{len(failed)} failed beside other tests; once more, alone:")
    _ALONE.unlink(missing_ok=True)
    again = [*command, "--last-failed", f"--junitxml={_ALONE}", *alone]
    code = subprocess.run(again, check=False).returncode
    if code == 0 and _count() != len(failed):
        _say(f"{len(failed) - _count()} of them were not found again, and have failed.")
        return _FAILED
    if code == 0:
        _REPORT.write_text("".join(f"{name}\n" for name in failed))
        _say("UNSTEADY, failed beside other tests and passed alone:", *failed)
    return code


def _count() -> int:
    """How many tests the second run had: pytest may know some of the first run by other names (schemathesis's)."""
    return len(ElementTree.parse(_ALONE).findall(".//testcase"))  # noqa: S314  # written by ourselves


def _say(*lines: str) -> None:
    sys.stdout.write("\n" + "\n  ".join(lines) + "\n")
    sys.stdout.flush()


def _failed() -> list[str]:
    """Names of the tests that failed, as pytest remembers them."""
    try:
        return list(json.loads((_CACHE / "v" / "cache" / "lastfailed").read_bytes()))
    except FileNotFoundError:
        return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], "--numprocesses", "0"))
