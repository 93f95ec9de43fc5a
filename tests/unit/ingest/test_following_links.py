"""Who follows a tracked link gets there, whatever becomes of the click; and a person's click is recorded once."""

import asyncio
from typing import Any

import httpx
import pytest

from antiphon.links import make_code
from antiphon.v1.config_pb2 import LinkConfig
from ingest.adapters.links import load_bots
from ingest.domain import Kind, Platform, Referral, Verb

KEY = b"k" * 32
ACTION = "9cc8b2413676ae0216c337dcba6f3c1e219a346b785458347a0224275b003e85"
URL = "https://acme.example/shipping"
PHONE = "Mozilla/5.0 (Linux; Android 14; CUBOT NOTE 40) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"
SHARED = make_code(KEY, brand="acme", link="shipping-page")
ANSWERED = make_code(KEY, brand="acme", link="shipping-page", action_id=ACTION)


@pytest.fixture
def web(edge: Any) -> Any:
    """The edge with one link."""
    configure(edge)
    return edge


def configure(edge: Any, url: str = URL, *, deleted: bool = False) -> None:
    link = LinkConfig(brand="acme", link="shipping-page", url=url, campaign="summer", deleted=deleted)
    edge.configure("link/acme/shipping-page", link=link)


async def follow(web: Any, code: str, method: str = "GET", **headers: str) -> httpx.Response:
    answer: httpx.Response = await web.client.request(method, f"/l/{code}", headers={"User-Agent": PHONE} | headers)
    return answer


async def clicks(web: Any, traffic: str) -> float:
    found: float = await web.metric(f'antiphon_ingest_clicks_total{{traffic="{traffic}"}}')
    return found


async def lost(web: Any, reason: str) -> float:
    found: float = await web.metric(f'antiphon_ingest_clicks_lost_total{{reason="{reason}"}}')
    return found


async def test_a_click_is_redirected_and_becomes_an_event(web: Any) -> None:
    answer = await follow(web, ANSWERED)
    assert (answer.status_code, answer.headers["location"]) == (302, URL)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    (event,) = web.log.events
    assert (event.platform, event.kind, event.verb, event.account) == (Platform.WEB, Kind.CLICK, Verb.CREATE, "acme")
    assert event.referral == Referral("shipping-page", ACTION)
    assert event.object.startswith("click/")
    assert event.author.id.startswith("v-")
    assert event.event_time == web.clock.now()
    assert await clicks(web, "person") == 1
    assert await web.metric('antiphon_ingest_events_total{kind="click",platform="web"}') == 1


async def test_a_link_that_was_published_by_hand_names_no_answer(web: Any) -> None:
    await follow(web, SHARED)
    assert web.log.events[0].referral == Referral("shipping-page")


async def test_a_double_click_is_one_event_and_coming_back_another(web: Any) -> None:
    for pause in (0, 1, 30):
        web.clock.advance(pause)
        await follow(web, ANSWERED)
    ids = [event.event_id for event in web.log.events]
    assert ids[0] == ids[1] != ids[2]
    await follow(web, SHARED)
    assert web.log.events[3].event_id not in ids


async def test_a_visitor_is_another_one_each_day_and_to_each_brand(web: Any) -> None:
    web.configure("link/zeta/home", link=LinkConfig(brand="zeta", link="home", url="https://zeta.example"))
    await follow(web, SHARED)
    await follow(web, make_code(KEY, brand="zeta", link="home"))
    await follow(web, SHARED, **{"User-Agent": PHONE + " other"})
    web.clock.advance(86_400)
    await follow(web, SHARED)
    assert len({event.author.id for event in web.log.events}) == 4


@pytest.mark.parametrize("code", ["", "x", "1", "1AAAA", SHARED[:-1], SHARED + "A", "ä", "1" * 5000, f"{SHARED}/more"])
async def test_a_code_that_is_none_says_nothing(web: Any, code: str) -> None:
    answer = await follow(web, code)
    assert answer.status_code == 404
    assert "acme" not in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert web.log.events == []


async def test_forged_deleted_and_never_configured_look_the_same(web: Any) -> None:
    forged = await follow(web, make_code(b"f" * 32, brand="acme", link="shipping-page"))
    never = await follow(web, make_code(KEY, brand="acme", link="never"))
    configure(web, deleted=True)
    deleted = await follow(web, SHARED)
    assert forged.status_code == 404
    assert forged.content == never.content == deleted.content
    assert dict(forged.headers) == dict(never.headers) == dict(deleted.headers)
    assert await clicks(web, "unknown") == 3


async def test_a_link_that_is_moved_or_removed_is_so_for_all_its_codes(web: Any) -> None:
    configure(web, "https://acme.example/new")
    assert (await follow(web, ANSWERED)).headers["location"] == "https://acme.example/new"
    web.configure("link/acme/shipping-page")
    assert (await follow(web, ANSWERED)).status_code == 404


async def test_an_older_record_does_not_bring_a_deleted_link_back(web: Any) -> None:
    configure(web, deleted=True)
    web.revision = 0
    configure(web)
    assert (await follow(web, SHARED)).status_code == 404


@pytest.mark.parametrize("url", ["http://acme.example", "javascript:alert(1)", "//acme.example", ""])
async def test_a_link_leads_to_https_alone(web: Any, url: str) -> None:
    configure(web, url)
    assert (await follow(web, SHARED)).status_code == 404


async def test_an_address_cannot_break_out_of_its_header(web: Any) -> None:
    configure(web, "https://acme.example/ä b\r\nSet-Cookie: a=1?x=%41&y=~")
    answer = await follow(web, SHARED)
    assert answer.headers["location"] == "https://acme.example/%C3%A4%20b%0D%0ASet-Cookie:%20a=1?x=%41&y=~"
    assert "set-cookie" not in answer.headers


async def test_the_page_learns_of_the_click_when_its_address_asks_for_it(web: Any) -> None:
    configure(web, URL + "?click={click}&code={code}")
    answer = await follow(web, ANSWERED)
    assert answer.headers["location"] == f"{URL}?click={web.log.events[0].event_id}&code={ANSWERED}"
    robot = await follow(web, ANSWERED, **{"User-Agent": "Googlebot/2.1"})
    assert robot.headers["location"] == f"{URL}?click=&code={ANSWERED}"


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "facebookexternalhit/1.1",
        "WhatsApp/2.23.20.0",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0",
        "curl/8.5.0",
        "",
    ],
)
async def test_programs_are_redirected_and_not_counted_as_people(web: Any, agent: str) -> None:
    assert (await follow(web, ANSWERED, **{"User-Agent": agent})).headers["location"] == URL
    assert web.log.events == []
    assert await clicks(web, "bot") == 1


@pytest.mark.parametrize(
    "headers",
    [{"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Purpose": "preview"}, {"X-Moz": "Prefetch"}],
)
async def test_what_a_browser_fetches_before_anybody_clicks(web: Any, headers: dict[str, str]) -> None:
    assert (await follow(web, ANSWERED, **headers)).status_code == 302
    assert web.log.events == []
    assert await clicks(web, "prefetch") == 1


async def test_looking_without_following(web: Any) -> None:
    answer = await follow(web, ANSWERED, "HEAD")
    assert (answer.status_code, answer.headers["location"]) == (302, URL)
    assert web.log.events == []
    assert await clicks(web, "head") == 1
    assert (await follow(web, "x", "HEAD")).status_code == 404


async def test_other_methods(web: Any) -> None:
    answer = await follow(web, ANSWERED, "POST")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_the_log_is_away_and_people_get_there(web: Any) -> None:
    web.log.down = True
    assert (await follow(web, ANSWERED)).headers["location"] == URL
    assert await lost(web, "unavailable") == 1


async def test_the_log_is_slow_and_people_do_not_wait_for_it(web: Any) -> None:
    web.log.slow = 0.3
    async with asyncio.timeout(0.25):
        assert (await follow(web, ANSWERED)).status_code == 302
    assert web.log.events == []
    while not web.log.events:  # noqa: ASYNC110 (no event to wait for)
        await asyncio.sleep(0.01)
    assert await lost(web, "timeout") == 0


async def test_more_clicks_than_the_log_takes_are_counted_as_lost(web: Any) -> None:
    web.log.slow = 0.5
    answers = await asyncio.gather(*[follow(web, ANSWERED) for _ in range(10)])
    assert {answer.status_code for answer in answers} == {302}
    assert await lost(web, "busy") == 7


async def test_a_fault_of_ours_is_counted_and_logged(web: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    web.log.append = broken
    assert (await follow(web, ANSWERED)).status_code == 302
    assert await lost(web, "bug") == 1
    assert "a click was lost" in caplog.text


async def test_before_the_configuration_is_known_nobody_can_say_that_a_link_is_unknown(web: Any) -> None:
    web.directory.complete = lambda: False
    answer = await follow(web, make_code(KEY, brand="acme", link="another"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (await follow(web, SHARED)).status_code == 302


def test_the_words_for_programs_are_words() -> None:
    words = load_bots()
    assert len(words) > 60
    assert all(word == word.strip().lower() and len(word) > 3 for word in words)
    assert len(set(words)) == len(words)
    assert not any(word in PHONE.lower() for word in words)
