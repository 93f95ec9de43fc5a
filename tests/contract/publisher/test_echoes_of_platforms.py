"""The brand's own posts as the platforms deliver them: a person's rest the thread they stand in, the service's own do not."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from antiphon.clock import SystemClock
from antiphon.telemetry import Telemetry
from ingest.adapters.platforms.registry import serving
from ingest.domain import Event
from publisher.adapters.memory import MemoryLedger, MemoryLimits, MemoryThreads
from publisher.adapters.telemetry import PublisherMeter
from publisher.domain.admission import BrandPolicy, Surroundings, objection
from publisher.domain.changes import Accepted, Claim, Suppress, Timing
from publisher.domain.machine import fresh
from publisher.domain.model import Decided, Entry, Kind, Mode, Order, Reason
from publisher.service.moves import Moves
from publisher.service.quotas import Quotas
from publisher.service.sightings import Sightings

NOW = 1_800_000_000


def facebook(comment: str, author: str, parent: str) -> dict[str, Any]:
    value = {
        "item": "comment", "verb": "add", "from": {"id": author, "name": "N"}, "post_id": "100_1", "comment_id": comment,
        "parent_id": parent, "message": "hello", "created_time": NOW,
    }  # fmt: skip
    return {"object": "page", "entry": [{"id": "100", "time": NOW, "changes": [{"field": "feed", "value": value}]}]}


def instagram(comment: str, author: str, parent: str) -> dict[str, Any]:
    value: dict[str, Any] = {"id": comment, "text": "hello", "from": {"id": author, "username": "n"}, "media": {"id": "m1"}}
    value |= {"parent_id": parent} if parent else {}
    return {"object": "instagram", "entry": [{"id": "100", "time": NOW, "changes": [{"field": "comments", "value": value}]}]}


def message(name: str, author: str, answers: str, kind: str) -> dict[str, Any]:
    own = author == "100"
    content: dict[str, Any] = {"mid": name, "text": "hello"}
    content |= {"is_echo": True} if own else {}
    content |= {"reply_to": {"mid": answers}} if answers else {}
    people = {"sender": {"id": author}, "recipient": {"id": "person" if own else "100"}}
    return {
        "object": kind,
        "entry": [{"id": "100", "time": NOW, "messaging": [{**people, "timestamp": NOW * 1000, "message": content}]}],
    }


def decided(platform: str, body: dict[str, Any]) -> Decided:
    """What the engine makes of an update: its event, with no action."""
    adapter = serving()[platform]
    (event,) = adapter.normalise(adapter.decode(orjson.dumps(body)), {"100"})
    assert isinstance(event, Event)
    when = event.event_time.timestamp()
    return Decided(
        event.event_id, "b", platform, event.account, event.kind, event.verb, event.object, event.parent, event.root,
        event.author.id, event.echo, when, when,
    )  # fmt: skip


def answer_to(event: Decided, kind: Kind = Kind.REPLY) -> Entry:
    order = Order(
        action_id="a-" + event.object, event_id=event.event_id, brand="b", platform=event.platform, account=event.account,
        channel="c", target=event.object, parent=event.parent, root=event.root, author=event.author, event_kind=event.kind,
        verb=event.verb, rule_id="r", rule_version=1, kind=kind, mode=Mode.AUTO, not_before=0, expires=NOW * 2.0,
        event_time=event.event_time, received_time=event.received_time,
    )  # fmt: skip
    return Entry(order, fresh(order, "hi", NOW))


CASES = {
    "a comment on facebook": ("facebook", facebook("100_2", "u1", "100_1"), facebook("100_3", "100", "100_2"),
                              facebook("100_4", "u2", "100_2")),
    "an answer to an answer on facebook": ("facebook", facebook("100_5", "u1", "100_2"), facebook("100_6", "100", "100_2"),
                                           facebook("100_7", "u2", "100_2")),
    "a comment on instagram": ("instagram", instagram("c2", "u1", ""), instagram("c3", "100", "c2"), instagram("c4", "u2", "c2")),
    "an answer to an answer on instagram": ("instagram", instagram("c5", "u1", "c2"), instagram("c6", "100", "c2"),
                                            instagram("c7", "u2", "c2")),
    "messenger": ("facebook", message("m2", "person", "", "page"), message("m3", "100", "", "page"),
                  message("m4", "person", "", "page")),
    "messenger, answering one message": ("facebook", message("m2", "person", "", "page"), message("m3", "100", "m2", "page"),
                                         message("m4", "person", "", "page")),
    "instagram's messages": ("instagram", message("m2", "person", "", "instagram"), message("m3", "100", "m2", "instagram"),
                             message("m4", "person", "m3", "instagram")),
}  # fmt: skip


class House:
    """What takes echoes, in a process that has sent nothing itself."""

    def __init__(self) -> None:
        self.ledger, self.threads = MemoryLedger(), MemoryThreads()
        clock = SystemClock()
        self.moves = Moves(ledger=self.ledger, quotas=Quotas(MemoryLimits()), clock=clock, timing=Timing(), tell=lambda _: None)
        meter = PublisherMeter(Telemetry("publisher"), clock)
        self.sightings = Sightings(ledger=self.ledger, threads=self.threads, moves=self.moves, meter=meter)

    async def verdict(self, entry: Entry) -> object:
        """What stands against the entry a minute after its event."""
        order = entry.order
        names = [order.target, order.parent, order.root, order.thread]
        facts = await self.threads.facts("b", order.platform, [name for name in names if name])
        return objection(entry, Surroundings(BrandPolicy(human_pause=600.0), facts), order.event_time + 60.0)


@pytest.mark.parametrize("case", CASES)
async def test_a_person_of_the_brand_rests_the_thread(case: str) -> None:
    platform, asked, own, following = CASES[case]
    house = House()
    echo = decided(platform, own)
    assert echo.echo
    for _ in range(2):
        await house.sightings.take([echo])
    for event in (decided(platform, asked), decided(platform, following)):
        against = await house.verdict(answer_to(event))
        assert isinstance(against, Suppress), event
        assert against.reason is Reason.HUMAN_ACTIVE


@pytest.mark.parametrize("case", CASES)
async def test_what_the_service_sent_itself_rests_nothing(case: str) -> None:
    platform, asked, own, following = CASES[case]
    house = House()
    sent = answer_to(decided(platform, asked))
    await house.ledger.insert([sent], 0.0)
    claimed = await house.moves.apply(sent, Claim("w"))
    assert claimed is not None
    echo = decided(platform, own)
    await house.moves.apply(claimed, Accepted(1, echo.object))
    await house.sightings.take([echo])
    assert await house.verdict(answer_to(decided(platform, following))) is None
    by_hand = replace(echo, object="by-hand", event_id="by-hand")
    await house.sightings.take([by_hand])
    assert isinstance(await house.verdict(answer_to(decided(platform, following))), Suppress)


async def test_a_private_answer_to_a_comment_rests_no_conversation() -> None:
    house = House()
    sent = answer_to(decided("facebook", facebook("100_2", "u1", "100_1")), Kind.PRIVATE_REPLY)
    await house.ledger.insert([sent], 0.0)
    claimed = await house.moves.apply(sent, Claim("w"))
    assert claimed is not None
    await house.moves.apply(claimed, Accepted(1, "m3"))
    await house.sightings.take([decided("facebook", message("m3", "100", "", "page"))])
    assert await house.verdict(answer_to(decided("facebook", message("m4", "person", "", "page")))) is None
