"""Secrets at rest: AES-256-GCM with a key id, bound to their owner by associated data.

Sealed form: `<key id>.<base64url of nonce + ciphertext + tag>`. Several keys may be known, the first one seals, so
that keys rotate by adding a new first one and re-sealing at leisure.
"""

import base64
import binascii
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field, SecretStr, field_validator

from antiphon.settings import Settings

_NONCE_BYTES = 12
"""The size GCM is specified for; random nonces are safe for 2³² seals a key."""

_KEY_BYTES = 32


class SealError(Exception):
    """A sealed value cannot be opened: wrong owner, unknown key or damaged."""


class SealSettings(Settings):
    """`SEAL_KEYS`: comma-separated `<key id>:<base64 of 32 bytes>`, the sealing key first."""

    seal_keys: SecretStr = Field(description="comma-separated <key id>:<base64 of 32 bytes>, the sealing key first")

    @field_validator("seal_keys")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        parse_keys(value)
        return value


def parse_keys(text: SecretStr) -> dict[str, bytes]:
    """Return key id → key. Raises ValueError with the remedy, never with the key."""
    keys: dict[str, bytes] = {}
    for part in text.get_secret_value().split(","):
        key_id, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not key_id.isalnum() or len(key) != _KEY_BYTES:
            raise ValueError("each of SEAL_KEYS must be <key id>:<base64 of 32 bytes>; make one with `openssl rand -base64 32`")
        keys[key_id] = key
    return keys


class Sealer:
    """Seals and opens secrets."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._primary = next(iter(keys))

    def seal(self, secret: SecretStr, owner: str) -> str:
        """Return the sealed form; only the same `owner` (for example `brand/channel`) opens it."""
        nonce = os.urandom(_NONCE_BYTES)
        box = self._ciphers[self._primary].encrypt(nonce, secret.get_secret_value().encode(), owner.encode())
        return f"{self._primary}.{base64.urlsafe_b64encode(nonce + box).decode()}"

    def open(self, sealed: str, owner: str) -> SecretStr:
        """Return the secret. Raises SealError when it was sealed for another owner, or with an unknown key."""
        key_id, _, encoded = sealed.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealError(f"sealed with the unknown key {key_id!r}: add it to SEAL_KEYS")
        try:
            data = base64.urlsafe_b64decode(encoded)
            return SecretStr(cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], owner.encode()).decode())
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SealError("the sealed value is damaged or belongs to another owner: store the secret again") from error

    def needs_rotation(self, sealed: str) -> bool:
        """Tell whether the value was sealed with an older key."""
        return not sealed.startswith(self._primary + ".")


def build_sealer(settings: SealSettings) -> Sealer:
    """Return what seals and opens with the installation's keys."""
    return Sealer(parse_keys(settings.seal_keys))
