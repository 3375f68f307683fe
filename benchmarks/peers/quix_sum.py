"""Quix Streams: sum of input_tokens per key, in its RocksDB state with a changelog topic.

Arguments: kafka, topic, group, folder for state, commit interval in seconds, messages per commit (0: by time alone),
and, for the same with its PostgreSQL sink, host, port, database, user and password.
"""

import sys

from quixstreams import Application


def add(value, state):
    """Add one event to its key's total."""
    usage = value["data"].get("token_usage")
    tokens, events = state.get("total", (0, 0))
    total = tokens + (usage["input_tokens"] if usage else 0), events + 1
    state.set("total", total)
    return value["projectkey"] + "/" + value["subject"], *total


kafka, topic_name, group, folder, commit_seconds, commit_every, *database = sys.argv[1:]
app = Application(
    broker_address=kafka,
    consumer_group=group,
    auto_offset_reset="earliest",
    commit_interval=float(commit_seconds),
    commit_every=int(commit_every),
    state_dir=folder,
    loglevel="WARNING",
    producer_extra_config={"acks": "all", "enable.idempotence": True, "compression.type": "lz4"},
)
topic = app.topic(topic_name, key_deserializer="bytes", value_deserializer="json")
sums = app.dataframe(topic).apply(add, stateful=True)
if database:
    from quixstreams.sinks.community.postgresql import PostgreSQLSink

    host, port, name, user, password = database
    sink = PostgreSQLSink(
        host=host,
        port=int(port),
        dbname=name,
        user=user,
        password=password,
        table_name="quix_totals",
        schema_auto_update=False,
        primary_key_columns="run",
        upsert_on_primary_key=True,
        include_metadata=False,
    )
    sums.apply(lambda total: {"run": total[0], "tokens": total[1], "events": total[2]}).sink(sink)
app.run()
