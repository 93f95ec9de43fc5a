"""A campaign end to end through the engine: a hashtag in, an entry out, and the same entry however often it is decided."""

import asyncio
import random

import pytest

from antiphon.topics import CONFIG
from antiphon.v1.config_pb2 import CampaignConfig, CampaignState, ConfigRecord, TopicConfig
from antiphon.v1.decision_pb2 import ActionKind, Mode, Outcome

pytestmark = pytest.mark.local


def configure(engine, brand: str, campaign: str) -> None:
    summer = CampaignConfig(
        brand=brand,
        campaign=campaign,
        name="Summer",
        version=2,
        state=CampaignState.CAMPAIGN_STATE_ACTIVE,
        mode=Mode.MODE_AUTO,
        timezone="UTC",
        hashtags=["acmesummer"],
        eligibility=b'{"text":{"any":["mine"]}}',
    )
    bike = TopicConfig(brand=brand, topic="bike", kind="product", name="Bike", terms=["bike"])
    records = [
        (f"campaign/{brand}/{campaign}".encode(), ConfigRecord(generation=1, campaign=summer).SerializeToString()),
        (f"topic/{brand}/bike".encode(), ConfigRecord(generation=1, topic=bike).SerializeToString()),
    ]
    asyncio.run(engine._send(CONFIG, records))


def test_a_post_with_the_hashtag_becomes_one_entry_also_after_a_crash(engine, event_of, rng: random.Random) -> None:
    base = rng.randrange(10**9, 10**10)
    engine.configure()
    configure(engine, "b", "summer")
    line = engine.start()
    mine = event_of(base, "ana", "Mine! #AcmeSummer with @tom on my bike")
    other = event_of(base + 1, "bo", "nice #acmesummer")
    nothing = event_of(base + 2, "cy", "nice")
    engine.feed([mine, other, nothing])
    wanted = {event.event_id for event in (mine, other, nothing)}
    first = engine.decisions(wanted)
    (action,) = first[mine.event_id][0].actions
    assert (action.kind, action.rule_id, action.campaign) == (ActionKind.ACTION_KIND_ENTER, "campaign:summer", "summer")
    assert (action.entry.eligible, list(action.entry.friends), action.entry.trigger) == (True, ["tom"], "hashtag")
    decision = first[mine.event_id][0]
    assert (decision.outcome, list(decision.topics)) == (Outcome.OUTCOME_ACTED, ["product:bike"])
    refused = first[other.event_id][0].actions[0].entry
    assert (refused.eligible, refused.reason) == (False, "text")
    assert not first[nothing.event_id][0].actions

    line.restart("engine")
    line.wait_working()
    engine.feed([mine, other, nothing])  # the platform delivers everything again
    marker = event_of(base + 3, "ana", "the last one")
    engine.feed([marker])
    again = engine.decisions({*wanted, marker.event_id})
    for event in (mine, other):
        assert len(again[event.event_id]) >= 2
        assert len({action.action_id for decision in again[event.event_id] for action in decision.actions}) == 1
    line.stop()
