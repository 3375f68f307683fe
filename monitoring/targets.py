"""Turn what `runledger status --json` prints into Prometheus's list of targets.

    runledger status --json | python3 targets.py > targets.json

Ports stay from one start of the stack to the next; run it again after `runledger up --processors N`.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import urlsplit


def targets(status: dict[str, Any]) -> list[dict[str, Any]]:
    """List the addresses of all workers' listeners, in the form of Prometheus's file_sd_configs."""
    listeners = [service["vitals"] for service in status.get("services", []) if service.get("vitals")]
    return [{"targets": [urlsplit(listener).netloc for listener in listeners]}]


def main() -> None:
    """Read the status from stdin, print the targets."""
    found = targets(json.load(sys.stdin))
    if not found[0]["targets"]:
        sys.exit("no worker of a local stack has a listener; is it running? (runledger up)")
    json.dump(found, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
