"""Secrets that sign notifications, in the real store: rotation, ownership, races."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from antiphon.mongo import Database, connect
from antiphon.seal import Sealer, parse_keys
from antiphon.settings import MongoSettings
from antiphon.testing import FakeClock
from publisher.adapters.mongo_channels import MongoChannels
from publisher.adapters.mongo_secrets import FRESH_SECONDS, MongoSecrets
from publisher.ports import Channel

pytestmark = pytest.mark.local

KEYS = SecretStr("k1:" + base64.b64encode(bytes(32)).decode())


class Stage(NamedTuple):
    """The store as two processes see it, and their clock."""

    database: Database
    clock: FakeClock
    api: MongoSecrets
    worker: MongoSecrets

    async def seen(self, brand: str = "b", name: str = "crm") -> list[str]:
        """What the worker signs with once its cache has run out."""
        self.clock.advance(FRESH_SECONDS)
        return [secret.get_secret_value() for secret in await self.worker.valid(brand, name)]

    async def put(self, text: str, overlap: float = 60.0, name: str = "crm") -> float | None:
        return (await self.api.put("b", name, SecretStr(text), overlap)).previous_until


@pytest.fixture
async def stage(mongo_uri: str, unique_name: Callable[[str], str]) -> AsyncIterator[Stage]:
    settings = MongoSettings(mongo_uri=SecretStr(mongo_uri), mongo_database=unique_name("secrets"))
    client, database = connect(settings)
    clock, sealer = FakeClock(), Sealer(parse_keys(KEYS))
    stores = [MongoSecrets(database, sealer, clock) for _ in range(2)]
    await stores[0].prepare()
    yield Stage(database, clock, *stores)
    client.close()


async def test_the_one_before_signs_beside_the_new_one_for_a_while(stage: Stage) -> None:
    assert await stage.seen() == []
    assert await stage.put("one") is None
    assert await stage.seen() == ["one"]
    until = await stage.put("two")
    assert until == stage.clock.now().timestamp() + 60.0
    assert await stage.seen() == ["two", "one"]
    await stage.put("three")
    assert await stage.seen() == ["three", "two"], "never more than two"
    stage.clock.advance(60.0)
    assert await stage.seen() == ["three"]
    assert [line.previous_until for line in await stage.api.browse("b", 9)] == [None]


async def test_without_overlap_the_old_one_is_out_at_once(stage: Stage) -> None:
    await stage.put("leaked")
    await stage.put("new", overlap=0.0)
    assert await stage.seen() == ["new"]
    assert await stage.api.remove("b", "crm")
    assert await stage.seen() == []
    assert not await stage.api.remove("b", "crm")


async def test_a_secret_stored_late_is_found_at_once(stage: Stage) -> None:
    assert list(await stage.worker.valid("b", "crm")) == []
    await stage.put("one")
    assert len(await stage.worker.valid("b", "crm")) == 1


async def test_nothing_stored_can_be_read_or_put_elsewhere(stage: Stage) -> None:
    await stage.put("very-secret")
    stored = await stage.database["secrets"].find_one({"_id": "b/crm"})
    assert stored is not None
    assert "very-secret" not in repr(stored)
    sealed = stored["keys"][0]["sealed"]
    channels = MongoChannels(stage.database, Sealer(parse_keys(KEYS)), stage.clock)
    await channels.put(Channel("b", "crm", "facebook", "1", SecretStr("token")))
    await stage.database["channels"].update_one({"_id": "b/crm"}, {"$set": {"credential": sealed}})
    found = await channels.get("b", "crm")
    assert found is not None
    assert found.credential.get_secret_value() == "", "a secret is no credential"
    for brand, name in (("foreign", "crm"), ("b", "other")):
        moved = {**stored, "_id": f"{brand}/{name}", "brand": brand, "name": name}
        await stage.database["secrets"].insert_one(moved)
        assert await stage.seen(brand, name) == []


async def test_of_changes_at_the_same_time_the_last_two_stand(stage: Stage) -> None:
    names = [f"s{number}" for number in range(5)]
    await asyncio.gather(*(stage.put(name) for name in names))
    seen = await stage.seen()
    assert len(seen) == len({*seen} & {*names}) == 2
