"""Clicks, conversions and entries on the real log; and people who get where they wanted to without it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from antiphon.auth import NewKey, new_key
from antiphon.links import make_code
from antiphon.times import to_timestamp
from antiphon.v1 import config_pb2 as pb
from antiphon.v1 import event_pb2
from antiphon_local.kafka import Kafka
from antiphon_local.services import LocalServices

pytestmark = pytest.mark.local

ACK_S = 2.4
"""How long the log may take in these tests; people who follow a link wait a tenth of a second for it."""

ACTION = "9cc8b2413676ae0216c337dcba6f3c1e219a346b785458347a0224275b003e85"
URL = "https://acme.example/shipping?click={click}"
PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"}


def configuration(brand: str, key: NewKey) -> list[tuple[str, pb.ConfigRecord]]:
    """Return a brand with a link, a campaign that is open now, and an editor's key."""
    now = datetime.now(UTC)
    campaign = pb.CampaignConfig(
        brand=brand,
        campaign="summer",
        state=pb.CAMPAIGN_STATE_ACTIVE,
        form=True,
        start_time=to_timestamp(now - timedelta(hours=1)),
        end_time=to_timestamp(now + timedelta(hours=1)),
    )
    api_key = pb.ApiKeyConfig(key_id=key.key_id, secret_sha256=key.secret_sha256, brands=[brand], role="editor")
    return [
        (f"brand/{brand}/", pb.ConfigRecord(generation=1, brand=pb.BrandConfig(brand=brand))),
        (f"link/{brand}/ship", pb.ConfigRecord(generation=1, link=pb.LinkConfig(brand=brand, link="ship", url=URL))),
        (f"campaign/{brand}/summer", pb.ConfigRecord(generation=1, campaign=campaign)),
        (f"api_key//{key.key_id}", pb.ConfigRecord(generation=1, api_key=api_key)),
    ]


async def lost(client: httpx.AsyncClient, edge: Any, reason: str) -> float:
    text = (await client.get(edge.url + "/metrics")).text
    series = f'antiphon_ingest_clicks_lost_total{{reason="{reason}"}} '
    return float(next(line for line in text.splitlines() if line.startswith(series)).split()[-1])


async def known(client: httpx.AsyncClient, helpers: Any, address: str) -> None:
    """Wait until a link is known, without clicking."""

    async def there() -> bool:
        return (await client.head(address)).status_code == 302

    await helpers.until(there)


async def test_a_click_its_conversion_and_an_entry(edge: Any, client: httpx.AsyncClient, helpers: Any, unique_name: Any) -> None:
    brand, key = unique_name("brand"), new_key()
    code = make_code(helpers.LINK_KEY, brand=brand, link="ship", action_id=ACTION)
    await helpers.configure(edge.bootstrap, *configuration(brand, key))
    await known(client, helpers, f"{edge.url}/l/{code}")
    editor = {"Authorization": f"Bearer {key.token}"}

    landed = await client.get(f"{edge.url}/l/{code}", headers=PHONE)
    click = httpx.URL(landed.headers["location"]).params["click"]
    order = {"brand": brand, "reference": "order-7781", "value": 49, "currency": "EUR", "click": click, "code": code}
    for _ in range(2):
        answer = await client.post(f"{edge.url}/v1/conversions", json=order, headers=editor)
        assert answer.status_code == 202, answer.text
    entry = {"reference": "0b6e", "person": {"id": "mail:2f5d", "name": "Ana"}, "text": "My summer"}
    path = f"{edge.url}/v1/brands/{brand}/campaigns/summer/submissions"
    assert (await client.post(path, json=entry, headers=editor)).status_code == 202

    records = await edge.web_records(brand)
    events = {event.kind: event for event in (event_pb2.Event.FromString(record.value) for record in records)}
    assert len(records) == 4
    assert len({dict(record.headers)["ce_id"] for record in records}) == 3, "a conversion reported twice is one event"

    clicked = events[event_pb2.EVENT_KIND_CLICK]
    assert clicked.event_id == click
    assert clicked.referral == event_pb2.Referral(link="ship", action_id=ACTION)
    assert (clicked.brand, clicked.platform, clicked.source) == (brand, event_pb2.PLATFORM_WEB, "links")
    assert f"{brand}/{clicked.author.id}".encode() in {record.key for record in records}

    converted = events[event_pb2.EVENT_KIND_CONVERSION]
    assert converted.referral == event_pb2.Referral(
        link="ship", action_id=ACTION, click=click, reference="order-7781", value=49, currency="EUR"
    )
    entered = events[event_pb2.EVENT_KIND_SUBMISSION]
    assert (entered.campaign, entered.text, entered.author.id) == ("summer", "My summer", "mail:2f5d")
    assert {dict(record.headers)["ce_source"] for record in records} == {b"/links", b"/conversions", b"/forms"}


async def test_what_was_redirected_before_a_stop_is_on_the_log(
    edge: Any, client: httpx.AsyncClient, helpers: Any, unique_name: Any
) -> None:
    brand = unique_name("brand")
    await helpers.configure(edge.bootstrap, *configuration(brand, new_key()))
    edge.process.stop()
    edge.start(INGEST_CLICK_WAIT_SECONDS="0")
    await edge.ready(client)
    codes = [make_code(helpers.LINK_KEY, brand=brand, link="ship", action_id=f"{number:064x}") for number in range(100)]
    answers = await asyncio.gather(*[client.get(f"{edge.url}/l/{code}", headers=PHONE) for code in codes])
    assert {answer.status_code for answer in answers} == {302}
    assert await asyncio.to_thread(edge.process.stop) == 0
    events = [event_pb2.Event.FromString(record.value) for record in await edge.web_records(brand)]
    assert {event.referral.action_id for event in events} == {f"{number:064x}" for number in range(100)}


async def test_the_broker_dies_and_people_get_there(
    own_kafka: Kafka, local_services: LocalServices, tmp_path: Path, unique_name: Any, client: httpx.AsyncClient, helpers: Any
) -> None:
    edge = helpers.make_edge(tmp_path, own_kafka.address, local_services.mongo.address, unique_name("ingest"))
    brand = unique_name("brand")
    code = make_code(helpers.LINK_KEY, brand=brand, link="ship", action_id=ACTION)
    await helpers.configure(own_kafka.address, *configuration(brand, new_key()))
    await edge.mark()
    edge.start(INGEST_ACK_DEADLINE_SECONDS=f"{ACK_S:g}")
    try:
        await edge.ready(client)
        await asyncio.to_thread(own_kafka.kill)
        for _ in range(5):
            started = time.monotonic()
            answer = await client.get(f"{edge.url}/l/{code}", headers=PHONE)
            assert answer.status_code == 302
            assert time.monotonic() - started < ACK_S

        async def all_lost() -> bool:
            reasons = [await lost(client, edge, reason) for reason in ("unavailable", "timeout")]
            return sum(reasons) == 5

        await helpers.until(all_lost)
        await asyncio.to_thread(own_kafka.start)
        await edge.ready(client)
        after = await client.get(f"{edge.url}/l/{code}", headers=PHONE)
        click = httpx.URL(after.headers["location"]).params["click"]

        async def recorded() -> bool:
            return click in {event_pb2.Event.FromString(one.value).event_id for one in await edge.web_records(brand)}

        await helpers.until(recorded)
    finally:
        edge.process.stop()
