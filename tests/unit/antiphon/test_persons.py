"""Records about people are sealed; whose key is gone is gone from every copy of a topic, and nobody else is."""

import itertools
import os
from collections.abc import Collection, Mapping

import pytest
from pydantic import SecretStr, ValidationError

from antiphon import persons
from antiphon.config_feed import Change
from antiphon.kafka import Record
from antiphon.persons import PersonIndex, PersonKey, PersonKeys, PersonSettings, RecordSealer
from antiphon.v1.config_pb2 import ConfigRecord, PersonConfig

TOPIC = "ingest.events.v1"
KEY = SecretStr("k" * 44)


class KeptKeys(PersonKeys):
    """Keys in a dictionary; counts how often it is asked."""

    def __init__(self) -> None:
        self.kept: dict[str, PersonKey] = {}
        self.asked = 0
        self._numbers = itertools.count()

    async def find(self, references: Collection[str]) -> Mapping[str, PersonKey]:
        self.asked += 1
        return {name: self.kept[name] for name in references if name in self.kept}

    async def make(self, references: Mapping[str, str]) -> Mapping[str, PersonKey]:
        self.asked += 1
        for name in references:
            self.kept.setdefault(name, PersonKey(f"{next(self._numbers):08x}", os.urandom(32)))
        return {name: self.kept[name] for name in references}


def record(value: bytes, headers: object, *, topic: str = TOPIC) -> Record:
    return Record(topic, 0, 7, b"acme/x", value, headers)  # type: ignore[arg-type]


async def sealed(keys: KeptKeys, person: str, words: bytes) -> Record:
    sealer = RecordSealer(keys)
    await sealer.prepare({person: "acme"})
    return record(*sealer.seal(TOPIC, person, words))


async def test_what_one_process_seals_another_opens() -> None:
    keys = KeptKeys()
    closed = await sealed(keys, "anna", b"hello from Anna")
    assert b"Anna" not in closed.value
    [opened] = await RecordSealer(keys).open([closed])
    assert opened is not None
    assert (opened.value, opened.offset, opened.key) == (b"hello from Anna", 7, b"acme/x")


async def test_whose_key_is_destroyed_is_passed_over_and_others_are_not() -> None:
    keys = KeptKeys()
    anna, bert = await sealed(keys, "anna", b"a"), await sealed(keys, "bert", b"b")
    del keys.kept["anna"]
    lost: list[int] = []
    found = await RecordSealer(keys, lost.append).open([anna, bert, record(b"plain", ())])
    assert [one and one.value for one in found] == [None, b"b", b"plain"]
    assert lost == [1]


async def test_somebody_who_comes_back_has_a_new_key_that_does_not_open_the_old_records() -> None:
    keys = KeptKeys()
    before = await sealed(keys, "anna", b"before")
    del keys.kept["anna"]
    after = await sealed(keys, "anna", b"after")
    found = await RecordSealer(keys).open([before, after])
    assert [one and one.value for one in found] == [None, b"after"]


async def test_a_process_that_knows_the_key_forgets_it_when_the_configuration_says_so() -> None:
    keys = KeptKeys()
    sealer = RecordSealer(keys)
    await sealer.prepare({"anna": "acme"})
    closed = record(*sealer.seal(TOPIC, "anna", b"a"))
    del keys.kept["anna"]
    assert (await sealer.open([closed]))[0] is not None
    sealer.follow([Change(1, "person/acme/anna", ConfigRecord(generation=1, person=PersonConfig(brand="acme", person="anna")))])
    assert await sealer.open([closed]) == [None]


async def test_a_damaged_record_is_given_back_as_it_came_so_that_it_is_put_aside() -> None:
    keys = KeptKeys()
    closed = await sealed(keys, "anna", b"hello")
    for broken in (closed.value[:-1], closed.value[:5], b"", bytes([closed.value[0] ^ 1]) + closed.value[1:]):
        damaged = record(broken, closed.headers)
        assert await RecordSealer(keys).open([damaged]) == [damaged]


async def test_a_record_does_not_open_as_one_of_another_topic() -> None:
    keys = KeptKeys()
    closed = await sealed(keys, "anna", b"hello")
    moved = record(closed.value, closed.headers, topic="rules.decisions.v1")
    assert await RecordSealer(keys).open([moved]) == [moved]


async def test_nobody_in_hand_is_pushed_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "_KNOWN", 3)
    keys = KeptKeys()
    first = [await sealed(keys, name, name.encode()) for name in "abc"]
    rest = [await sealed(keys, name, name.encode()) for name in "defgh"]
    sealer = RecordSealer(keys)
    await sealer.open(first)
    found = await sealer.open([*first, *rest])
    assert [one and one.value for one in found] == [name.encode() for name in "abcdefgh"]


async def test_known_people_cost_no_look_into_the_store() -> None:
    keys = KeptKeys()
    closed = await sealed(keys, "anna", b"hello")
    sealer = RecordSealer(keys)
    for _ in range(3):
        await sealer.open([closed])
    assert keys.asked == 2  # once to seal, once to open


async def test_without_a_key_a_record_goes_as_it_is() -> None:
    assert RecordSealer(KeptKeys()).seal(TOPIC, "anna", b"hello") == (b"hello", ())


def test_a_reference_names_nobody_and_differs_by_brand_and_platform() -> None:
    index = PersonIndex(KEY)
    found = {
        index.reference(*who)
        for who in (("acme", "facebook", "7001"), ("acme", "instagram", "7001"), ("beta", "facebook", "7001"))
    }
    assert len(found) == 3
    assert all(len(one) == 32 and "7001" not in one for one in found)
    assert index.reference("acme", "facebook", "7001") == PersonIndex(KEY).reference("acme", "facebook", "7001")
    assert PersonIndex(SecretStr("o" * 44)).reference("acme", "facebook", "7001") not in found
    assert PersonIndex(None).reference("acme", "facebook", "7001") == "7001"


def test_a_short_key_is_refused_without_being_quoted() -> None:
    with pytest.raises(ValidationError, match="openssl rand") as caught:
        PersonSettings(seal_keys=SecretStr("k1:" + "A" * 43 + "="), person_key=SecretStr("tooshort"))
    assert "tooshort" not in str(caught.value)
