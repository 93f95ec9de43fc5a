"""One body of promises, held by the ledger of entries in memory and by the real one."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from antiphon.clock import SystemClock
from antiphon.mongo import connect
from antiphon.seal import Sealer, parse_keys
from antiphon.settings import MongoSettings
from publisher.adapters.memory import MemoryLimits
from publisher.adapters.memory_entries import MemoryEntries, MemoryPlaces
from publisher.adapters.mongo_contests import MongoContests
from publisher.adapters.mongo_entries import MongoEntries, MongoPlaces
from publisher.adapters.mongo_threads import MongoLimits
from publisher.domain.entries import changes as c
from publisher.domain.entries.campaign import By, Campaign, Caps, UseKind
from publisher.domain.entries.machine import captured, step
from publisher.domain.entries.model import Answer, Asked, CampaignEntry, Capture, EntryState, Flag, Flagged, MediaRef, Medium, Use
from publisher.domain.model import Mode
from publisher.entry_ports import ContestRecord, Entries, EntryFilter, Places
from publisher.ports import Limits
from publisher.service.entries.admitting import Admitting

NOW = 1_800_000_000.0
HASH = "c" * 64

Stores = tuple[Entries, Places, Limits]


def entry(name: str, **more: Any) -> CampaignEntry:
    capture = Capture(
        entry_id=name, event_id="e" + name, brand="b", campaign="c", campaign_version=2, platform="facebook", account="p",
        channel="main", object="o-" + name, parent="", root="post", author="u1", handle="ann", event_kind="comment",
        language="en", text="Mine!",
        media=(MediaRef("image", "https://cdn.example/1.png"),), hashtags=("acme",), friends=("tom",),
        trigger="hashtag", eligible=True, reason="", detail="", event_time=NOW, received_time=NOW,
    )  # fmt: skip
    at = more.pop("at", NOW)
    return captured(replace(capture, **more), at)


def after(before: CampaignEntry, *changes: c.EntryChange, at: float = NOW) -> CampaignEntry:
    for change in changes:
        moved = step(before, change, at)
        assert moved is not None, change
        before = moved
    return before


async def moved(entries: Entries, before: CampaignEntry, *changes: c.EntryChange) -> CampaignEntry:
    for change in changes:
        then = after(before, change)
        assert await entries.save(before, then)
        before = then
    return before


ASKED = Asked(1, By.REPLY, "request-1", NOW, 3, "terms", tuple(UseKind), 100.0, 40.0, 0.0, check_at=NOW + 60)
WHOLE: tuple[c.EntryChange, ...] = (
    c.Admit((Flagged(Flag.BOT, "5 entries"),)),
    c.Fetched((Medium("https://cdn.example/1.png", HASH, "image/png", 3),)),
    c.Ask(ASKED),
    c.RequestStands("request-1", "posted"),
    c.Judge("key", granted=True, reason="by letter"),
    c.UseIt(Use(UseKind.POST, NOW, "key", "post-1")),
    c.PostStands("post-1", "platform-1"),
    c.Removing("post-1", "removal-1"),
)


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.local)])
async def stores(request: pytest.FixtureRequest, unique_name: Callable[[str], str]) -> AsyncIterator[Stores]:
    if request.param == "memory":
        yield MemoryEntries(), MemoryPlaces(), MemoryLimits()
        return
    settings = MongoSettings(mongo_uri=SecretStr(request.getfixturevalue("mongo_uri")), mongo_database=unique_name("entries"))
    client, database = connect(settings)
    entries, places = MongoEntries(database), MongoPlaces(database)
    await entries.prepare()
    await places.prepare()
    yield entries, places, MongoLimits(database)
    client.close()


async def test_an_entry_comes_back_as_it_was_saved_after_every_change(stores: Stores) -> None:
    entries, _, _ = stores
    stored = await entries.insert(entry("a"))
    assert stored == entry("a")
    for change in WHOLE:
        stored = await moved(entries, stored, change)
        assert list(await entries.get(["a", "unknown"])) == [stored]
    for action in ("request-1", "post-1", "removal-1"):
        assert await entries.of_action(action) == stored
    assert await entries.of_action("other") is None
    assert list(await entries.with_media(HASH)) == [stored]
    assert list(await entries.with_media("d" * 64)) == []


async def test_an_object_has_one_entry_a_campaign(stores: Stores) -> None:
    entries, _, _ = stores
    first = await entries.insert(entry("a"))
    assert first is not None
    later = await moved(entries, first, c.Admit())
    assert await entries.insert(entry("a")) == later
    assert await entries.insert(entry("b", object="o-a")) is None
    assert await entries.insert(entry("c", object="o-a", campaign="other")) is not None
    assert await entries.insert(entry("d", object="o-a", brand="b2")) is not None
    assert {one.entry_id for one in await entries.on_object("b", "facebook", "o-a")} == {"a", "c"}


async def test_of_two_who_change_an_entry_one_wins(stores: Stores) -> None:
    entries, _, _ = stores
    first = await entries.insert(entry("a"))
    assert first is not None
    ways = [after(first, c.Admit()), after(first, c.TurnAway("limit", "at most 1")), after(first, c.Gone())]
    results = await asyncio.gather(*(entries.save(first, way) for way in ways))
    assert sorted(results) == [False, False, True]
    assert list(await entries.get(["a"])) == [ways[results.index(True)]]


async def test_what_is_saved_is_untold_until_it_is_marked(stores: Stores) -> None:
    entries, _, _ = stores
    first = await entries.insert(entry("a"))
    assert first is not None
    untold = await entries.untold(10)
    assert [(one.entry.entry_id, one.line.sequence) for one in untold] == [("a", 1)]
    eligible = await moved(entries, first, c.Admit())  # while the first announcement is under way
    await entries.mark_told(untold)
    again = await entries.untold(10)
    assert [one.line.sequence for one in again] == [2]
    fetched = await moved(entries, eligible, c.Fetched(()))  # changes no state
    await entries.mark_told(again)
    assert list(await entries.untold(10)) == []
    await entries.mark_told(untold)  # late, and for the second time
    assert list(await entries.untold(10)) == []
    await moved(entries, fetched, c.Ask(ASKED), c.RequestStands("request-1", "x"), c.Judge("key", granted=False, reason="no"))
    assert [one.line.state for one in await entries.untold(10)] == ["rights_requested", "refused"]


async def test_a_sweep_finds_what_is_due(stores: Stores) -> None:
    entries, _, _ = stores
    for name in ("a", "b", "c"):
        assert await entries.insert(entry(name, at=NOW + {"a": 2, "b": 1, "c": 0}[name])) is not None
    assert list(await entries.due(NOW + 59, 10)) == []
    assert [one.entry_id for one in await entries.due(NOW + 61, 10)] == ["c", "b"]
    assert [one.entry_id for one in await entries.due(NOW + 99, 2)] == ["c", "b"]
    (found,) = await entries.get(["c"])
    await moved(entries, found, c.TurnAway("limit"))
    assert [one.entry_id for one in await entries.due(NOW + 99, 10)] == ["b", "a"]


async def test_pages_and_filters(stores: Stores) -> None:
    entries, _, _ = stores
    for number in range(5):
        made = await entries.insert(entry(f"e{number}", author=f"u{number % 2}"))
        assert made is not None
        if number == 3:
            flagged = await moved(entries, made, c.Admit((Flagged(Flag.BOT, "x"),)), c.Ask(ASKED))
            await moved(entries, flagged, c.RequestStands("request-1", "x"), c.Answered(Answer.UNCLEAR, "o", HASH))
    await entries.insert(entry("foreign", brand="b2"))
    first = await entries.browse("b", "c", EntryFilter(), after="", limit=3)
    assert ([one.entry_id for one in first.entries], first.next) == (["e0", "e1", "e2"], "e2")
    rest = await entries.browse("b", "c", EntryFilter(), after="e2", limit=3)
    assert ([one.entry_id for one in rest.entries], rest.next) == (["e3", "e4"], None)

    async def found(**wanted: Any) -> list[str]:
        page = await entries.browse("b", "c", EntryFilter(**wanted), after="", limit=10)
        return [one.entry_id for one in page.entries]

    assert await found(state=EntryState.RIGHTS_REQUESTED) == await found(flag=Flag.BOT) == await found(waiting=True) == ["e3"]
    assert await found(author="u1") == ["e1", "e3"]
    assert await found(platform="instagram") == []
    states = await entries.in_states("b", "c", [EntryState.CAPTURED], after="e0", limit=2)
    assert [one.entry_id for one in states] == ["e1", "e2"]
    assert len(await entries.captured_since("b", "c", NOW)) == 5
    assert list(await entries.captured_since("b", "c", NOW + 1)) == []
    assert [one.entry_id for one in await entries.open_requests("b", "c", "facebook", "u1")] == ["e3"]


async def test_places_are_exactly_as_many_as_there_are(stores: Stores) -> None:
    _, places, _ = stores
    names = [f"e{number}" for number in range(30)] * 2
    taken = await asyncio.gather(*(places.take("b/c", name, 7) for name in names))
    winners = {name for name, has in zip(names, taken, strict=True) if has}
    assert len(winners) == 7
    assert {name for name in set(names) if await places.take("b/c", name, 7)} == winners
    assert await places.take("b/other", "x", 1)
    assert await places.take("b/c", "e-late", 8)


async def test_caps_are_exact_when_many_ask_at_once(stores: Stores) -> None:
    _, places, limits = stores
    campaign = Campaign("b", "c", "C", 1, Mode.AUTO, ZoneInfo("UTC"), 0.0, 0.0, caps=Caps(per_person=2, total=9))
    captures = [entry(f"e{person}-{n}", author=f"u{person}").capture for person in range(8) for n in range(3)]
    admitting = Admitting(limits, places)
    answers = await asyncio.gather(*(admitting.full(capture, campaign) for capture in [*captures, *captures]))
    counted = {capture.entry_id for capture, why in zip([*captures, *captures], answers, strict=True) if not why}
    assert len(counted) == 9
    per_person = [sum(name.startswith(f"e{person}-") for name in counted) for person in range(8)]
    assert max(per_person) <= 2
    for capture in captures:
        assert (not await admitting.full(capture, campaign)) == (capture.entry_id in counted)


@pytest.mark.local
async def test_a_contest_is_committed_to_and_drawn_once(mongo_uri: str, unique_name: Callable[[str], str]) -> None:
    settings = MongoSettings(mongo_uri=SecretStr(mongo_uri), mongo_database=unique_name("contests"))
    client, database = connect(settings)
    sealer = Sealer(parse_keys(SecretStr("k1:" + base64.b64encode(bytes(32)).decode())))
    contests = MongoContests(database, sealer, SystemClock())
    assert await contests.get("b", "c") is None
    first = ContestRecord("b", "c", "d" * 64, NOW, "key")
    assert await contests.create(first, b"s" * 32) == first
    assert await contests.create(replace(first, commitment="e" * 64), b"t" * 32) == first
    assert await contests.seed(first) == b"s" * 32
    document = await database["contests"].find_one({})
    assert document is not None
    assert base64.b64encode(b"s" * 32).decode() not in str(document)
    drawn = await contests.drawn(first, {"count": 1}, "key-2")
    assert (drawn.certificate, drawn.drawn_by) == (b'{"count":1}', "key-2")
    assert await contests.drawn(first, {"count": 2}, "key-3") == drawn
    client.close()
