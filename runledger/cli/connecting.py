"""Which broker and database a command talks to."""

from __future__ import annotations

from pathlib import Path

from runledger.analytics.settings import ReadSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.stack import Addresses, StackError, StackFolder, discover
from runledger.stack.health import KafkaView
from runledger.stack.paths import default_data_dir


def connect(data_dir: Path | None) -> Addresses:
    """Find them: the environment's servers first, then the local stack that runs on the data folder.

    Raises:
        StackError: neither is there.
    """
    settings = ConnectionSettings()
    chosen = settings.model_fields_set
    local = discover(data_dir)
    if local is None and not {"kafka", "postgres"} <= chosen:
        folder = StackFolder((data_dir or default_data_dir()).expanduser().absolute()).root
        raise StackError(
            f"no stack runs on {folder}: start one with `runledger up`, "
            "or set RUNLEDGER_KAFKA and RUNLEDGER_POSTGRES to servers of your own"
        )
    return Addresses(
        kafka=settings.kafka if local is None or "kafka" in chosen else local.kafka,
        postgres=settings.postgres if local is None or "postgres" in chosen else local.postgres,
    )


def find_tables(data_dir: Path | None) -> str:
    """Find the database to read from; no broker is needed for it.

    Raises:
        StackError: neither the environment names one, nor does a local stack run.
    """
    settings = ReadSettings()
    if settings.model_fields_set & {"postgres", "postgres_read"}:
        return settings.read_uri
    return connect(data_dir).postgres


def require_broker(addresses: Addresses) -> None:
    """See that the broker answers, before a client waits for it for a minute.

    Raises:
        StackError: it does not.
    """
    view = KafkaView(ConnectionSettings(kafka=addresses.kafka))
    if not view.answers():
        at = f"{addresses.kafka}{view.refusal()}"
        raise StackError(f"no broker answers at {at}; start it, or set RUNLEDGER_KAFKA to one that runs")


def find_broker(data_dir: Path | None) -> ConnectionSettings:
    """Find the broker, and see that it answers; no database is needed for it.

    Raises:
        StackError: neither the environment names one, nor does a local stack run; or it does not answer.
    """
    settings = ConnectionSettings()
    if "kafka" not in settings.model_fields_set:
        settings = settings.model_copy(update={"kafka": connect(data_dir).kafka})
    require_broker(Addresses(kafka=settings.kafka, postgres=settings.postgres))
    return settings
