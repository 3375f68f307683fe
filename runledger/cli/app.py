"""Puts the commands together, and turns our own errors into one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import psycopg
import typer
from confluent_kafka import KafkaException
from pydantic import ValidationError

from runledger.cli import demo, replay, stack, verify, worker
from runledger.producers.errors import ProducerError
from runledger.schemas.errors import SchemaError
from runledger.stack.errors import StackError
from runledger.topic_admin import TopicError

app = typer.Typer(
    name="runledger",
    help="The exact ledger of AI-agent runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo", rich_help_panel="Start")(demo.demo_command)
app.command("up", rich_help_panel="Start")(stack.up)
app.command("status", rich_help_panel="Start")(stack.status)
app.command("down", rich_help_panel="Start")(stack.down)
app.command("replay", rich_help_panel="Use")(replay.replay_command)
app.command("verify", rich_help_panel="Use")(verify.verify_command)
app.command("migrate", rich_help_panel="Operate")(worker.migrate_command)
app.add_typer(worker.app, name="worker", rich_help_panel="Operate")

_INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code.

    What we know how to explain ends in one line on stderr and code 1, never in a traceback.
    """
    try:
        app(arguments)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0 if done.code is None else 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (StackError, ProducerError, SchemaError, TopicError) as error:
        return _explain(str(error))
    except psycopg.OperationalError as error:
        return _explain(f"Postgres does not answer: {str(error).strip()}")
    except KafkaException as error:
        return _explain(f"Kafka does not answer: {error.args[0].str()}")
    except ValidationError as error:
        return _explain("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
    return 0


def _explain(message: str) -> int:
    sys.stderr.write(f"runledger: {message}\n")
    return 1
