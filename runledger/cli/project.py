"""`runledger project`: projects, their API keys, and whether their figures are public."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import psycopg
import typer
from rich.table import Table

from runledger.access.keys import Scope
from runledger.access.projects import create_key, create_project, list_keys, rotate_keys, set_public
from runledger.cli import webhook
from runledger.cli.connecting import connect
from runledger.cli.screen import Screen

app = typer.Typer(help="Projects, their API keys and their webhooks.", no_args_is_help=True)
app.add_typer(webhook.app, name="webhook")


class _ScopeName(StrEnum):
    """What the command line calls a scope; typer takes no literals in a list."""

    EMIT = "emit"
    READ = "read"
    ADMIN = "admin"


_SCOPES: dict[_ScopeName, Scope] = {_ScopeName.EMIT: "emit", _ScopeName.READ: "read", _ScopeName.ADMIN: "admin"}
_DataDir = Annotated[Path | None, typer.Option(help="Data folder of the local stack to use.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@app.command("create")
def create(
    project: Annotated[str, typer.Argument(help="Key of the project: 1 to 64 of a-z, 0-9, _ and -.")],
    name: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    scope: Annotated[
        list[_ScopeName] | None, typer.Option(help="What the key allows, repeatable; emit and read if left out.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    as_json: _AsJson = False,
    data_dir: _DataDir = None,
) -> None:
    """Create a project if it is new, and print a new API key for it. The key is shown this once.

    Example: runledger project create myproject --scope emit --label "nightly agents"
    """
    scopes: list[Scope] = [_SCOPES[name] for name in scope or (_ScopeName.EMIT, _ScopeName.READ)]
    with psycopg.connect(connect(data_dir).postgres, autocommit=True) as connection:
        is_new = create_project(connection, project, name)
        key = create_key(connection, project, scopes, label)
    if as_json:
        typer.echo(orjson.dumps({"project": project, "created": is_new, "key": key.text(), "scopes": scopes}).decode())
        return
    Screen(stderr=True).print(f"Project {project} {'created' if is_new else 'was there already'}; its new key:")
    typer.echo(key.text())


@app.command("list")
def list_projects(as_json: _AsJson = False, data_dir: _DataDir = None) -> None:
    """List projects and their keys; secrets are not kept, so they cannot be shown.

    Examples:
        runledger project list
        runledger project list --json
    """
    with psycopg.connect(connect(data_dir).postgres, autocommit=True) as connection:
        keys = list_keys(connection)
    if as_json:
        typer.echo(orjson.dumps(keys).decode())
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("project", "key", "scopes", "label", "created", "revoked"):
        table.add_column(column)
    for key in keys:
        created = "" if key.created_at is None else f"{key.created_at:%Y-%m-%d}"
        revoked = "" if key.revoked_at is None else f"{key.revoked_at:%Y-%m-%d %H:%M}"
        key_id = "no key" if key.key_id is None else key.key_id.hex[:12]
        table.add_row(key.project_key, key_id, " ".join(key.scopes or ()), key.label or "", created, revoked)
    Screen().print(table)


@app.command("rotate")
def rotate(
    project: Annotated[str, typer.Argument(help="Whose keys.")],
    grace_hours: Annotated[float, typer.Option(help="Hours the old keys go on working.", min=0, max=720)] = 0,
    as_json: _AsJson = False,
    data_dir: _DataDir = None,
) -> None:
    """Replace every living key of a project by a new one with the same scopes; print the new ones, this once.

    Examples:
        runledger project rotate myproject
    """
    with psycopg.connect(connect(data_dir).postgres, autocommit=True) as connection:
        rotated = rotate_keys(connection, project, grace=timedelta(hours=grace_hours))
    for old, key in rotated:
        if as_json:
            document = {"project": project, "replaces": str(old.key_id), "key": key.text(), "scopes": old.scopes}
            typer.echo(orjson.dumps(document).decode())
        else:
            typer.echo(key.text())


@app.command("publish")
def publish(project: Annotated[str, typer.Argument(help="Which project.")], data_dir: _DataDir = None) -> None:
    """Let anybody see a project's figures and cards without a key. Previews and errors are never among them.

    Examples:
        runledger project publish myproject
    """
    _decide(project, data_dir, is_public=True)


@app.command("unpublish")
def unpublish(project: Annotated[str, typer.Argument(help="Which project.")], data_dir: _DataDir = None) -> None:
    """Keep a project's figures and cards to those who hold a key of it.

    Examples:
        runledger project unpublish myproject
    """
    _decide(project, data_dir, is_public=False)


def _decide(project: str, data_dir: Path | None, *, is_public: bool) -> None:
    with psycopg.connect(connect(data_dir).postgres, autocommit=True) as connection:
        set_public(connection, project, is_public=is_public)
    Screen(stderr=True).print(f"Project {project} is {'public' if is_public else 'not public'} now")
