"""Certificates made while a test runs, by an authority that nobody else trusts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

KEY_PASSWORD = "only-for-this-test"  # noqa: S105  # of a key that lives as long as the test
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM files.

    Args:
        certificate: the chain.
        key: PKCS #8, in plain.
        locked_key: the same under KEY_PASSWORD.
        keystore: both in one file, as Kafka wants them.
    """

    certificate: Path
    key: Path
    locked_key: Path
    keystore: Path


class Authority:
    """Signs certificates.

    Args:
        folder: where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA(organization_name="Runledger's tests")
        self.certificate = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.certificate))

    def sign(self, name: str, *hosts: str, expired: bool = False) -> Pair:
        """Make a certificate for these host names and addresses; `name` is its common name and names the files."""
        leaf = self._ca.issue_cert(*hosts, common_name=name, not_after=_LONG_AGO if expired else None)
        key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(KEY_PASSWORD.encode()))
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return Pair(
            certificate=self._write(f"{name}.pem", chain),
            key=self._write(f"{name}.key", plain),
            locked_key=self._write(f"{name}.locked.key", locked),
            keystore=self._write(f"{name}.keystore.pem", plain + chain),
        )

    def _write(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return path
