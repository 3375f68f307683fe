from __future__ import annotations

import json
import logging

import pytest
import structlog

from runledger.logs import configure
from runledger.redaction import redactor

ENVIRONMENT = {
    "RUNLEDGER_KAFKA_PASSWORD": 'sasl"secret',
    "RUNLEDGER_API_KEY": "rl.abc.key-secret",
    "RUNLEDGER_POSTGRES": "postgresql://u:uri%20secret@h:1/d?sslmode=verify-full",
    "RUNLEDGER_POSTGRES_READ": "host=h password='two words' user=r",
}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('no sasl"secret here', "no *** here"),
        (json.dumps({"x": 'sasl"secret'}), '{"x": "***"}'),
        ("uri%20secret and uri secret", "*** and ***"),
        ("key rl.abc.key-secret.", "key ***."),
        ("two words", "***"),
        ("at postgresql://other:unknown@h/d?x=1", "at postgresql://other:***@h/d?x=1"),
        ("at kafka://h:1, postgresql://u@h/d", "at kafka://h:1, postgresql://u@h/d"),
        ("host=h password=unknown dbname=d", "host=h password=*** dbname=d"),
        ('password authentication failed for user "u"', 'password authentication failed for user "u"'),
    ],
    ids=range(9),
)
def test_secrets_go_and_the_rest_stays(text: str, left: str) -> None:
    assert redactor(ENVIRONMENT)(text) == left


@pytest.mark.parametrize("address", ["postgresql://u:p@[broken", "", "nonsense", "postgresql://u:abc@h/d"])
def test_nothing_is_too_broken_to_begin_with(address: str) -> None:
    assert redactor({"RUNLEDGER_POSTGRES": address})("abc stays") == "abc stays"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://u:front@backside@h/d", 'could not translate host name "backside@h" to address'),
        ("postgresql://u:front/backside@h/d", 'invalid integer value "front" for connection option "port"'),
        ("postgresql://u:front#backside@h/d", 'database "backside" does not exist'),
    ],
)
def test_parts_of_a_password_that_was_not_quoted_go_as_well(address: str, said: str) -> None:
    redacted = redactor({"RUNLEDGER_POSTGRES": address})(f"{said}: {address}")
    assert "front" not in redacted
    assert "backside" not in redacted


def test_log_lines_are_redacted_whoever_writes_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers, level = logging.root.handlers, logging.root.level
    monkeypatch.setattr("sys.excepthook", None)
    monkeypatch.setenv("RUNLEDGER_API_KEY", "marked-key")
    try:
        configure("test")
        structlog.get_logger().error("ours", detail="with marked-key")
        logging.getLogger("theirs").warning("with %s", "marked-key")
        structlog.get_logger().error("failed", exc_info=ValueError("marked-key"))
    finally:
        logging.root.handlers = handlers
        logging.root.setLevel(level)
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all("***" in line and "marked-key" not in line and json.loads(line) for line in lines)
