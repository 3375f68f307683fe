"""Give users of a broker, and logins of a database, what their work needs."""

from __future__ import annotations

import argparse
import shlex
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

from runledger.schemas.kafka_rights import CLUSTER, Grant
from runledger.schemas.topics import DEFAULT_PREFIX
from tests import documents
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


def documented(prefix: str) -> dict[str, list[Grant]]:
    """Read the page's commands for Kafka's own tool as that tool would: {user: what he is allowed}, for a prefix."""
    options = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    options.add_argument("--add", action="store_true", required=True)
    options.add_argument("--allow-principal", required=True)
    options.add_argument("--operation", required=True)
    options.add_argument("--resource-pattern-type", default="literal", choices=("literal", "prefixed"))
    resource = options.add_mutually_exclusive_group(required=True)
    for name in ("topic", "group", "transactional-id"):
        resource.add_argument(f"--{name}")
    resource.add_argument("--cluster", action="store_const", const=CLUSTER)
    found: dict[str, list[Grant]] = {}
    broker, *lines = documents.example("docs/security.md", "sh", "kafka-acls.sh").splitlines()
    assert broker.startswith("BROKER=")
    for line in lines:
        program, broker, *arguments = shlex.split(line)
        assert (program, broker) == ("kafka-acls.sh", "$BROKER")
        told = vars(options.parse_args(arguments))
        (kind,) = (kind for kind in _RESOURCES if told[kind.replace("-", "_")] is not None)
        name = told[kind.replace("-", "_")].replace(DEFAULT_PREFIX, prefix, 1)
        prefixed = told["resource_pattern_type"] == "prefixed"
        user = told["allow_principal"].removeprefix("User:")
        found.setdefault(user, []).append(Grant(told["operation"], kind, name, prefixed))  # type: ignore[arg-type]  # one of those listed
    return found


def admit(broker: SecureBroker, prefix: str) -> dict[str, dict[str, str]]:
    """Do for each kind of process what the page says; return {kind: environment of the process}."""
    environments = {}
    for kind, wanted in documented(prefix).items():
        user = f"{prefix}{kind}"
        broker.add_user(user)
        allow(broker, user, wanted)
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
