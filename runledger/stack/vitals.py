"""Where the stack's workers tell how they do: a loopback port for each, remembered, and what they say there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from runledger.stack.errors import StackError, explained_disk_errors
from runledger.stack.files import write_privately
from runledger.stack.ports import LOOPBACK, choose_port, is_free
from runledger.stack.service import Service

_ANSWER_SECONDS = 6.0
"""A worker asks broker and database before it answers, each for two seconds at most."""
_MOST_BYTES = 64 * 1024


def settle_vitals_ports(path: Path, names: Iterable[str], taken: Iterable[int] = ()) -> dict[str, int]:
    """Give each worker its port: the remembered one where it is free, for whoever collects metrics, else a new one.

    Args:
        path: where they are remembered.
        names: of the workers.
        taken: ports that others of the stack will listen on.

    Raises:
        StackError: the file is not what we wrote.
        PortTakenError: no port is free.
    """
    known = _remembered(path)
    ports: dict[str, int] = {}
    used = set(taken)
    for name in names:
        port = known.get(name)
        if port is None or port in used or not is_free(port):
            port = choose_port(used | set(known.values()))
        ports[name] = port
        used.add(port)
    if not ports.items() <= known.items():
        with explained_disk_errors(path.parent):
            write_privately(path, json.dumps(known | ports))
    return ports


def _remembered(path: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError) as error:
        raise StackError(f"{path} is damaged; remove it, and new ports are chosen at the next start") from error


def with_vitals(services: Sequence[Service], ports: dict[str, int]) -> list[Service]:
    """Have each worker tell how it does on its port, and be asked there; the dashboard shows what all of them say."""
    known = ",".join(f"{name}={LOOPBACK}:{port}" for name, port in ports.items())
    return [
        replace(
            service,
            env={
                **service.env,
                "RUNLEDGER_METRICS_HOST": LOOPBACK,
                "RUNLEDGER_METRICS_PORT": str(ports[service.name]),
                **({"RUNLEDGER_DASHBOARD_WORKERS": known} if service.name == "dashboard" else {}),
            },
            vitals=f"http://{LOOPBACK}:{ports[service.name]}",
            unwell=partial(why_unwell, LOOPBACK, ports[service.name]),
        )
        for service in services
    ]


def why_unwell(host: str, port: int) -> str | None:
    """Ask a worker how it does; None where it does well, else what is wrong, in one line."""
    connection = HTTPConnection(host, port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        if answer.status == HTTPStatus.OK:
            return None
        problems = json.loads(answer.read(_MOST_BYTES))["problems"]
        return "; ".join(f"{it['problem']}: {it['detail']}, since {it['since'][:19]}Z" for it in problems)
    except (OSError, HTTPException):
        return "no answer"
    except (ValueError, KeyError, TypeError):
        return f"something else answers on port {port}"
    finally:
        connection.close()
