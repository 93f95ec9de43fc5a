"""API keys: who may do what, decided from the token alone.

A key is `ak_<12 id characters>_<43 secret characters>`; its secret has 256 random bits, so that a plain SHA-256
protects it at rest. Keys reach every service by `rules.config.v1`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from antiphon.bad_tokens import BadTokens
from antiphon.clock import Clock
from antiphon.config_feed import Change
from antiphon.parameters import check_known
from antiphon.problems import Problem
from antiphon.times import from_timestamp
from antiphon.v1.config_pb2 import ApiKeyConfig

ALL_BRANDS = "*"
_ID_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 12
_UNKNOWN_DIGEST = bytes(32)
"""Compared with when a key does not exist, so that this takes the same time."""


class Role(IntEnum):
    """Each role may do what the lower ones may."""

    VIEWER = 1
    EDITOR = 2
    APPROVER = 3
    ADMIN = 4


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling."""

    key_id: str
    brands: frozenset[str]
    role: Role

    def may_see(self, brand: str) -> bool:
        """Tell whether the brand exists for this caller."""
        return ALL_BRANDS in self.brands or brand in self.brands

    def check(self, brand: str) -> str:
        """Return the brand, or raise 404: for a foreign key the brand does not exist."""
        if not self.may_see(brand):
            raise Problem(404, "not_found", f"There is no brand {brand!r} for this key.")
        return brand


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key; `token` is shown once and never stored."""

    key_id: str
    token: str
    secret_sha256: bytes


def new_key() -> NewKey:
    """Make a key from the system's randomness."""
    key_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
    secret = secrets.token_urlsafe(32)
    return NewKey(key_id, f"ak_{key_id}_{secret}", hashlib.sha256(secret.encode()).digest())


class KeyRing:
    """All keys of the installation, kept current from the configuration topic."""

    def __init__(self, clock: Clock) -> None:
        self.bad_tokens = BadTokens(clock)
        self._clock = clock
        self._keys: dict[str, ApiKeyConfig] = {}
        self._generations: dict[str, int] = {}

    def apply(self, changes: Sequence[Change]) -> None:
        """Take what concerns keys from configuration changes."""
        for change in changes:
            if change.record is None:
                kind, _, key_id = change.key.partition("//")
                if kind == "api_key":
                    self._keys.pop(key_id, None)
            elif change.record.WhichOneof("entity") == "api_key":
                self._put(change.record.api_key, change.record.generation)

    def authenticate(self, token: str) -> Principal | None:
        """Return who holds the token, or None: unknown, wrong, revoked and expired look the same."""
        prefix, _, rest = token.partition("_")
        key_id, _, secret = rest.partition("_")
        key = self._keys.get(key_id)
        expected = key.secret_sha256 if key else _UNKNOWN_DIGEST
        right = hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), expected)
        if key is None or not right or prefix != "ak" or key.revoked or self._expired(key, self._clock.now()):
            return None
        role = Role.__members__.get(key.role.upper())  # a role that this release does not know gives no rights
        return Principal(key.key_id, frozenset(key.brands), role) if role else None

    def _put(self, key: ApiKeyConfig, generation: int) -> None:
        # Records may come out of order, and an older one must not give a revoked key back.
        if generation >= self._generations.get(key.key_id, 0):
            self._keys[key.key_id] = key
            self._generations[key.key_id] = generation

    @staticmethod
    def _expired(key: ApiKeyConfig, now: datetime) -> bool:
        return key.HasField("expires_time") and from_timestamp(key.expires_time) <= now


_bearer = HTTPBearer(auto_error=False, description="An API key: `ak_…`")


def bearer_token(authorization: bytes) -> str:
    """Return the token of an `Authorization` header, empty when it has none."""
    scheme, _, token = authorization.decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refusal(request: Request, *, presented: bool) -> Problem:
    """Return 401, or 429 for an address that goes on presenting wrong tokens."""
    keys: KeyRing = request.app.state.keys
    wait = keys.bad_tokens.wait(request.client.host if request.client else "") if presented else 0
    if wait:
        return Problem(
            429, "too_many_wrong_keys", "Too many wrong API keys from this address; wait.", headers={"Retry-After": str(wait)}
        )
    return Problem(
        401,
        "unauthorized",
        "Send a valid API key: `Authorization: Bearer ak_…`.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def require(role: Role) -> Callable[..., Principal]:
    """Return a FastAPI dependency: the caller, if the key is good and has at least this role.

    It also refuses query parameters that the call does not know.
    """

    def dependency(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Principal:
        keys: KeyRing = request.app.state.keys
        principal = keys.authenticate(credentials.credentials) if credentials else None
        if principal is None:
            raise _refusal(request, presented=credentials is not None)
        if principal.role < role:
            raise Problem(
                403,
                "forbidden",
                f"This key's role is {principal.role.name.lower()}; this call needs {role.name.lower()}.",
            )
        check_known(request)  # here, not on pages: what platforms add to the addresses that people open is no mistake
        return principal

    dependency.required_role = role  # type: ignore[attr-defined]  # read by the test that walks every route
    return dependency


Viewer = Annotated[Principal, Depends(require(Role.VIEWER))]
Editor = Annotated[Principal, Depends(require(Role.EDITOR))]
Approver = Annotated[Principal, Depends(require(Role.APPROVER))]
Admin = Annotated[Principal, Depends(require(Role.ADMIN))]
