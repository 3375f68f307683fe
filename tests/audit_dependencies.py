"""`make audit-dependencies`: ask a public database which known flaws the locked packages have.

It needs the network, so no other target runs it. Exit codes: 0 nothing known, 1 something is, 2 nobody could be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_LOCK = Path(__file__).parent.parent / "requirements.lock"
_OPTIONS = ("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15")
FLAWED, NOT_ASKED = 1, 2


def audit(lock: Path) -> int:
    """Print what is known about the packages of a lock file; return the exit code."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), *_OPTIONS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        sys.stderr.write(f"The packages were not looked at: no answer from the database of flaws ({last[:200]}).\n")
        return NOT_ASKED
    unknown = [package for package in packages if "skip_reason" in package]
    flaws = [(package, flaw) for package in packages for flaw in package.get("vulns", ())]
    for package, flaw in flaws:
        repaired = ", ".join(flaw["fix_versions"]) or "no version yet"
        sys.stdout.write(f"{package['name']} {package['version']}: {flaw['id']}, repaired in {repaired}\n")
    for package in unknown:
        sys.stdout.write(f"{package['name']}: not looked at ({package['skip_reason']})\n")
    sys.stdout.write(f"{len(flaws)} known flaws in {len(packages) - len(unknown)} packages of {lock.name}\n")
    return FLAWED if flaws else 0


if __name__ == "__main__":
    sys.exit(audit(Path(sys.argv[1]) if len(sys.argv) > 1 else _LOCK))
