"""docs/benchmarks.md: the results for people, and how they were measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HEAD = """\
# Benchmarks

<!-- Written by `python -m benchmarks`; what you change here goes with the next run. -->

Each claim is a ratio measured in one run: ours and the peers take turns on the same machine, the same broker, the same
topic and the same events, and the medians of the rounds are compared. Every contestant's sums are checked against the
generator's; a wrong sum, ours or a peer's, fails the benchmark. Ratios say how many times better ours is, whatever the
unit; above 1 is better. Only ratios carry over to another machine.

"""

_HOW = """\
## How it was measured

- **Servers**: one Apache Kafka node (KRaft, 512 MiB heap, its default of writing back without an fsync for each record)
  and one PostgreSQL 18 (fsync and synchronous_commit on, otherwise its defaults), the embedded stack that
  `runledger up` starts; loopback only.
- **Events**: CloudEvents in JSON as the SDK writes them, four partitions, all runs open at once and taking turns: a
  start, usage reports, an end. Producers: acks=all, idempotent, lz4.
- **Throughput**: one rule for all. The clock starts when any stage of a contestant is a tenth through the log, counts
  the events that no stage had done by then, and stops when every stage has done all: a first stage that runs ahead of
  the last one gains nothing. Looked at twenty times a second, by what is durable: committed group offsets (ours, Quix
  Streams, Faust), the recovery store (bytewax), rows in Postgres (whole pipelines). Who shows over a fifth of the
  log between two looks then is measured from the look before.
- **Peers**: their latest releases, from lock files in `benchmarks/requirements/`, in environments of their own; each is
  one small file in `benchmarks/peers/`, written as its documentation recommends, at the fastest settings documented
  for at-least-once with recovery on. Quix Streams commits every thirtieth of the log or second, bytewax keeps a
  snapshot every half second, arroyo upserts the sums of up to 5,000 events or one second. Plain Faust reads a tenth of
  the events. Ours commits each batch in a Kafka transaction, exactly once, and has no other mode.
- **B3**: one process each; the second writes again what the first one wrote.
- **B4**: the sink reads topics made by the reducers; COPY writes the rows it wrote into tables with the same columns,
  keys and indexes, one statement for each table. The sink also keeps figures by quarter of an hour and asks for
  erasures; COPY does not.
- **B6**: a steady pace by runs that begin and end all the time, as many in each second; every twentieth run is a
  probe, and a reader looks at the probes' rows every 4 ms. Quix Streams commits every 50 ms, arroyo upserts every
  50 ms.
- **B9**: 64 kept connections, each post with a key, answered after the broker's acknowledgement; the rate is for each
  second of CPU the gateway's process used, so that the client's own work on the same cores does not count.
- **B10**: resident memory that open runs add to a processor; CPU of each process without its start.

`make bench` repeats it; `make bench-large` adds recovery, ten million rows, tracing back ends and growth.
"""


def write(results: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    """Write the document.

    Args:
        results: as they stand in results.json.
        facts: of the machine.
    """
    return _HEAD + _table(results) + _details(results) + _machine(results, facts) + _HOW


def _table(results: Mapping[str, Any]) -> str:
    lines = ["| | what | ours | peer | ratio | target | met |", "|---|---|---:|---:|---:|---|---|"]
    for name, result in results.items():
        lines += _rows(name, result)
    return "\n".join(lines) + "\n\n"


def _rows(name: str, result: Mapping[str, Any]) -> list[str]:
    ours = _figure(result["ours"], result.get("unit", ""))
    what = f"{name} | {result.get('claim', '')}"
    if result.get("error"):
        return [f"| {what} | - | - | - | - | no: {_cell(result['error'])} |"]
    own = result.get("own_target")
    rows = [f"| {what} | {ours} | | | {_cell(own or '')} | {_met(result['met'])} |"]
    peers = result.get("peers", {})
    for peer, against in peers.items():
        target = f"≥ {against['target']:g}x" if against["target"] is not None else "reported"
        value = _figure(against["value"], "")
        met = _met(against["met"]) if against["target"] is not None else ""
        rows.append(f"| | beside {peer} | | {value} | {against['ratio']:.2f}x | {target} | {met} |")
    return rows


def _details(results: Mapping[str, Any]) -> str:
    shown = {"claim", "unit", "ours", "peer", "ratio", "target", "met", "peer_name", "peers", "own_target", "error"}
    shown |= {"micros_per_event", "topics", "tables"}  # in performance.md and scaling.md
    lines = ["## Further figures", ""]
    for name, result in results.items():
        rounds = {who: values for who, values in result.get("rounds", {}).items() if len(values) > 1}
        extra = {key: value for key, value in result.items() if key not in {*shown, "rounds", "versions", "date"}}
        told = [f"{key.replace('_', ' ')}: {_plain(value)}" for key, value in extra.items()]
        told += [f"rounds of {who}: {_plain(values)}" for who, values in rounds.items()]
        lines.append(f"- **{name}** ({result.get('date', '')}): {'; '.join(told)}")
    return "\n".join(lines) + "\n\n"


def _machine(results: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    lines = ["## Machine and versions", "", *(f"- {name}: {value}" for name, value in facts.items())]
    versions: dict[str, str] = {}
    for result in results.values():
        versions |= result.get("versions", {})
    lines += [f"- {name} {version}" for name, version in sorted(versions.items())]
    return "\n".join(lines) + "\n\n"


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"  # noqa: PLR2004  # as results.json rounds
    return f"{number} {unit}".strip()


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(item) for item in value)
    return _figure(value, "") if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _met(met: object) -> str:
    return "yes" if met else "**no**"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
