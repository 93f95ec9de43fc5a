"""People on topics: whoever is asked to forget a person destroys one key, and every record about the person is unreadable.

A record about a person carries the header `sealed: <reference>.<key id>`; its value is AES-256-GCM under the person's own
key. The reference is a keyed hash, so that record keys and headers name nobody. Keys of persons are kept in one collection,
sealed at rest; destroying one is final (crypto-shredding), also for copies of the topics that nobody remembers.

Without `PERSON_KEY` records are plain, and a person leaves the topics with their retention.
"""

import hashlib
import hmac
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr, field_validator

from antiphon.config_feed import Change
from antiphon.kafka import Headers, Record
from antiphon.seal import SealSettings
from antiphon.topics import part_of, record_key

log = logging.getLogger(__name__)

HEADER: Final = "sealed"

_REFERENCE_BYTES = 16
"""128 bits of a keyed hash: two people of an installation never share one."""

_NONCE_BYTES = 12
"""The size GCM is specified for; random ones are safe for 2³² records a person."""

_SHORTEST_KEY = 32
"""Characters of `PERSON_KEY`: 24 random bytes in base64; a shorter one could be searched, and with it every reference."""

_KNOWN = 50_000
"""Keys of persons that a process holds, 200 bytes each; who is not among them costs one look into the store."""


class PersonSettings(SealSettings):
    """`PERSON_KEY`: the installation's secret from which references to people are made. It can never be changed."""

    person_key: SecretStr | None = None

    @field_validator("person_key")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_KEY:
            raise ValueError(f"PERSON_KEY needs {_SHORTEST_KEY} characters; make one with `openssl rand -base64 32`")
        return value


class PersonIndex:
    """How a person is referred to outside of sealed records."""

    def __init__(self, key: SecretStr | None) -> None:
        self._key = key.get_secret_value().encode() if key is not None else b""

    @property
    def hides(self) -> bool:
        """Whether references hide who they refer to."""
        return bool(self._key)

    def reference(self, brand: str, platform: str, author: str) -> str:
        """Return the person's part of a record key: 32 hex digits, or the plain id where nothing is hidden."""
        if not self._key:
            return author
        text = f"{brand}\x1f{platform}\x1f{author}"
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()[:_REFERENCE_BYTES].hex()


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A person's key. `key_id` tells it from one that the same person had before being forgotten."""

    key_id: str
    secret: bytes


class PersonKeys(Protocol):
    """Keeps the keys of persons. Every method raises Transient when the store is away."""

    async def find(self, references: Collection[str]) -> Mapping[str, PersonKey]:
        """Return those that exist, by reference."""
        ...

    async def make(self, references: Mapping[str, str]) -> Mapping[str, PersonKey]:
        """Return the keys of all references (reference → brand); make those that do not exist."""
        ...


class RecordSealer:
    """Seals and opens records; what it knows of keys is a cache."""

    def __init__(self, keys: PersonKeys, forgotten: Callable[[int], None] = lambda _count: None) -> None:
        self._keys = keys
        self._forgotten = forgotten
        self._known: OrderedDict[str, PersonKey] = OrderedDict()

    async def prepare(self, references: Mapping[str, str]) -> None:
        """Know the keys of all references (reference → brand), making those that do not exist. Raises Transient."""
        missing = {name: brand for name, brand in references.items() if name not in self._known}
        self._keep(references, await self._keys.make(missing) if missing else {})

    async def learn(self, references: Collection[str]) -> None:
        """Know the keys of those references that have one. Raises Transient."""
        missing = [name for name in references if name not in self._known]
        self._keep(references, await self._keys.find(missing) if missing else {})

    def forget(self, reference: str) -> None:
        """Know the key of a person no more."""
        self._known.pop(reference, None)

    def follow(self, changes: Iterable[Change]) -> None:
        """Forget whom the configuration says to forget."""
        for key in forgotten_keys(changes):
            self.forget(part_of(key))

    def seal(self, topic: str, reference: str, value: bytes) -> tuple[bytes, Headers]:
        """Return value and headers as they go to the topic: sealed where the person's key is known, else as they are."""
        key = self._known.get(reference)
        if key is None:
            return value, ()
        mark = f"{reference}.{key.key_id}".encode()
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(key.secret).encrypt(nonce, value, topic.encode() + mark), ((HEADER, mark),)

    async def open(self, records: Sequence[Record]) -> list[Record | None]:
        """Return the records in the same order, readable; None for what was forgotten. Raises Transient."""
        marks = [_mark(record.headers) for record in records]
        if not any(marks):
            return list(records)
        await self.learn({mark.partition(".")[0] for mark in marks if mark})
        opened = [self._opened(record, mark) if mark else record for record, mark in zip(records, marks, strict=True)]
        if lost := opened.count(None):
            log.info("records of forgotten people passed over", extra={"count": lost})
            self._forgotten(lost)
        return opened

    def _opened(self, record: Record, mark: str) -> Record | None:
        reference, _, key_id = mark.partition(".")
        key = self._known.get(reference)
        if key is None or key.key_id != key_id:
            return None
        nonce, box = record.value[:_NONCE_BYTES], record.value[_NONCE_BYTES:]
        try:
            value = AESGCM(key.secret).decrypt(nonce, box, record.topic.encode() + mark.encode())
        except (InvalidTag, ValueError):
            return record  # damaged: what decodes it will refuse it, and it is put aside as it came
        return replace(record, value=value)

    def _keep(self, asked: Collection[str], found: Mapping[str, PersonKey]) -> None:
        """Keep what was found; the longest unasked go first, so never one of those that are asked for now."""
        self._known.update(found)
        for name in asked:
            if name in self._known:
                self._known.move_to_end(name)
        while len(self._known) > max(_KNOWN, len(asked)):
            self._known.popitem(last=False)


def forgotten_keys(changes: Iterable[Change]) -> list[bytes]:
    """Return the record keys of the people whom the configuration says to forget."""
    people = [c.record.person for c in changes if c.record is not None and c.record.WhichOneof("entity") == "person"]
    return [record_key(person.brand, person.person) for person in people]


def _mark(headers: Headers) -> str:
    return next((value.decode(errors="replace") for name, value in headers if name == HEADER), "")
