"""`runledger tail`: events as they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

import typer
from rich.text import Text

from runledger.cli.connecting import find_broker
from runledger.cli.event_lines import NAMES, Kind, RunAgents, event_document, event_line
from runledger.cli.options import AnyProject, DataDir, moment_of, run_prefix
from runledger.cli.screen import Screen
from runledger.cli.terminal import print_json_line
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.settings import ConnectionSettings
from runledger.stack.health import KafkaView
from runledger.subscribers import Received, Subscription, subscribe

EXIT_INTERRUPTED = 130
_SILENT_SECONDS = 10.0
Start: TypeAlias = Literal["beginning", "latest"] | datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """Which events; empty for any.

    Args:
        agents: of runs of these.
        run: of runs whose ids, without dashes, begin so.
        types: of these types.
    """

    agents: frozenset[str] = frozenset()
    run: str = ""
    types: frozenset[str] = frozenset()

    def takes(self, event: AnyRunEvent, agent_id: str | None) -> bool:
        """Tell whether an event is meant."""
        return (
            (not self.agents or agent_id in self.agents)
            and event.run_id.hex.startswith(self.run)
            and (not self.types or event.type in self.types)
        )


def tail_command(
    agent: Annotated[
        list[str] | None, typer.Option(metavar="AGENT", help="Only of runs of this agent; may be given again.")
    ] = None,
    *,
    run: Annotated[
        str | None, typer.Option(parser=run_prefix, metavar="RUN", help="Only of runs whose ids begin so.")
    ] = None,
    type_: Annotated[
        list[Kind] | None, typer.Option("--type", metavar="TYPE", help=f"Only {', '.join(Kind)}; may be given again.")
    ] = None,
    project: AnyProject = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Begin there: 2026-03-01T12:00Z, or 2h for ago.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Go on when all that is there was shown.")
    ] = True,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many events.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show events as they come from the log: a line each, read committed. Ctrl-C ends it.

    Most events do not name their agent; --agent takes those of runs that an event read so far gave to it.

    Exit code: 0 all was shown (--no-follow, --limit), 130 it was ended by Ctrl-C.

    Examples:
        runledger tail                                    # what happens from now on
        runledger tail --type failure --type timed-out    # only what goes wrong
        runledger tail --agent sage --since 2h            # of one agent, of late
        runledger tail --since 1d --no-follow --json      # a day's events for a program
    """
    connection = find_broker(data_dir)
    since_at = None if since is None else moment_of(since)
    choice = Choice(frozenset(agent or ()), run or "", frozenset(NAMES[kind] for kind in type_ or ()))
    with _events(connection, project, since_at, follow=follow) as events:
        try:
            _show(_awaited(events, connection, follow=follow), choice, limit=limit, as_json=as_json)
        except KeyboardInterrupt:
            raise typer.Exit(EXIT_INTERRUPTED) from None
        finally:
            _tell_skipped(events)


def _events(
    connection: ConnectionSettings, project: str | None, since: datetime | None, *, follow: bool
) -> Subscription[AnyRunEvent]:
    start: Start = since or ("latest" if follow else "beginning")
    return subscribe("run-events", settings=connection, project=project, start=start, stop_at_end=not follow)


def _awaited(
    events: Subscription[AnyRunEvent], connection: ConnectionSettings, *, follow: bool
) -> Iterator[Received[AnyRunEvent]]:
    """Give events; while none comes for long, say on stderr whether the broker is still there."""
    if not follow:
        yield from events
        return
    remarks, view, away = Screen(stderr=True), KafkaView(connection), False
    if remarks.is_terminal:
        remarks.print(Text("Waiting for events; Ctrl-C ends it", style="dim"))
    while True:
        received = events.poll(_SILENT_SECONDS)
        if received is not None:
            away = False
            yield received
        elif away == view.answers():
            away = not away
            words = "no broker answers" if away else "the broker answers again"
            remarks.print(Text(f"runledger: {words} at {connection.kafka}", style="yellow" if away else "green"))


def _show(events: Iterator[Received[AnyRunEvent]], choice: Choice, *, limit: int | None, as_json: bool) -> None:
    screen, agents, left = Screen(), RunAgents(), limit
    for received in events:
        agent_id = agents.of(received.value)
        if not choice.takes(received.value, agent_id):
            continue
        if as_json:
            print_json_line(event_document(received, agent_id))
        else:
            screen.print(event_line(received, agent_id, datetime.now(UTC).date()), soft_wrap=not screen.is_terminal)
        if left is not None and (left := left - 1) == 0:
            return


def _tell_skipped(events: Subscription[AnyRunEvent]) -> None:
    if events.skipped:
        what = "1 record was no event" if events.skipped == 1 else f"{events.skipped:,} records were no events"
        Screen(stderr=True).print(f"{what} and left out: `runledger dlq list` shows what the ledger refused")
