"""Put a worker's vitals together."""

from __future__ import annotations

from runledger.schemas.settings import ConnectionSettings
from runledger.vitals.dependencies import BrokerView, DatabaseView, Dependency, Remembered
from runledger.vitals.keeper import Keeper
from runledger.vitals.settings import VitalsSettings

_REMEMBERED_SECONDS = 2.0


def keeper_of(process: str, connection: ConnectionSettings, *, database: str | None, broker: bool = True) -> Keeper:
    """Make the keeper of a worker's vitals; its own settings come from the environment.

    Args:
        process: name of the worker.
        connection: where the broker is, and the topics' prefix.
        database: URI of the database it needs; None where it needs none.
        broker: whether it needs the broker.

    Raises:
        ValidationError: a setting is wrong.
    """
    view = BrokerView(connection) if broker else None
    needed: list[Dependency] = [] if view is None else [view]
    if database is not None:
        needed.append(DatabaseView(database))
    remembered = [Remembered(dependency, _REMEMBERED_SECONDS) for dependency in needed]
    return Keeper(process, VitalsSettings(), remembered, view, connection.topic_prefix)
