"""The fixtures give working servers."""

from __future__ import annotations

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS

pytestmark = pytest.mark.integration


def test_topics_exist_under_a_prefix_of_the_tests_own(topics: ConnectionSettings) -> None:
    existing = AdminClient({"bootstrap.servers": topics.kafka}).list_topics(timeout=10).topics
    assert {topic.name(topics.topic_prefix) for topic in ALL_TOPICS} <= existing.keys()


def test_database_is_empty_and_writable(database: str) -> None:
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
        connection.execute("CREATE TABLE proof (n int)")
