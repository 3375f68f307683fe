"""Judge this machine: variables, packages, limits, the local stack and its doors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from difflib import get_close_matches

from runledger.doctor.findings import Finding, count, ok, problem, some, warning
from runledger.doctor.machine_facts import Disk, Door, Environment, Packages, Servers, Service
from runledger.schemas.topics import DEFAULT_PARTITIONS
from runledger.stack.paths import MIN_FREE_BYTES

_GIB = 1024**3
_ROOMY = 2 * _GIB
_OPEN_FILES = 256
_FILES_OF_A_STORE = 12
"""Measured with one broker: a processor had 62 open with 4 partitions, 8 stores, and 325 with 16, 32 stores."""


def judge_servers(servers: Servers) -> Iterator[Finding]:
    """It is known which broker and database are meant."""
    if servers.trouble:
        yield problem(
            f"the local stack's state cannot be read: {servers.trouble}", "do what it says, or name --data-dir"
        )
    if servers.missing:
        where = f"no local stack runs on {servers.folder}"
        yield problem(
            f"{where}, and {' and '.join(servers.missing)} {'are' if len(servers.missing) > 1 else 'is'} not set",
            "start a local stack, or set the variables to servers of your own",
            "runledger up",
        )
    elif servers.connection is not None and not servers.trouble:
        yield ok("the local stack's" if servers.local else "named by the environment")


def judge_settings(environment: Environment) -> Iterator[Finding]:
    """Every kind of process can read its settings."""
    by_words: dict[str, list[str]] = {}
    for process, words in environment.refused:
        by_words.setdefault(words, []).append(process)
    for words, processes in by_words.items():
        whom = "no process starts" if len(processes) > 1 else f"the {processes[0]} does not start"
        variable = words.split(":")[0].split(" ")[0]
        command = f"unset {variable}" if variable.startswith("RUNLEDGER_") else ""
        yield problem(f"{words} ({whom})", "set the variable to what it takes, or unset it for its default", command)
    level = environment.log_level
    if level is not None and level.upper() not in logging.getLevelNamesMapping():
        yield warning(
            f"RUNLEDGER_LOG_LEVEL is {level[:40]!r}, which is no level: INFO is taken",
            "set it to DEBUG, INFO, WARNING or ERROR",
            "export RUNLEDGER_LOG_LEVEL=INFO",
        )
    if not environment.refused:
        yield ok("every kind of process can read its settings")


def judge_variables(environment: Environment) -> Iterator[Finding]:
    """No variable is misspelt: one that nobody reads changes nothing, and nobody says so."""
    strange = [name for name in environment.names if name.upper() not in environment.known]
    for name in strange:
        near = get_close_matches(name.upper(), sorted(environment.known), n=1, cutoff=0.8)
        meant = f"did you mean {near[0]}?" if near else "see docs/operations.md for those there are"
        yield warning(f"nothing reads {name}", f"{meant} Else unset it.", f"unset {name}")
    if not strange:
        yield ok(f"{count(len(environment.names), 'variable')} set, each of them known")


def judge_switches(environment: Environment) -> Iterator[Finding]:
    """The switches by which tests break what Runledger promises are off."""
    if environment.unsafe:
        names = " ".join(one.split("=")[0] for one in environment.unsafe)
        yield problem(
            f"{', '.join(environment.unsafe)}: meant for tests, they break exactness",
            "unset them, and start every process again that has them",
            f"unset {names}",
        )
    else:
        yield ok("no protection is switched off")


def judge_packages(packages: Packages) -> Iterator[Finding]:
    """What the settings ask for is installed."""
    for reason, package, command in packages.missing:
        yield problem(f"{reason} needs {package}, which is not installed", f"install {package}", command)
    if not packages.missing:
        yield ok(packages.summary)


def needed_files(partitions: int) -> int:
    """How many files a processor that owns every partition may have open."""
    return _OPEN_FILES + 2 * partitions * _FILES_OF_A_STORE


def judge_open_files(limit: int, servers: Servers) -> Iterator[Finding]:
    """A process may open as many files as its connections take."""
    partitions = servers.connection.partitions if servers.connection is not None else DEFAULT_PARTITIONS
    needed = needed_files(partitions)
    if 0 <= limit < needed:
        yield problem(
            f"a process may open {limit:,} files; a processor with {count(partitions, 'partition')} may need "
            f"{needed:,}",
            "raise the limit where the workers start (systemd: LimitNOFILE=65536)",
            "ulimit -n 65536",
        )
    else:
        yield ok(f"{'any number' if limit < 0 else f'{limit:,}'} may be open, up to {needed:,} are needed")


def judge_disk(disk: Disk | None) -> Iterator[Finding]:
    """There is room where the local stack keeps its data."""
    if disk is None:
        return
    free = f"{disk.free_bytes / _GIB:.1f} GiB of {disk.total_bytes / _GIB:.0f} GiB are free at {disk.path}"
    remedy = "free some space, or move the folder to a larger disk (--data-dir)"
    if disk.free_bytes < MIN_FREE_BYTES:
        yield problem(f"{free}: Kafka and Postgres stop when it is full", remedy)
    elif disk.free_bytes < _ROOMY:
        yield warning(free, remedy)
    else:
        yield ok(free)


def judge_services(services: tuple[Service, ...] | None) -> Iterator[Finding]:
    """Every process of the local stack runs and answers."""
    if services is None:
        return
    ill = [one for one in services if one.health != "healthy"]
    for one in ill:
        last = "" if one.last_exit is None else f", it ended with {one.last_exit} before"
        yield (warning if one.health == "starting" else problem)(
            f"{one.name} is {one.health.replace('_', ' ')}{last} ({count(one.restarts, 'restart')})",
            f"see its log, {one.log}",
            f"tail -n 20 {one.log}",
        )
    restless = [f"{one.name} ({one.restarts})" for one in services if one.health == "healthy" and one.restarts > 2]  # noqa: PLR2004  # a stack survives a broker's restart with one or two
    if restless:
        yield warning(f"started again more than twice: {some(restless)}", "see why in their logs: `runledger status`")
    if not ill and not restless:
        yield ok(f"all {len(services)} processes are healthy")


def judge_doors(doors: tuple[Door, ...]) -> Iterator[Finding]:
    """The gateway, the MCP server and the read API answer where they are said to."""
    for one in doors:
        if not one.answers:
            yield problem(
                f"the {one.name} does not answer at {one.url}",
                f"start `runledger worker {one.name}`, or correct the address",
                f"runledger worker {one.name}",
            )
    if doors and all(one.answers for one in doors):
        yield ok(f"{some([one.name for one in doors])} {'answer' if len(doors) > 1 else 'answers'}")
