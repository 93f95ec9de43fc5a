"""What records become, and what is refused."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.errors import Invalid
from antiphon.kafka import Record
from antiphon.times import to_timestamp
from antiphon.topics import DECISIONS, DELIVERIES, ENTRIES, EVENTS
from antiphon.v1 import decision_pb2, delivery_pb2
from antiphon.v1.decision_pb2 import Action, Decision, RuleOutcome
from antiphon.v1.delivery_pb2 import Delivery
from antiphon.v1.entry_pb2 import EntryChange
from antiphon.v1.event_pb2 import PLATFORM_INSTAGRAM, VERB_CREATE, Author, Event, Referral
from metrics.adapters import codec
from metrics.adapters.pages import facts_of, pages, row_of
from metrics.adapters.people import Pseudonyms
from metrics.domain.facts import PLATFORM_EFFECTS, ActionFact, DecisionFact, DeliveryFact, EventFact, Fact, RuleFact
from metrics.domain.levels import ANSWERS, DRAWN, FOLLOW_UPS, LEVELS, NODES, STATEMENTS
from metrics.domain.reports.summary import ANSWERABLE_KINDS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DECODER = codec.Decoder(Pseudonyms(b"a key for tests"))


def record(topic: str, value: bytes) -> Record:
    return Record(topic, 0, 7, b"acme/1", value)


def event(**fields: object) -> Event:
    base: dict[str, object] = {
        "event_id": "e1",
        "brand": "acme",
        "platform": PLATFORM_INSTAGRAM,
        "kind": 1,
        "verb": VERB_CREATE,
        "event_time": to_timestamp(NOON),
    }
    return Event(**(base | fields))  # type: ignore[arg-type]


def page(fact: Fact) -> dict[str, Any]:
    [kept] = pages(type(fact), [row_of(fact)])
    return kept


def test_an_event_becomes_words_and_times() -> None:
    sent = event(channel="main", received_time=to_timestamp(NOON + timedelta(seconds=1)))
    assert DECODER.decode(record(EVENTS, sent.SerializeToString())) == EventFact(
        event_id="e1",
        brand="acme",
        platform="instagram",
        channel="main",
        kind="comment",
        verb="create",
        echo=False,
        event_time=NOON,
        received_time=NOON + timedelta(seconds=1),
    )


def test_texts_and_names_are_not_kept() -> None:
    sent = event(text="canary-text", author=Author(id="canary-id", name="canary-name", handle="canary-handle"), raw=b"canary-raw")
    kept = page(DECODER.decode(record(EVENTS, sent.SerializeToString())))
    assert "canary" not in repr(kept)


def test_a_decision_keeps_reasons_actions_and_its_latency() -> None:
    sent = Decision(
        event_id="e1",
        brand="acme",
        event_time=to_timestamp(NOON),
        received_time=to_timestamp(NOON),
        decided_time=to_timestamp(NOON + timedelta(milliseconds=40)),
        outcome=decision_pb2.OUTCOME_ACTED,
        rules=[RuleOutcome(rule_id="thanks"), RuleOutcome(rule_id="sale", reason=decision_pb2.REASON_LIMIT, detail="canary")],
        actions=[
            Action(action_id="a1", kind=decision_pb2.ACTION_KIND_REPLY, mode=decision_pb2.MODE_AUTO, text="canary", note="canary")
        ],
    )
    fact = DECODER.decode(record(DECISIONS, sent.SerializeToString()))
    assert isinstance(fact, DecisionFact)
    assert (fact.outcome, fact.reason, fact.decide_ms) == ("acted", "none", 40)
    assert fact.rules == (RuleFact("thanks", "acted"), RuleFact("sale", "limit"))
    assert fact.actions == (ActionFact("reply", "auto"),)
    assert "canary" not in repr(page(fact))


def test_an_author_becomes_a_pseudonym_that_differs_by_brand_platform_and_key() -> None:
    def person(brand: str = "acme", platform: int = 1, author: str = "canary-id", key: bytes = b"one key") -> int | None:
        sent = Decision(event_id="e1", brand=brand, author=Author(id=author), event_time=to_timestamp(NOON))
        sent.platform = platform  # type: ignore[assignment]
        fact = codec.Decoder(Pseudonyms(key)).decode(record(DECISIONS, sent.SerializeToString()))
        assert isinstance(fact, DecisionFact)
        assert "canary" not in repr(page(fact))
        return fact.said.person

    assert person() == person()
    assert len({person(), person(brand="other"), person(platform=2), person(author="b"), person(key=b"another key")}) == 5
    assert person(author="") is None
    assert 0 <= (person() or -1) < 2**63


def test_what_was_understood_is_kept_in_whole_numbers() -> None:
    sent = Decision(
        event_id="e1",
        brand="acme",
        event_time=to_timestamp(NOON),
        author=Author(id="1", followers=70),
        sentiment=-0.3125,
        polarity=decision_pb2.POLARITY_NEGATIVE,
        cobra=decision_pb2.COBRA_LEVEL_CREATING,
        rating=4.5,
        topics=["product:shoe", "competitor:rival", "product:shoe"],
        referral=Referral(link="spring", value=19.99, currency="EUR"),
    )
    fact = DECODER.decode(record(DECISIONS, sent.SerializeToString()))
    assert isinstance(fact, DecisionFact)
    said = fact.said
    assert (said.sentiment, said.polarity, said.level, said.rating, said.reach) == (-312, "negative", "creating", 450, 70)
    assert said.topics == ("competitor:rival", "product:shoe")
    assert said.referral is not None
    assert said.referral.value == 19_990_000
    sent.reach, sent.sentiment = 9_000, 0.0
    fact = DECODER.decode(record(DECISIONS, sent.SerializeToString()))
    assert isinstance(fact, DecisionFact)
    assert (fact.said.reach, fact.said.sentiment) == (9_000, 0)


def test_every_fact_comes_back_from_its_page_as_it_was() -> None:
    moment = to_timestamp(NOON)
    entry = EntryChange(entry_id="n1", sequence=1, brand="acme", campaign="spring", state=2, event_time=moment, flags=["bot"])  # type: ignore[arg-type]
    decision = Decision(event_id="e1", brand="acme", event_time=moment, sentiment=0.0, rating=0.0, reach=0, topics=["product:x"])
    delivery = Delivery(action_id="a1", sequence=1, event_id="e1", brand="acme", author="7", target="t", event_time=moment)
    for topic, sent in ((EVENTS, event()), (DECISIONS, decision), (DELIVERIES, delivery), (ENTRIES, entry)):
        found = DECODER.decode(record(topic, sent.SerializeToString()))
        assert facts_of(type(found), page(found)) == [found]


def test_only_what_is_posted_on_a_platform_has_a_latency() -> None:
    def fact(kind: int, state: int) -> DeliveryFact:
        sent = Delivery(
            action_id="a1",
            sequence=2,
            event_id="e1",
            brand="acme",
            kind=kind,  # type: ignore[arg-type]
            state=state,  # type: ignore[arg-type]
            author="canary",
            detail="canary",
            event_time=to_timestamp(NOON),
            delivered_time=to_timestamp(NOON + timedelta(seconds=2)),
        )
        decoded = DECODER.decode(record(DELIVERIES, sent.SerializeToString()))
        assert isinstance(decoded, DeliveryFact)
        assert "canary" not in repr(page(decoded))
        return decoded

    posted, tag = delivery_pb2.DELIVERY_STATE_POSTED, decision_pb2.ACTION_KIND_TAG
    assert fact(decision_pb2.ACTION_KIND_REPLY, posted).pipeline_ms == 2_000
    assert fact(decision_pb2.ACTION_KIND_REPLY, posted).fact_id == "a1/2"
    assert fact(tag, posted).pipeline_ms is None
    assert fact(decision_pb2.ACTION_KIND_REPLY, delivery_pb2.DELIVERY_STATE_PARKED).pipeline_ms is None


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        (EVENTS, b"\xff\xff\xff", "undecodable"),
        (EVENTS, b"", "incomplete"),
        (EVENTS, event(event_id="").SerializeToString(), "incomplete"),
        (EVENTS, event(brand="").SerializeToString(), "incomplete"),
        (EVENTS, event(event_time=None).SerializeToString(), "incomplete"),
        (EVENTS, event(event_time=Timestamp(seconds=10**15)).SerializeToString(), "bad_time"),
        (DECISIONS, b"{}", "undecodable"),
        (DECISIONS, Decision(event_id="e1", brand="acme").SerializeToString(), "incomplete"),
        (DELIVERIES, Delivery(action_id="a1", event_id="e1", brand="acme").SerializeToString(), "incomplete"),
    ],
)
def test_what_cannot_be_counted_is_invalid_for_a_known_reason(topic: str, value: bytes, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        DECODER.decode(record(topic, value))
    assert caught.value.reason == reason
    assert reason in codec.INVALID_REASONS


@pytest.mark.parametrize("topic", [EVENTS, DECISIONS, DELIVERIES])
def test_random_bytes_are_a_fact_or_invalid_and_nothing_else(topic: str) -> None:
    dice = random.Random(20260302)
    refused = 0
    for _ in range(500):
        try:
            DECODER.decode(record(topic, dice.randbytes(dice.randrange(80))))
        except Invalid:
            refused += 1
    assert refused > 450


def test_a_word_of_a_newer_producer_is_counted_as_other() -> None:
    fact = DECODER.decode(record(EVENTS, event(platform=9_999, kind=9_999).SerializeToString()))
    assert isinstance(fact, EventFact)
    assert (fact.platform, fact.kind) == ("other", "other")
    assert "other" in codec.PLATFORMS.all


def test_the_words_that_definitions_use_exist_in_the_contract() -> None:
    assert set(codec.EVENT_KINDS.all) >= ANSWERABLE_KINDS | STATEMENTS | DRAWN | FOLLOW_UPS | NODES | {"click", "conversion"}
    assert set(codec.LEVELS.all) == {"", "other", *LEVELS}
    assert {"positive", "neutral", "negative"} <= set(codec.POLARITIES.all)
    assert {"eligible", "ineligible", "rights_requested", "granted", "featured", "revoked"} <= set(codec.ENTRY_STATES.all)
    assert set(codec.ACTION_KINDS.all) >= PLATFORM_EFFECTS >= ANSWERS
    assert {"posted", "parked", "waiting_approval"} <= set(codec.STATES.all)
    assert "approval" in codec.MODES.all
    assert "create" in codec.VERBS.all
