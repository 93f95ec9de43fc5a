"""What the brand's own systems report: conversions and entries by form, each an event, however often it is sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from antiphon.links import make_code
from antiphon.times import to_timestamp
from antiphon.v1 import config_pb2 as pb
from ingest.domain import Author, Kind, Media, Platform, Referral

KEY = b"k" * 32
ACTION = "9cc8b2413676ae0216c337dcba6f3c1e219a346b785458347a0224275b003e85"
CODE = make_code(KEY, brand="acme", link="shipping-page", action_id=ACTION)
CLICK = "0" * 64
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

ORDER = {"brand": "acme", "reference": "order-7781", "value": 49.0, "currency": "EUR"}
ENTRY = {"reference": "0b6e", "person": {"id": "mail:2f5d", "name": "Ana Silva"}, "text": "My summer with acme"}


@pytest.fixture
def web(edge: Any) -> Any:
    """The edge with two brands and a campaign that runs for a day."""
    for brand in ("acme", "zeta"):
        edge.configure(f"brand/{brand}/", brand=pb.BrandConfig(brand=brand))
    campaign(edge)
    return edge


def campaign(edge: Any, **changes: Any) -> None:
    fields = {
        "brand": "acme",
        "campaign": "summer-ugc",
        "state": pb.CAMPAIGN_STATE_ACTIVE,
        "form": True,
        "start_time": to_timestamp(NOON - timedelta(hours=12)),
        "end_time": to_timestamp(NOON + timedelta(hours=12)),
    }
    edge.configure("campaign/acme/summer-ugc", campaign=pb.CampaignConfig(**fields | changes))


async def convert(web: Any, body: object, *brands: str, role: str = "editor") -> httpx.Response:
    answer: httpx.Response = await web.client.post("/v1/conversions", json=body, headers=web.key(role, *(brands or ("acme",))))
    return answer


async def submit(web: Any, body: object, path: str = "acme/campaigns/summer-ugc", *brands: str) -> httpx.Response:
    headers = web.key("editor", *(brands or ("acme",)))
    answer: httpx.Response = await web.client.post(f"/v1/brands/{path}/submissions", json=body, headers=headers)
    return answer


def faults(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {error["pointer"]: error["detail"] for error in answer.json()["errors"]}


async def test_a_conversion_becomes_an_event(web: Any) -> None:
    answer = await convert(
        web, ORDER | {"click": CLICK, "code": CODE, "visitor": "v-93ab41", "time": "2026-03-02T12:30:00+01:00"}
    )
    assert answer.status_code == 202, answer.text
    (event,) = web.log.events
    assert answer.json() == {"items": [{"brand": "acme", "reference": "order-7781", "event_id": event.event_id}]}
    assert (event.platform, event.kind, event.account) == (Platform.WEB, Kind.CONVERSION, "acme")
    assert event.object == "conversion/order-7781"
    assert event.author == Author("v-93ab41")
    assert event.event_time == NOON - timedelta(minutes=30)
    assert event.referral == Referral("shipping-page", ACTION, CLICK, "order-7781", 49.0, "EUR")
    assert await web.metric('antiphon_ingest_events_total{kind="conversion",platform="web"}') == 1


async def test_a_conversion_from_nowhere_is_one_as_well(web: Any) -> None:
    await convert(web, {"brand": "acme", "reference": "signup-1"})
    assert web.log.events[0].referral == Referral(reference="signup-1")
    assert web.log.events[0].event_time == web.clock.now()


async def test_reporting_it_again_makes_the_same_event(web: Any) -> None:
    first, again = [(await convert(web, ORDER | {"value": value})).json() for value in (49, 50)]
    assert first == again
    other = (await convert(web, ORDER | {"brand": "zeta"}, "zeta")).json()
    assert other["items"][0]["event_id"] != first["items"][0]["event_id"]


async def test_a_hundred_in_one_request(web: Any) -> None:
    reports = [ORDER | {"reference": f"order-{number}", "brand": ("acme", "zeta")[number % 2]} for number in range(100)]
    answer = await convert(web, reports, "acme", "zeta")
    assert [item["event_id"] for item in answer.json()["items"]] == [event.event_id for event in web.log.events]
    assert {event.account for event in web.log.events} == {"acme", "zeta"}
    assert "" in faults(await convert(web, [*reports, ORDER], "acme", "zeta"))
    assert "" in faults(await convert(web, []))


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"value": -1}, "/value", "greater than or equal"),
        ({"value": "much"}, "/value", "number"),
        ({"currency": "euro"}, "/currency", "pattern"),
        ({"currency": ""}, "", "needs its currency"),
        ({"reference": "with space"}, "/reference", "pattern"),
        ({"reference": ""}, "/reference", "pattern"),
        ({"brand": {"$gt": ""}}, "/brand", "string"),
        ({"click": "abc"}, "/click", "pattern"),
        ({"time": "2026-03-02T12:00:00"}, "/time", "timezone"),
        ({"time": "2026-03-02T12:05:01Z"}, "/time", "in the future"),
        ({"code": "1AAAA"}, "/code", "no code of the brand's links"),
        ({"code": make_code(b"f" * 32, brand="acme", link="a")}, "/code", "no code of the brand's links"),
        ({"code": make_code(KEY, brand="zeta", link="a")}, "/code", "no code of the brand's links"),
        ({"email": "ana@example.org"}, "/email", "no such field"),
    ],
)
async def test_what_is_wrong_is_pointed_at_alone_and_in_a_list(web: Any, change: Any, pointer: str, words: str) -> None:
    alone = faults(await convert(web, ORDER | change, "acme", "zeta"))
    listed = faults(await convert(web, [ORDER, ORDER | change], "acme", "zeta"))
    assert words in alone[pointer]
    assert words in listed["/1" + pointer]
    assert web.log.events == []


async def test_a_foreign_brand_and_one_that_does_not_exist_look_the_same(web: Any) -> None:
    foreign = await convert(web, ORDER | {"brand": "zeta"})
    nobody = await convert(web, ORDER | {"brand": "none"}, "*")
    assert (foreign.status_code, nobody.status_code) == (404, 404)
    assert foreign.text.replace("zeta", "none") == nobody.text
    mixed = await convert(web, [ORDER, ORDER | {"brand": "zeta"}])
    assert mixed.status_code == 404
    assert web.log.events == []


async def test_the_log_is_away(web: Any) -> None:
    web.log.down = True
    for answer in (await convert(web, ORDER), await submit(web, ENTRY)):
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert "retry-after" in answer.headers
    web.log.down = False
    assert (await convert(web, ORDER)).status_code == 202


async def test_before_the_configuration_is_known(web: Any) -> None:
    web.directory.complete = lambda: False
    assert (await convert(web, ORDER)).status_code == 503
    assert (await submit(web, ENTRY)).status_code == 503


async def test_an_entry_becomes_an_event(web: Any) -> None:
    media = [{"type": "image", "url": "https://uploads.acme.example/0b6e.jpg"}]
    answer = await submit(web, ENTRY | {"media": media, "time": "2026-03-02T11:00:00Z"})
    assert answer.status_code == 202, answer.text
    (event,) = web.log.events
    assert answer.json() == {"reference": "0b6e", "event_id": event.event_id}
    assert (event.platform, event.kind, event.account, event.campaign) == (Platform.WEB, Kind.SUBMISSION, "acme", "summer-ugc")
    assert event.object == "form/summer-ugc/0b6e"
    assert event.author == Author("mail:2f5d", "Ana Silva")
    assert (event.text, list(event.media)) == ("My summer with acme", [Media("image", media[0]["url"])])
    assert event.event_time == NOON - timedelta(hours=1)
    again = await submit(web, ENTRY)
    assert again.json() == answer.json()


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"form": False}, "no_form", "switch its form on"),
        ({"state": pb.CAMPAIGN_STATE_PAUSED}, "not_open", "is paused"),
        ({"state": pb.CAMPAIGN_STATE_DRAFT}, "not_open", "is draft"),
        ({"start_time": to_timestamp(NOON + timedelta(hours=1))}, "not_open", "from 2026-03-02T13:00:00+00:00"),
        ({"end_time": to_timestamp(NOON)}, "not_open", "until 2026-03-02T12:00:00+00:00"),
    ],
)
async def test_a_campaign_that_takes_no_entries_says_why(web: Any, changes: Any, code: str, words: str) -> None:
    campaign(web, **changes)
    answer = await submit(web, ENTRY)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert words in answer.json()["detail"]
    assert web.log.events == []


async def test_an_entry_from_before_the_start_is_not_taken_either(web: Any) -> None:
    answer = await submit(web, ENTRY | {"time": "2026-03-01T23:59:59Z"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_open")


async def test_a_campaign_that_is_not_there(web: Any) -> None:
    assert (await submit(web, ENTRY, "acme/campaigns/never")).status_code == 404
    foreign = await submit(web, ENTRY, "zeta/campaigns/summer-ugc")
    nobody = await submit(web, ENTRY, "none/campaigns/summer-ugc")
    assert foreign.status_code == 404
    assert foreign.text.replace("zeta", "none") == nobody.text
    campaign(web, deleted=True)
    assert (await submit(web, ENTRY)).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"person": {}}, "/person/id"),
        ({"person": {"id": "with space"}}, "/person/id"),
        ({"reference": None}, "/reference"),
        ({"text": "x" * 10_001}, "/text"),
        ({"media": [{"type": "image", "url": "http://a.example"}]}, "/media/0/url"),
        ({"media": [{"type": "file", "url": "https://a.example"}]}, "/media/0/type"),
        ({"media": [{"type": "image", "url": "https://a.example"}] * 11}, "/media"),
        ({"time": "2026-03-02T12:05:01Z"}, "/time"),
        ({"consent": True}, "/consent"),
    ],
)
async def test_what_is_wrong_with_an_entry_is_pointed_at(web: Any, change: Any, pointer: str) -> None:
    assert pointer in faults(await submit(web, ENTRY | change))
    assert web.log.events == []


async def test_viewers_report_nothing(web: Any) -> None:
    assert (await convert(web, ORDER, role="viewer")).status_code == 403
    assert (await web.client.post("/v1/conversions", json=ORDER)).status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[", b"7", b"null", b'"text"', b"[[]]", b'{"value": NaN}', b"[" * 5000])
async def test_garbage_is_no_500(web: Any, body: bytes) -> None:
    headers = web.key("editor", "acme") | {"Content-Type": "application/json"}
    assert (await web.client.post("/v1/conversions", content=body, headers=headers)).status_code in {400, 422}
