"""What lies on the topic holds no secret, whichever way it came."""

from __future__ import annotations

import pytest

from runledger.producers import RunClient
from runledger.producers.building import build
from runledger.producers.importers import replay
from runledger.schemas.identifiers import new_run_id
from runledger.schemas.run_events import FailureResolved, RunErased, RunLogged
from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.events import read_records
from tests.unit.producers.masking.samples import SECRETS

pytestmark = pytest.mark.integration

TEXTS = [f"{before}{secret}{after}" for _, before, secret, after in SECRETS]
PLANTED = [secret.encode() for _, _, secret, _ in SECRETS if len(secret) >= 12 and "\n" not in secret]


class LoginError(Exception):
    """Carries what no log should hold."""


def tell_everything(client: RunClient, text: str) -> None:
    """Put a text into every field of every event that takes one."""
    telling = {"note": text, "list": [text, {"password": text}]}
    with client.run("default", "sage", summary=text, meta=telling) as run:
        run.usage(prompt_preview=text, input_tokens=1, traces=[telling])
        run.failure(text, error=text, context=telling, meta=telling)
        run.end(summary=text, meta=telling, traces=[telling], prompt_preview=text)
    with pytest.raises(LoginError), client.run("default", "sage"):
        raise LoginError(text)
    client.record_run("default", "sage", text, ticket="mail a@b.example", meta=telling)
    client.log_run("sage", "success", telling)
    resolved = {"fingerprint": "0" * 64, "note": text}
    client.publish(build(FailureResolved, resolved, project="default", run_id=new_run_id()))
    client.publish(build(RunErased, {"reason": text}, project="default", run_id=new_run_id()))
    logged = {"status": "success", "actions_taken": telling}
    replay([build(RunLogged, logged, project="default", run_id=new_run_id(), agent="sage")], client)


def test_no_planted_secret_reaches_the_topic(topics: ConnectionSettings) -> None:
    with RunClient(
        kafka=topics.kafka, topic_prefix=topics.topic_prefix, strict=True, mask={"staff": r"EMP-\d{6}"}
    ) as client:
        for text in TEXTS:
            tell_everything(client, f"{text}\nby EMP-123456")
    values = [record.value() or b"" for record in read_records(topics)]
    assert len(values) == 12 * len(TEXTS)
    everything = b"\n".join(values)
    assert [secret for secret in PLANTED if secret in everything] == []
    assert b"EMP-123456" not in everything
    assert b"a@b.example" not in everything
    for kind, *_ in SECRETS:
        assert f"[masked:{kind}]".encode() in everything
    assert b"[masked:staff]" in everything
