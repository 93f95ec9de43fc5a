"""A bucket of another shape is never read as something else: it is marked, taken away and built again."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from antiphon.errors import Transient
from antiphon.mongo import connect
from antiphon.settings import MongoSettings
from metrics.adapters.mongo import MongoHours
from metrics.domain.hour import Hour
from metrics.domain.periods import HOUR, Scope
from metrics.ports import Mark

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def test_it_is_marked_once_and_read_after_it_is_built(mongo_uri: str, unique_name: Callable[[str], str]) -> None:
    settings = MongoSettings(mongo_uri=SecretStr(mongo_uri), mongo_database=unique_name("hours"))
    client, database = connect(settings)
    hours = MongoHours(database, timeout_ms=20_000)
    await hours.prepare()
    old: dict[str, Any] = {"_id": "acme/2026-03-02T12", "brand": "acme", "hour": NOON, "token": "old", "latency": b"[[1, 2]]"}
    await database["kpi_hours"].insert_one(old)
    scope = Scope(frozenset({"acme"}), NOON, NOON + HOUR)
    with pytest.raises(Transient, match="built again"):
        await hours.hours(scope, ["latency"])
    assert await hours.dirty(scope) == {("acme", NOON)}
    assert await hours.hours(scope, ["latency"]) == [], "until then the records are read"
    assert await hours.put(Mark("acme", NOON, "new"), Hour(), await hours.basis("acme", NOON))
    assert await hours.hours(scope, ["latency"]) == [("acme", NOON, Hour())]
    await client.drop_database(database.name)
    client.close()
