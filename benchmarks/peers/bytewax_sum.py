"""bytewax: sum of input_tokens per key with stateful_map, recovery on.

`run KAFKA TOPIC FOLDER SNAPSHOT_SECONDS` reads the topic to its end; `totals FOLDER` prints what recovery would
restore, as JSON.
"""

import json
import pickle
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path

STEP = "sums.sum"


def run(kafka, topic, folder, snapshot_seconds):
    """Run the dataflow to the end of the topic."""
    import bytewax.operators as op
    import orjson
    from bytewax._bytewax import cli_main
    from bytewax.connectors.kafka import KafkaSource
    from bytewax.dataflow import Dataflow
    from bytewax.outputs import DynamicSink, StatelessSinkPartition
    from bytewax.recovery import RecoveryConfig, init_db_dir

    class Nowhere(StatelessSinkPartition):
        def write_batch(self, items):
            pass

    class NoSink(DynamicSink):
        def build(self, _step_id, _worker_index, _worker_count):
            return Nowhere()

    def keyed(message):
        usage = orjson.loads(message.value)["data"].get("token_usage")
        return message.key.decode(), usage["input_tokens"] if usage else 0

    def add(total, tokens):
        total = (tokens, 1) if total is None else (total[0] + tokens, total[1] + 1)
        return total, None

    flow = Dataflow("sums")
    source = KafkaSource([kafka], [topic], tail=False, batch_size=10_000)
    messages = op.input("input", flow, source)
    totals = op.stateful_map("sum", op.map("keyed", messages, keyed), add)
    op.output("output", totals, NoSink())
    Path(folder).mkdir(exist_ok=True)
    init_db_dir(Path(folder), 1)
    recovery = RecoveryConfig(Path(folder))
    cli_main(flow, epoch_interval=timedelta(seconds=float(snapshot_seconds)), recovery_config=recovery)


def totals(folder):
    """Print [tokens, events] by key, as the recovery store holds them."""
    found = {}
    for part in Path(folder).glob("*.sqlite3"):
        with sqlite3.connect(part) as store:
            rows = store.execute("SELECT step_id, state_key, ser_change FROM snaps ORDER BY snap_epoch")
            for step, key, state in rows:
                if step.startswith(STEP) and state is not None:
                    found[key] = pickle.loads(state)
    print(json.dumps(found))


if __name__ == "__main__":
    {"run": run, "totals": totals}[sys.argv[1]](*sys.argv[2:])
