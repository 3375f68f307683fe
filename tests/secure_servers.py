"""A broker that speaks TLS, asks who is there and lets everybody do only what he may."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from runledger.stack.kafka import kafka_service
from runledger.stack.paths import StackFolder, default_cache_dir
from runledger.stack.ports import LOOPBACK, choose_port, settle_ports
from runledger.stack.supervisor import Supervisor
from tests.certificates import Authority, Pair

MASTER = "pipeline"
"""Name of a user who may do everything at the broker, by certificate or by password."""
PASSWORD = "marked-sasl-4c1e"  # noqa: S105  # of every user of a broker that lives as long as the tests
_ITERATIONS = 4096


@dataclasses.dataclass(frozen=True, slots=True)
class SecureBroker:
    """Addresses of one broker's listeners.

    Args:
        plain: for the tests' own hands; whoever comes here may do everything.
        tls: asks for a client's certificate.
        sasl: TLS and a password.
        expired: TLS with a certificate of long ago.
        authority: who signed the others.
        own: certificate of the user MASTER.
    """

    plain: str
    tls: str
    sasl: str
    expired: str
    authority: Authority
    own: Pair

    def over_tls(self, **changes: str) -> dict[str, str]:
        """Environment of a client that shows its certificate."""
        return {
            "RUNLEDGER_KAFKA": self.tls,
            "RUNLEDGER_KAFKA_SECURITY_PROTOCOL": "ssl",
            "RUNLEDGER_KAFKA_CA": str(self.authority.certificate),
            "RUNLEDGER_KAFKA_CERTIFICATE": str(self.own.certificate),
            "RUNLEDGER_KAFKA_KEY": str(self.own.key),
            **changes,
        }

    def over_sasl(self, user: str = MASTER, mechanism: str = "SCRAM-SHA-512", **changes: str) -> dict[str, str]:
        """Environment of a client that tells a name and a password, over TLS."""
        return {
            "RUNLEDGER_KAFKA": self.sasl,
            "RUNLEDGER_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
            "RUNLEDGER_KAFKA_CA": str(self.authority.certificate),
            "RUNLEDGER_KAFKA_SASL_MECHANISM": mechanism,
            "RUNLEDGER_KAFKA_USERNAME": user,
            "RUNLEDGER_KAFKA_PASSWORD": PASSWORD,
            **changes,
        }

    def add_user(self, name: str) -> None:
        """Let somebody in by SCRAM, who may do nothing yet."""
        admin = AdminClient({"bootstrap.servers": self.plain})
        wanted = [
            UserScramCredentialUpsertion(name, ScramCredentialInfo(mechanism, _ITERATIONS), PASSWORD.encode())
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
        ]
        for one in wanted:  # one user at most in a request
            for done in admin.alter_user_scram_credentials([one]).values():
                done.result()


def _overrides(authority: Authority, own: Pair, ports: Mapping[str, int], plain: int, controller: int) -> str:
    addresses = {name: f"{name}://{LOOPBACK}:{port}" for name, port in ports.items()}
    reached = ",".join([f"PLAINTEXT://{LOOPBACK}:{plain}", *addresses.values()])
    expired = authority.sign("expired", LOOPBACK, expired=True)
    lines = {
        "listeners": f"{reached},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": reached,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,SASL:SASL_SSL,EXPIRED:SSL",
        "inter.broker.listener.name": "PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": own.keystore,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority.certificate,
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
        "listener.name.tls.ssl.client.auth": "required",
        "listener.name.expired.ssl.keystore.type": "PEM",
        "listener.name.expired.ssl.keystore.location": expired.keystore,
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.sasl.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_{MASTER}="{PASSWORD}";',
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{MASTER}",
    }
    for mechanism in ("scram-sha-256", "scram-sha-512"):
        module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        lines[f"listener.name.sasl.{mechanism}.sasl.jaas.config"] = module
    return "".join(f"{name}={value}\n" for name, value in lines.items())


@contextmanager
def secure_broker(root: Path) -> Iterator[SecureBroker]:
    """Run the broker for the length of the block."""
    folder = StackFolder(root)
    folder.prepare()
    authority = Authority(root)
    ports, own = settle_ports(folder.ports_file), authority.sign(MASTER, LOOPBACK)
    secured: dict[str, int] = {}
    for name in ("TLS", "SASL", "EXPIRED"):
        secured[name] = choose_port([*dataclasses.asdict(ports).values(), *secured.values()])
    service = kafka_service(folder, default_cache_dir(), ports, lambda _: None)
    with Path(service.command[-1]).open("a", encoding="utf-8") as properties:
        properties.write(_overrides(authority, own, secured, ports.kafka, ports.controller))
    supervisor = Supervisor(folder.logs, lambda _: None, lambda: False)
    try:
        supervisor.start([service])
        addresses = {name.lower(): f"{LOOPBACK}:{port}" for name, port in secured.items()}
        broker = SecureBroker(f"{LOOPBACK}:{ports.kafka}", authority=authority, own=own, **addresses)
        broker.add_user(MASTER)
        yield broker
    finally:
        supervisor.stop()
