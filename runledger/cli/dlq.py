"""`runledger dlq`: dead letters listed, shown, replayed and dropped."""

from __future__ import annotations

import getpass
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import typer

from runledger.cli.connecting import find_broker
from runledger.cli.dlq_options import Dealing, Filters, selection_of
from runledger.cli.option_groups import grouped
from runledger.cli.options import DataDir, Json
from runledger.cli.progress import Steps
from runledger.cli.screen import Screen
from runledger.cli.tables import Column, FittingTable
from runledger.cli.terminal import print_json
from runledger.dlq.dealing import Report, deal, preview
from runledger.dlq.errors import DeadLetterError, NoLetterError
from runledger.dlq.letters import Box, Letter, Selection, State
from runledger.dlq.reading import opened
from runledger.dlq.rendering import header_line, safe, safe_text
from runledger.schemas.dead_letter_marks import Deed
from runledger.schemas.dead_letters import REASONS, original_headers
from runledger.schemas.settings import ConnectionSettings

app = typer.Typer(
    help="Dead letters: records that a reader refused. For operators: they may hold any project's data.",
    no_args_is_help=True,
)

EXIT_LEFT = 3
"""Some of what was meant cannot be sent again."""
_LISTED_LEFT = 20
_Shown: TypeAlias = Literal["waiting", "replayed", "dropped", "all"]


@app.command("list")
@grouped
def list_command(
    filters: Filters,
    *,
    state: Annotated[_Shown, typer.Option(help="Only those in this state.")] = "waiting",
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="At most so many, the latest.")] = 50,
    skip: Annotated[int, typer.Option(min=0, help="Leave out so many before them: the next page.")] = 0,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List dead letters, the latest first, with their number for each topic and reason.

    Examples:
        runledger dlq list
        runledger dlq list --reason unknown_type --since 2h
    """
    connection = find_broker(data_dir)
    states: frozenset[State] = frozenset(get_args(State)) if state == "all" else frozenset({state})
    box = _read(connection, selection_of(connection, filters, states))
    chosen = box.chosen()
    page = chosen[skip : skip + limit]
    counts = Counter((letter.letter_id.topic, letter.reason, box.state_of(letter)) for letter in box.all())
    if as_json:
        print_json(
            {
                "letters": [_document(letter, box) for letter in page],
                "matching": len(chosen),
                "counts": [
                    {"topic": where, "reason": why, "state": stands, "count": count}
                    for (where, why, stands), count in sorted(counts.items())
                ],
                "not_understood": box.strange,
            }
        )
        return
    console = Screen()
    console.print(_letters_table(page, box) if page else "No dead letters are there that fit.")
    if counts:
        console.print(_counts_table(counts))
    if len(chosen) > skip + len(page):
        Screen(stderr=True).print(f"{len(page)} of {len(chosen)}; the next: --skip {skip + len(page)}")


@app.command("show")
def show_command(
    place: Annotated[str, typer.Argument(help="TOPIC/PARTITION/OFFSET, as `list` shows it.")],
    *,
    payload: Annotated[bool, typer.Option(help="Show key, headers and value too: they may hold secrets.")] = False,
    raw: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the value's bytes to a new file.", show_default=False)
    ] = None,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show one dead letter: what it was, who refused it, when and why.

    Examples:
        runledger dlq show run-events/0/42
        runledger dlq show run-events/0/42 --payload
    """
    connection = find_broker(data_dir)
    selection = selection_of(connection, Filters(places=[place]), frozenset(get_args(State)))
    with opened(connection) as reader:
        box = reader.read(selection)
        found = list(reader.whole(box.chosen()))
    if not found:
        raise NoLetterError(f"no dead letter stands for {place}; `runledger dlq list --state all` shows those known")
    if as_json:
        print_json({"letters": [_document(letter, box) for letter, *_ in found]})
    for letter, headers, key, value in found:
        if not as_json:
            for name, text in _facts(letter, box):
                typer.echo(f"{name:<14}{text}")
            for name, content in original_headers(headers):
                typer.echo(f"{'header':<14}{header_line(name, content, payload=payload)}")
            if payload:
                typer.echo(f"{'key':<14}{safe(key)}\n{'value':<14}{safe(value)}")
        if raw is not None:
            _write_new(raw, value or b"")


@app.command("replay")
@grouped
def replay_command(filters: Filters, dealing: Dealing) -> None:
    """Send refused records to their topics again, each once for ever: for a reader that now takes them.

    Exit code: 0 all of them, 3 some are left.

    Examples:
        runledger dlq replay run-events/0/42
        runledger dlq replay --reason unknown_type --since 2h
        runledger dlq replay --all --dry-run    # what would be sent
    """
    _deal(filters, dealing, "replayed")


@app.command("drop")
@grouped
def drop_command(filters: Filters, dealing: Dealing) -> None:
    """Mark dead letters as dealt with. They stay in the topic until its retention, but are not replayed any more.

    Exit code: 0 all of them, 3 some are left.

    Examples:
        runledger dlq drop run-events/0/42
        runledger dlq drop --reason not_json --yes
    """
    _deal(filters, dealing, "dropped")


def _read(connection: ConnectionSettings, selection: Selection) -> Box:
    with opened(connection) as reader, Steps().counting("Reading dead letters") as progress:
        return reader.read(selection, progress)


def _deal(filters: Filters, dealing: Dealing, deed: Deed) -> None:
    connection = find_broker(dealing.data_dir)
    if filters.are_given() == dealing.everything:
        raise typer.BadParameter("say which dead letters: their places, --topic, --reason, --since, --until, or --all")
    selection = selection_of(connection, filters, frozenset({"waiting"}))
    if dealing.dry_run:
        _tell(preview(connection, selection, deed), f"would be {deed}", as_json=dealing.as_json)
        return
    if not dealing.yes:
        expected = preview(connection, selection, deed)
        if not expected.done:
            _tell(expected, deed, as_json=dealing.as_json)
            return
        verb = "Replay" if deed == "replayed" else "Drop"
        left = f" ({len(expected.left):,} cannot be)" if expected.left else ""
        typer.confirm(f"{verb} {expected.done:,} dead letters{left}?", abort=True, err=True)
    with Steps().counting(f"Dead letters {deed}") as progress:
        report = deal(connection, selection, deed, _own_name(), progress=progress)
    _tell(report, deed, as_json=dealing.as_json)


def _tell(report: Report, done: str, *, as_json: bool) -> None:
    """Say what was done; end with a code of its own where something is left."""
    if as_json:
        left = [{"letter": str(letter.letter_id), "why": why} for letter, why in report.left]
        print_json({"done": report.done, "dealt_with_before": report.before, "left": left})
    else:
        typer.echo(f"{report.done:,} {done}, {report.before:,} were dealt with before, {len(report.left):,} left")
        for letter, why in report.left[:_LISTED_LEFT]:
            typer.echo(f"left: {safe_text(str(letter.letter_id))}: {safe_text(why)}", err=True)
        if len(report.left) > _LISTED_LEFT:
            typer.echo(f"… and {len(report.left) - _LISTED_LEFT:,} more; --json shows them all", err=True)
    if report.left:
        raise typer.Exit(EXIT_LEFT)


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process whose user has no name
        return str(os.getuid())


def _write_new(path: Path, content: bytes) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        raise DeadLetterError(f"{path} cannot be written: {error.strerror}") from error


def _document(letter: Letter, box: Box) -> dict[str, object]:
    where, mark = letter.letter_id, box.mark_of(letter)
    return {
        "letter": str(where),
        "topic": where.topic,
        "partition": where.partition,
        "offset": where.offset,
        "logged_at": _moment(where.logged_at_ms),
        "reason": letter.reason,
        "detail": letter.detail,
        "reader": letter.reader,
        "reader_version": letter.reader_version,
        "refused_at": letter.refused_at,
        "key_bytes": letter.key_bytes,
        "value_bytes": letter.value_bytes,
        "is_whole": letter.is_whole,
        "replay_of": None if letter.replay_of is None else str(letter.replay_of.letter),
        "state": box.state_of(letter),
        "dealt_with_by": None if mark is None else mark.by,
    }


def _moment(milliseconds: int) -> datetime | None:
    return None if milliseconds < 0 else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _facts(letter: Letter, box: Box) -> list[tuple[str, str]]:
    meaning = next((text for reason, text in REASONS.items() if reason == letter.reason), "unknown to this version")
    mark = box.mark_of(letter)
    facts = [
        ("letter", safe_text(str(letter.letter_id))),
        ("state", box.state_of(letter) + (f" by {safe_text(mark.by, 100)}" if mark else "")),
        ("reason", f"{safe_text(letter.reason)} ({meaning})"),
        ("detail", safe_text(letter.detail)),
        ("refused by", f"{safe_text(letter.reader)} {safe_text(letter.reader_version)}"),
        ("refused at", f"{letter.refused_at:%Y-%m-%d %H:%M:%S}Z"),
        ("logged at", str(_moment(letter.letter_id.logged_at_ms) or "unknown")),
        ("size", f"key {_size(letter.key_bytes)}, value {_size(letter.value_bytes)}"),
    ]
    if not letter.is_whole:
        facts.append(("cut", "it was too large to be kept whole"))
    if letter.replay_of is not None:
        facts.append(("replay of", safe_text(str(letter.replay_of.letter))))
    return facts


def _size(size: int | None) -> str:
    return "none" if size is None else f"{size:,} bytes"


def _letters_table(letters: list[Letter], box: Box) -> FittingTable:
    table = FittingTable(
        Column("letter", gives="fold"),
        Column("refused", leaves=2),
        Column("reason"),
        Column("by", leaves=3),
        Column("bytes", right=True, leaves=4),
        Column("state"),
        Column("detail", gives="fold", leaves=1),
    )
    for letter in letters:
        table.add(
            safe_text(str(letter.letter_id)),
            f"{letter.refused_at:%Y-%m-%d %H:%M:%S}",
            safe_text(letter.reason, 40),
            safe_text(letter.reader, 40),
            "-" if letter.value_bytes is None else f"{letter.value_bytes:,}",
            box.state_of(letter),
            safe_text(letter.detail, 120),
        )
    return table


def _counts_table(counts: Counter[tuple[str, str, State]]) -> FittingTable:
    table = FittingTable(Column("topic", gives="fold"), Column("reason"), Column("state"), Column("count", right=True))
    for (topic, reason, state), count in sorted(counts.items()):
        table.add(safe_text(topic), safe_text(reason, 40), state, f"{count:,}")
    return table
