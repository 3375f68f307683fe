"""API keys: `rl.<key id>.<secret>`. Only a hash of the secret is ever stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args
from uuid import UUID, uuid4

from runledger.access.errors import BadKeyError, ForbiddenError

Scope: TypeAlias = Literal["emit", "read", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "rl"
_SECRET_BYTES = 32
_MAX_KEY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, as its owner holds it. Its repr does not tell the secret."""

    key_id: UUID
    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> ApiKey:
        """Make a key of 256 random bits."""
        return cls(uuid4(), secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> ApiKey:
        """Read a key.

        Raises:
            BadKeyError: it does not have a key's form.
        """
        parts = text.split(".") if len(text) <= _MAX_KEY_LENGTH else []
        try:
            prefix, key_id, secret = parts
            parsed = cls(UUID(hex=key_id), secret)
        except ValueError:
            raise BadKeyError("not an API key") from None
        if prefix != PREFIX or not secret or not secret.isascii():
            raise BadKeyError("not an API key")
        return parsed

    def text(self) -> str:
        """Write the key out, for its owner, once."""
        return f"{PREFIX}.{self.key_id.hex}.{self.secret}"

    def digest(self) -> bytes:
        """Hash for storage: SHA-256. The secret is random, so nothing slower is needed."""
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, digest: bytes) -> bool:
        """Compare with a stored hash, in constant time."""
        return hmac.compare_digest(self.digest(), digest)


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a request is made.

    Args:
        project_key: the one project it may touch.
        scopes: what it may do there.
        key_id: of the key; None where none was needed (a trusted listener).
    """

    project_key: str
    scopes: frozenset[Scope]
    key_id: UUID | None = None

    def require(self, scope: Scope, project_key: str | None = None) -> None:
        """Make sure that it may do this.

        Args:
            scope: what it wants to do.
            project_key: the project that a payload names; None where it names none.

        Raises:
            ForbiddenError: it lacks the scope, or the payload names another project.
        """
        if scope not in self.scopes:
            raise ForbiddenError(f"this API key lacks the scope {scope!r}")
        if project_key is not None and project_key != self.project_key:
            raise ForbiddenError(f"this API key belongs to another project than {project_key[:64]!r}")
