"""The summary over HTTP: who sees what, which periods are right, and what the document says."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from typing_extensions import override

from antiphon.auth import KeyRing, NewKey, new_key
from antiphon.config_feed import Change
from antiphon.errors import Transient
from antiphon.http import build_api
from antiphon.telemetry import Telemetry
from antiphon.testing import FakeClock
from antiphon.v1.config_pb2 import ApiKeyConfig, ConfigRecord
from metrics.adapters.http import register_routes
from metrics.adapters.table import safe
from metrics.domain.facts import EventFact
from metrics.domain.periods import Scope, floor
from metrics.reading import Reader
from metrics.reporting import ReportService
from metrics.testing import MemoryFacts, MemoryHolds, MemoryHours, MemoryNames, MemoryTrees

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class AwayAtWill(MemoryFacts):
    """A store that can be away."""

    away = False

    @override
    async def records(self, scope: Scope) -> Any:
        if self.away:
            raise Transient("the document store failed: AutoReconnect")
        return await super().records(scope)


class Rig:
    """The API over facts in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.facts = AwayAtWill()
        self._ring = KeyRing(self.clock)
        self.app: FastAPI = build_api("metrics", telemetry=Telemetry("metrics"), readiness=self._ready, keys=self._ring)
        self.hours = MemoryHours()
        reports = ReportService(
            reader=Reader(facts=self.facts, hours=self.hours),
            trees=MemoryTrees(),
            holds=MemoryHolds(),
            names=MemoryNames(),
            clock=self.clock,
            lost_grace=timedelta(seconds=60),
        )
        register_routes(self.app, reports=reports, clock=self.clock)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://metrics")

    async def _ready(self) -> Mapping[str, bool]:
        return {"store": not self.facts.away}

    def key(self, *brands: str, role: str = "viewer") -> NewKey:
        key = new_key()
        config = ApiKeyConfig(key_id=key.key_id, secret_sha256=key.secret_sha256, brands=brands, role=role)
        self._ring.apply([Change(0, f"api_key//{key.key_id}", ConfigRecord(generation=1, api_key=config))])
        return key

    async def get(self, key: NewKey | None, report: str = "summary", **parameters: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {key.token}"} if key else {}
        return await self.client.get(f"/v1/reports/{report}", params=parameters, headers=headers)

    async def have(self, identity: str, brand: str, age: timedelta) -> None:
        moment = NOW - age
        fact = EventFact(
            event_id=identity,
            brand=brand,
            platform="facebook",
            channel="main",
            kind="comment",
            verb="create",
            echo=False,
            event_time=moment,
            received_time=moment,
        )
        await self.hours.raise_marks([(brand, floor(moment))], identity)
        await self.facts.add([fact])


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    await rig.have("e1", "acme", timedelta(days=1))
    await rig.have("e2", "acme", timedelta(days=8))
    await rig.have("e3", "other", timedelta(seconds=10))
    async with rig.client:
        yield rig


async def test_the_last_seven_days_are_the_default(rig: Rig) -> None:
    answer = await rig.get(rig.key("acme"), brand="acme")
    document = orjson.loads(answer.content)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert (document["brand"], document["from"], document["to"]) == ("acme", "2026-02-23T12:00:00Z", "2026-03-02T12:00:00Z")
    assert document["events"] == {
        "total": 1,
        "by_platform": {"facebook": 1},
        "by_kind": {"comment": 1},
        "by_verb": {"create": 1},
        "echoes": 0,
    }
    assert document["latency_ms"]["platform_to_posted"] == {"count": 0, "p50": None, "p95": None, "p99": None}
    assert (document["lost"], document["lost_grace_seconds"], document["response"]["rate"]) == (1, 60.0, 0.0)


async def test_a_period_may_be_given_with_any_offset(rig: Rig) -> None:
    answer = await rig.get(
        rig.key("acme"), **{"brand": "acme", "from": "2026-02-22T13:00:00+01:00", "to": "2026-02-23T00:00:00Z"}
    )
    assert orjson.loads(answer.content)["events"]["total"] == 1


async def test_without_a_brand_a_key_sees_all_its_brands_and_no_other(rig: Rig) -> None:
    totals = {}
    for brands in [("*",), ("acme", "other"), ("other",), ("nobody",)]:
        document = orjson.loads((await rig.get(rig.key(*brands))).content)
        totals[brands] = document["events"]["total"]
        assert document["brand"] is None
    assert totals == {("*",): 2, ("acme", "other"): 2, ("other",): 1, ("nobody",): 0}


async def test_an_event_within_the_grace_is_not_lost_yet(rig: Rig) -> None:
    assert orjson.loads((await rig.get(rig.key("other"))).content)["lost"] == 0
    rig.clock.advance(120)
    assert orjson.loads((await rig.get(rig.key("other"))).content)["lost"] == 1


async def test_a_foreign_brand_does_not_exist(rig: Rig) -> None:
    foreign = await rig.get(rig.key("acme"), brand="other")
    nowhere = await rig.get(rig.key("acme"), brand="never-seen")
    assert (foreign.status_code, nowhere.status_code) == (404, 404)
    assert foreign.text.replace("other", "never-seen") == nowhere.text


async def test_without_a_good_key_there_is_nothing(rig: Rig) -> None:
    forged = NewKey("x" * 12, "ak_" + "x" * 12 + "_" + "y" * 43, b"")
    for key in (None, forged):
        answer = await rig.get(key, brand="acme")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"from": "yesterday"}, "/from"),
        ({"from": "2026-03-01T00:00:00"}, "/from"),
        ({"from": "2026-03-01"}, "/from"),
        ({"from": "1700000000"}, "/from"),
        ({"to": "2026-13-01T00:00:00Z"}, "/to"),
        ({"from": "2026-03-02T12:00:00Z", "to": "2026-03-02T12:00:00Z"}, "/from"),
        ({"to": "0001-01-02T00:00:00Z"}, "/to"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "/to"),
        ({"from": "9999-12-31T23:00:00-14:00"}, "/from"),
        ({"brand": ""}, "/brand"),
        ({"granularity": "decade"}, "/granularity"),
        ({"granularity": "hour", "from": "2025-03-02T12:00:00Z"}, "/granularity"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"timezone": "../../etc/passwd"}, "/timezone"),
        ({"compare": "true", "from": "0001-01-02T00:00:00Z"}, "/from"),
        ({"format": "pdf"}, "/format"),
        ({"brand": "x" * 200}, "/brand"),
    ],
)
async def test_wrong_parameters_are_named(rig: Rig, parameters: dict[str, str], pointer: str) -> None:
    answer = await rig.get(rig.key("*"), **parameters)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in orjson.loads(answer.content)["errors"]] == [pointer]


async def test_a_store_that_is_away_is_said_so(rig: Rig) -> None:
    rig.facts.away = True
    answer = await rig.get(rig.key("*"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (await rig.client.get("/readyz")).status_code == 503
    assert (await rig.client.get("/healthz")).status_code == 200


async def test_the_document_is_described_as_it_is(rig: Rig) -> None:
    description = orjson.loads((await rig.client.get("/openapi.json")).content)
    schema = description["components"]["schemas"]["SummaryReport"]
    answer = orjson.loads((await rig.get(rig.key("*"))).content)
    assert set(schema["properties"]) == set(answer)
    assert "antiphon_metrics_duplicates_total" in schema["description"]
    operation = description["paths"]["/v1/reports/summary"]["get"]
    asked = {"brand", "from", "to", "granularity", "timezone", "compare", "format"}
    assert {parameter["name"] for parameter in operation["parameters"]} == asked
    assert set(operation["responses"]) == {"200", "401", "403", "404", "422", "429", "503"}


@pytest.mark.parametrize("name", ["cobra", "ewom", "campaigns", "influencers", "responses", "guard"])
async def test_every_report_has_its_period_its_series_and_the_period_before(rig: Rig, name: str) -> None:
    asked = {"granularity": "day", "timezone": "Asia/Kolkata", "compare": "true"}
    document = orjson.loads((await rig.get(rig.key("acme"), name, **asked)).content)
    assert (document["timezone"], document["granularity"], len(document["series"])) == ("Asia/Kolkata", "day", 8)
    assert document["series"][1]["from"] == "2026-02-23T18:30:00Z"
    assert (document["before"]["from"], document["before"]["to"]) == ("2026-02-16T12:00:00Z", "2026-02-23T12:00:00Z")
    assert set(document["series"][0]["total"]) == set(document["before"]["total"]) == set(document["total"])
    assert (await rig.get(rig.key("acme"), name, brand="other")).status_code == 404
    description = orjson.loads((await rig.client.get("/openapi.json")).content)
    operation = description["paths"][f"/v1/reports/{name}"]["get"]
    assert set(operation["responses"]["200"]["content"]) == {"application/json", "text/csv"}


async def test_csv_has_one_row_for_each_figure(rig: Rig) -> None:
    by_format = await rig.get(rig.key("acme"), "cobra", brand="acme", format="csv", granularity="day")
    assert by_format.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    rows = list(csv.DictReader(io.StringIO(by_format.text)))
    assert rows[0] == {
        "report": "cobra", "brand": "acme", "from": "2026-02-23T12:00:00Z", "to": "2026-03-02T12:00:00Z",
        "part": "total", "figure": "total.events.consuming.count", "value": "0",
    }  # fmt: skip
    assert {row["part"] for row in rows} == {"total", "point"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_spreadsheet_takes_a_word_for_a_formula(cell: str) -> None:
    assert safe(cell) == "'" + cell
    assert (safe(-1), safe("acme-1"), safe(True)) == (-1, "acme-1", "true")
