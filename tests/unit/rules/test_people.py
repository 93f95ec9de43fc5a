"""Forgetting goes on whatever the store has become."""

import asyncio

import pytest

from antiphon.config_feed import Change
from antiphon.process import background
from antiphon.v1.config_pb2 import ConfigRecord, PersonConfig
from rules import people
from rules.people import PeopleService


class EmptyStore:
    """A store that was set back to before it knew of anybody."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, _kind: type, _brand: str, key: str) -> None:
        self.asked.append(key)


async def test_a_person_on_the_topic_whom_the_store_lacks_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_TIDY_SECONDS", 0.001)
    store, unused = EmptyStore(), dict.fromkeys(("changes", "configuration", "index", "sealer", "keys", "notes", "history"))
    service = PeopleService(store=store, **unused)  # type: ignore[arg-type]
    for reference in ("p1", "p2"):
        record = ConfigRecord(person=PersonConfig(brand="acme", person=reference, sealed_author=b"sealed"))
        service.follow([Change(1, f"person/acme/{reference}", record)])
    async with background(service.tidy()) as ended:
        while len(store.asked) < 2:
            assert not ended.done()
            await asyncio.sleep(0)
        assert not ended.done()
    assert sorted(store.asked) == ["p1", "p2"], "nobody is asked for again"
