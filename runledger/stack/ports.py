"""Loopback ports: chosen free at the first start, then remembered so that clients find the stack again."""

from __future__ import annotations

import json
import socket
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from random import SystemRandom

from runledger.stack.errors import PortTakenError, StackError, explained_disk_errors
from runledger.stack.files import write_privately

LOOPBACK = "127.0.0.1"
# Below the range from which kernels take the local end of outgoing connections (32768 on Linux, 49152 elsewhere), so
# that no connection sits on a remembered port at the next start.
_LOWEST, _HIGHEST = 20_000, 32_000
_TRIES = 200
_FIRST = frozenset({"kafka", "controller", "postgres"})
"""What every version of the file holds."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one stack."""

    kafka: int
    controller: int
    postgres: int
    http: int
    mcp: int
    api: int
    dashboard: int


def is_free(port: int) -> bool:
    """Tell whether `port` can be listened on at the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections of an earlier start that linger in TIME_WAIT are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_port(taken: Collection[int] = ()) -> int:
    """Pick a free port at random, none of `taken`.

    Raises:
        PortTakenError: none of many tries was free.
    """
    for port in SystemRandom().sample(range(_LOWEST, _HIGHEST), _TRIES):
        if port not in taken and is_free(port):
            return port
    raise PortTakenError(f"no free port found between {_LOWEST} and {_HIGHEST} on {LOOPBACK}; stop some servers")


def remembered_ports(path: Path) -> dict[str, int] | None:
    """Read the ports chosen earlier, by the names of `Ports`; None before the first start.

    A stack that an earlier version started has none for what came later.

    Raises:
        StackError: the file is not what we wrote.
    """
    try:
        stored = json.loads(path.read_bytes())
        known = _FIRST | {field.name for field in fields(Ports) if field.name in stored}
        return {name: int(stored[name]) for name in known}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StackError(f"{path} is damaged; remove it, and new ports are chosen at the next start") from error


def settle_ports(path: Path) -> Ports:
    """Give the remembered ports; choose and remember what is missing."""
    known = remembered_ports(path) or {}
    missing = [field.name for field in fields(Ports) if field.name not in known]
    for name in missing:
        known[name] = choose_port(known.values())
    ports = Ports(**known)
    if missing:
        with explained_disk_errors(path.parent):
            write_privately(path, json.dumps(asdict(ports)))
    return ports


def require_free(port: int, server: str, path: Path) -> None:
    """Refuse to start `server` on a port that somebody else listens on.

    Raises:
        PortTakenError: the port is in use; `path`, where it is remembered, is named for the remedy.
    """
    if not is_free(port):
        raise PortTakenError(
            f"port {port}, which {server} used before, is taken by another program; "
            f"stop that program, or remove {path} to have new ports chosen"
        )
