"""The fake store and the real one keep subscriptions alike."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from antiphon.errors import Transient
from antiphon.mongo import connect
from antiphon.seal import Sealer, parse_keys
from antiphon.settings import MongoSettings
from ingest.adapters.mongo import COLLECTION, MongoSourceStore
from ingest.domain import Account, Secret, Source
from ingest.ports import SourceStore
from ingest.testing import MemorySourceStore

pytestmark = pytest.mark.local

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEYS = "k1:" + "A" * 43 + "="


def source(source_id: str) -> Source:
    secrets = (Secret("b", b"canary-newer", NOW), Secret("a", b"canary-older", NOW, NOW + timedelta(hours=1)))
    accounts = {name: Account(name, "acme", "page") for name in ("1", "2")}
    return Source(source_id, "facebook", b"canary-verify", secrets, accounts)


@pytest.fixture(params=["memory", "mongo"])
async def store(request: pytest.FixtureRequest, mongo_uri: str, unique_name: Callable[[str], str]) -> AsyncIterator[SourceStore]:
    if request.param == "memory":
        yield MemorySourceStore()
        return
    client, database = connect(MongoSettings(mongo_uri=SecretStr(mongo_uri), mongo_database=unique_name("store")))
    try:
        yield MongoSourceStore(database, Sealer(parse_keys(SecretStr(KEYS))))
    finally:
        client.close()


async def test_store_keeps_what_it_is_given(store: SourceStore) -> None:
    first, second = source("a"), source("b")
    assert [await store.insert(one) for one in (second, first, first)] == [True, True, False]
    assert list(await store.load(["a", "none"])) == [first]
    assert await store.generations() == {"a": 1, "b": 1}
    assert [one.id for one in await store.page("", 10)] == ["a", "b"]
    assert [one.id for one in await store.page("a", 10)] == ["b"]
    assert [one.id for one in await store.page("", 1)] == ["a"]


async def test_store_replaces_only_the_generation_it_was_told(store: SourceStore) -> None:
    first = source("a")
    assert await store.insert(first)
    changed = replace(first, generation=2, secrets=first.secrets[:1])
    assert [await store.replace(changed, 1), await store.replace(changed, 1)] == [True, False]
    assert list(await store.load(["a"])) == [changed]
    gone = replace(first, generation=3, active=False, secrets=(), verify_token=b"", accounts={})
    assert await store.replace(gone, 2)
    assert list(await store.load(["a"])) == [gone]
    assert list(await store.page("", 10)) == []
    assert await store.generations() == {"a": 3}


async def test_secrets_are_sealed_for_their_subscription(mongo_uri: str, unique_name: Callable[[str], str]) -> None:
    client, database = connect(MongoSettings(mongo_uri=SecretStr(mongo_uri), mongo_database=unique_name("store")))
    try:
        store = MongoSourceStore(database, Sealer(parse_keys(SecretStr(KEYS))))
        assert await store.insert(source("a"))
        assert await store.insert(source("b"))
        document: Any = await database[COLLECTION].find_one({"_id": "a"})
        assert "canary" not in repr(document)
        # Moved to another subscription they do not open, and the others are served on.
        await database[COLLECTION].update_one({"_id": "b"}, {"$set": {"secrets": document["secrets"]}})
        assert [one.id for one in await store.load(["a", "b"])] == ["a"]
    finally:
        client.close()


async def test_store_that_is_away_is_transient() -> None:
    settings = MongoSettings(mongo_uri=SecretStr("mongodb://127.0.0.1:9/?directConnection=true"))
    client, database = connect(settings)
    try:
        store = MongoSourceStore(database, Sealer(parse_keys(SecretStr(KEYS))))
        for call in (store.page("", 1), store.insert(source("a"))):
            with pytest.raises(Transient) as raised:
                await call
            assert "127.0.0.1" not in str(raised.value)
    finally:
        client.close()
