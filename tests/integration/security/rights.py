"""Give users of a broker, and logins of a database, what their work needs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from urllib.parse import urlsplit

import psycopg
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from runledger.schemas.kafka_rights import RIGHTS, Grant, grants
from tests.secure_servers import SecureBroker

LOGIN_PASSWORD = "marked-login-5d"  # noqa: S105  # of logins that live as long as a test
_OPERATIONS = {"DescribeConfigs": "DESCRIBE_CONFIGS"}
_RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}


def allow(broker: SecureBroker, user: str, wanted: Sequence[Grant]) -> None:
    """Add ACLs for a user, from any host."""
    admin = AdminClient({"bootstrap.servers": broker.plain})
    bindings = [
        AclBinding(
            _RESOURCES[grant.resource],
            grant.name,
            ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
            f"User:{user}",
            "*",
            AclOperation[_OPERATIONS.get(grant.operation, grant.operation.upper())],
            AclPermissionType.ALLOW,
        )
        for grant in wanted
    ]
    for done in admin.create_acls(bindings).values():
        done.result()


def admit(broker: SecureBroker, prefix: str) -> dict[str, dict[str, str]]:
    """Make a user for each kind of process, with exactly its rights; return {kind: environment of the process}."""
    environments = {}
    for kind, rights in RIGHTS.items():
        user = f"{prefix}{kind}"
        broker.add_user(user)
        allow(broker, user, list(grants(rights, prefix)))
        environments[kind] = broker.over_sasl(user, RUNLEDGER_TOPIC_PREFIX=prefix)
    return environments


def login(database: str, *groups: str) -> str:
    """Make a login that is a member of these groups and nothing else; return its URI."""
    name = f"login_{uuid.uuid4().hex[:8]}"
    member = f" IN ROLE {', '.join(groups)}" if groups else ""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{LOGIN_PASSWORD}'{member}".encode())
    owner = urlsplit(database)
    return database.replace(f"//{owner.username}:{owner.password}@", f"//{name}:{LOGIN_PASSWORD}@")
