"""A command with a group of options is, on the command line, the command with each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from runledger.cli.option_groups import grouped


@dataclass(frozen=True, slots=True)
class Asked:
    places: Annotated[list[str] | None, typer.Argument(help="Only these.", show_default=False)] = None
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
    wait: Annotated[float, typer.Option(min=0, help="Seconds.")] = 60


def told(command: str, *, of: typer.Typer) -> str:
    result = CliRunner().invoke(of, command.split())
    assert result.exit_code in {0, 2}, result.output
    return result.output


def flat_and_grouped() -> tuple[typer.Typer, typer.Typer]:
    flat, by_group = typer.Typer(), typer.Typer()

    @flat.command()
    def first(
        places: Annotated[list[str] | None, typer.Argument(help="Only these.", show_default=False)] = None,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        wait: Annotated[float, typer.Option(min=0, help="Seconds.")] = 60,
        limit: Annotated[int, typer.Option(help="At most.")] = 5,
    ) -> None:
        """Do it."""
        typer.echo(f"{Asked(places, yes, wait)} {limit}")

    @by_group.command("first")
    @grouped
    def second(asked: Asked, *, limit: Annotated[int, typer.Option(help="At most.")] = 5) -> None:
        """Do it."""
        typer.echo(f"{asked} {limit}")

    return flat, by_group


def test_help_errors_and_values_are_those_of_the_options_one_by_one() -> None:
    flat, by_group = flat_and_grouped()
    for command in ("--help", "", "a b --yes", "--wait 2.5 --limit 7 a", "--wait -1", "--nothing"):
        assert told(command, of=by_group) == told(command, of=flat)
    assert told("a --wait 1", of=by_group) == "Asked(places=['a'], yes=False, wait=1.0) 5\n"
