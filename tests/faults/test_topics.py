"""Faults 25 and 26: topics lose what somebody still needs."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)

from runledger.schemas.topics import RUN_EVENTS, RUN_LOG, RUN_OUTCOMES, RUNS, Topic
from runledger.sinks.verify import verify
from runledger.vitals.exits import EXIT_STOPPED
from tests.e2e.pipeline import wait_for
from tests.faults.site import MakeSite, Site
from tests.faults.topics import Positions

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


def forget(here: Site, topic: Topic) -> None:
    """Delete everything in a topic, as retention does."""
    positions = Positions(here.settings)
    ends = positions.ends([topic])
    positions.close()
    admin = AdminClient({"bootstrap.servers": here.settings.kafka})
    if topic.cleanup == "compact":  # the broker deletes nothing of it, unless somebody lets it
        may = ConfigEntry("cleanup.policy", "compact,delete", incremental_operation=AlterConfigOpType.SET)
        name = topic.name(here.settings.topic_prefix)
        resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[may])
        for done in admin.incremental_alter_configs([resource]).values():
            done.result()

    def forgotten() -> bool:
        try:
            for done in admin.delete_records([TopicPartition(*source, end) for source, end in ends.items()]).values():
                done.result()
        except KafkaException:  # the new setting is taken a moment later
            return False
        return True

    wait_for("the records are deleted", forgotten, 30)


def recreate(here: Site, topic: Topic) -> None:
    """Delete a topic and make it again."""
    name = topic.name(here.settings.topic_prefix)
    admin = AdminClient({"bootstrap.servers": here.settings.kafka})
    for done in admin.delete_topics([name]).values():
        done.result()

    def made() -> bool:
        anew = NewTopic(name, here.settings.partitions, 1, config=topic.config())
        try:
            admin.create_topics([anew])[name].result()
        except KafkaException:  # the broker may still be deleting
            return False
        return True

    wait_for("the topic is made again", made, 30)


def stop_all(here: Site) -> None:
    """End every worker."""
    here.running.stop()


@pytest.mark.parametrize("name", ["processor", "sink"])
def test_fault_25_retention_overtakes_a_consumer(site: MakeSite, name: str) -> None:
    here = site(25, f"retention overtakes the {name}")
    here.load(800)
    here.judge("O1", "O2", "O5", "O8")
    (worker,) = here.workers(name)
    worker.stop()
    here.load(300).wait()
    forget(here, RUN_EVENTS)
    stops_loudly(here, name)


@pytest.mark.parametrize(("name", "topic"), [("processor", RUN_EVENTS), ("processor", RUN_OUTCOMES), ("sink", RUN_LOG)])
def test_fault_25_topic_made_again(site: MakeSite, name: str, topic: Topic) -> None:
    here = site(25, f"{topic.suffix} made again before the {name} looks")
    here.load(800)
    here.judge("O1", "O2", "O5", "O8")
    stop_all(here)
    recreate(here, topic)
    stops_loudly(here, name)


def stops_loudly(here: Site, name: str) -> None:
    """Start a worker: it ends again and again, says why, and has changed nothing."""
    worker = here.running.start(name)
    wait_for("a loud stop", lambda: len(worker.exits) > 1, 60)
    assert set(worker.exits) == {EXIT_STOPPED}
    said = worker.log.read_text()
    assert "the log holds" in said or "recreated" in said or "the log begins" in said, said[-2000:]
    worker.stop()
    if name == "processor":
        return
    assert verify(here.connection).clean


@pytest.mark.parametrize("how", ["emptied", "made again"])
def test_fault_26_changelog_emptied(site: MakeSite, how: str) -> None:
    """The states of open runs are gone: the processor stops loudly, or knows them all the same."""
    here = site(26, f"changelog {how}")
    story = here.story(1500, repeated=0, late=0)
    events = list(story)
    here.tell(*events[:1000])
    here.judge("O1", "O2", "O4", "O8")
    for worker in here.workers("processor"):
        worker.stop()
    (forget if how == "emptied" else recreate)(here, RUNS)
    processor = here.running.start("processor")
    here.tell(*events[1000:])
    wait_for("a loud stop, or life", lambda: bool(processor.exits) or not here.lag(), 60)
    if processor.exits:
        assert set(processor.exits) == {EXIT_STOPPED}
        return
    here.judge("O1", "O2", "O4", "O8")
