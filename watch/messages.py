"""What a receiver is told, and how it knows that it comes from us (Standard Webhooks 1.0.0)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson

State = Literal["open", "recovered"]
_TYPES: dict[State, str] = {"open": "incident.opened", "recovered": "incident.recovered"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to tell one state of one incident.

    Args:
        incident_id: the incident.
        state: what is told of it.
        project_key: its project.
        attempts: made so far, this one included.
        url: where to.
        secret: key of the signature.
    """

    incident_id: UUID
    state: State
    project_key: str
    attempts: int
    agent_id: str
    kind: str
    threshold: int
    run_id: UUID
    opened_at: datetime
    recovered_at: datetime | None
    recovered_run_id: UUID | None
    url: str = field(repr=False)
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes to post.

    Args:
        message_id: the same in every attempt.
        body: JSON, the same in every attempt.
    """

    message_id: str
    body: bytes


def incident_message(delivery: Delivery) -> Message:
    """Tell an incident. That it opened is told in the same words after it has recovered."""
    is_over = delivery.state == "recovered"
    body = {
        "type": _TYPES[delivery.state],
        "timestamp": delivery.recovered_at if is_over else delivery.opened_at,
        "incident_id": delivery.incident_id,
        "project_key": delivery.project_key,
        "agent_id": delivery.agent_id,
        "kind": delivery.kind,
        "state": delivery.state,
        "threshold": delivery.threshold,
        "run_id": delivery.run_id,
        "opened_at": delivery.opened_at,
        "recovered_at": delivery.recovered_at if is_over else None,
        "recovered_run_id": delivery.recovered_run_id if is_over else None,
    }
    encoded = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    return Message(f"{delivery.incident_id}.{delivery.state}", encoded)


def trial_message(project_key: str, message_id: UUID, now: datetime) -> Message:
    """Tell nothing, for an operator who wants to see whether a receiver takes it."""
    body = {"type": "webhook.test", "timestamp": now, "project_key": project_key}
    return Message(f"{message_id}.test", orjson.dumps(body, option=orjson.OPT_UTC_Z))


def headers(message: Message, secret: bytes, now: int) -> dict[str, str]:
    """Sign a message.

    Args:
        message: what is posted.
        secret: key of the signature.
        now: of this attempt, Unix seconds; receivers refuse what is more than minutes old.
    """
    signed = f"{message.message_id}.{now}.".encode() + message.body
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{signature}",
    }
