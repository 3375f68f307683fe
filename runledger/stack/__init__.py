"""The local stack: a real Kafka, a real Postgres and the pipeline's processes, without Docker."""
