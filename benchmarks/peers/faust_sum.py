"""Plain Faust: an agent that adds each event to a table with a changelog. Settings come from BENCH_* variables."""

import os
import tempfile

import faust
import orjson

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_KAFKA']}",
    store="memory://",
    topic_partitions=int(os.environ["BENCH_PARTITIONS"]),
    topic_replication_factor=1,
    producer_acks=-1,
    producer_compression_type="lz4",
    consumer_auto_offset_reset="earliest",
    broker_commit_interval=0.5,
    broker_max_poll_records=2000,
    web_enabled=False,
    datadir=tempfile.mkdtemp(dir=os.environ["BENCH_FOLDER"]),
)
source = app.topic(
    os.environ["BENCH_TOPIC"], key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
)
totals = app.Table("totals", default=lambda: [0, 0])


@app.agent(source)
async def add(stream):
    """Add each event to its key's total."""
    async for key, value in stream.items():
        usage = orjson.loads(value)["data"].get("token_usage")
        run = key.decode()
        tokens, events = totals[run]
        totals[run] = [tokens + (usage["input_tokens"] if usage else 0), events + 1]


if __name__ == "__main__":
    app.main()
