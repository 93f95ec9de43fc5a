"""What other services read: every entity as the contract has it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from antiphon.auth import KeyRing, new_key
from antiphon.config_feed import Change
from antiphon.testing import FakeClock
from antiphon.v1 import config_pb2, decision_pb2, event_pb2
from rules.adapters.documents import TYPES, from_fields, to_fields
from rules.adapters.http.campaigns import read_draft
from rules.adapters.programmes import to_campaign
from rules.adapters.records import PLATFORMS, encode
from rules.domain.leaves import HasLeaf
from rules.entities import ApiKey, Brand, Campaign, Channel, FlagTerms, Link, RemoteUnderstanding, Rule, Segment, Topic

WHEN: dict[str, Any] = {"changed_time": datetime(2026, 3, 2, 12, 0, 0, 5_000, UTC), "actor": "0123456789ab", "generation": 7}

SUMMER = {
    "id": "summer",
    "name": "Summer",
    "timezone": "Europe/Berlin",
    "start": "2026-03-01T00:00",
    "end": "2026-04-01T00:00",
    "hashtags": ["#AcmeSummer"],
    "mentions": ["@Acme"],
    "kinds": ["post", "comment"],
    "platforms": "instagram",
    "eligibility": {"has": ["image"]},
    "caps": {"per_person_day": 1},
    "rights": {
        "terms": "You let Acme show this.",
        "by": "reply",
        "request": {"en": "May we?"},
        "granted_for": "365d",
        "remind_after": "2d",
        "reminder": "May we?",
    },
    "contest": {"winners": 3, "unique_friends": 1},
}

ENTITIES = [
    Brand(brand="acme", name="Acme", mode="shadow", languages=("en", "de"), blocked_authors=("facebook:1",), **WHEN),
    Channel(brand="acme", channel="ig", platform="google_business", account="1", name="x", deleted=True, **WHEN),
    Rule(brand="acme", rule_id="price", name="Price", state="active", latest_version=5, active_version=3, **WHEN),
    ApiKey(
        key_id="0123456789ab",
        name="x",
        secret_sha256=b"\0" * 32,
        brands=("acme",),
        role="editor",
        expires_time=datetime(2027, 1, 1, tzinfo=UTC),
        **WHEN,
    ),
    Brand(
        brand="full",
        name="Full",
        disclosures={"default": "(automatic)"},
        flag_terms=(FlagTerms(flag="spam", language="*", terms=("f4f", "l4l")),),
        understanding=RemoteUnderstanding(url="https://m.example/", timeout_ms=99, sealed_token="k1.x"),
        **WHEN,
    ),
    Segment(brand="acme", segment="vip", authors=("facebook:1",), **WHEN),
    Topic(brand="acme", topic="bike", topic_kind="product", name="Bike", terms=("bike one", "#bike"), **WHEN),
    Link(brand="acme", link="shop", url="https://acme.example/", campaign="summer", **WHEN),
    Campaign(
        brand="acme",
        campaign="summer",
        name="Summer",
        state="active",
        document=read_draft(SUMMER).document,
        latest_version=4,
        rights_version=2,
        **WHEN,
    ),
]


def test_keys_have_three_parts() -> None:
    assert [entity.key for entity in ENTITIES] == [
        "brand/acme/",
        "channel/acme/ig",
        "rule/acme/price",
        "api_key//0123456789ab",
        "brand/full/",
        "segment/acme/vip",
        "topic/acme/bike",
        "link/acme/shop",
        "campaign/acme/summer",
    ]


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: str(entity.kind))
def test_every_kind_has_its_record_and_its_document(entity: Any) -> None:
    record = config_pb2.ConfigRecord.FromString(encode(entity, b"{}").SerializeToString())
    assert (record.WhichOneof("entity"), record.generation, record.actor) == (entity.kind, 7, "0123456789ab")
    assert record.changed_time.nanos == 5_000_000
    assert from_fields(TYPES[entity.kind], to_fields(entity)) == entity


def test_a_brand_and_a_channel_say_everything() -> None:
    brand, channel = encode(ENTITIES[0]).brand, encode(ENTITIES[1]).channel
    assert (brand.mode, list(brand.languages), brand.human_pause_seconds) == (decision_pb2.MODE_SHADOW, ["en", "de"], 3600)
    assert list(brand.blocked_authors) == ["facebook:1"]
    assert (channel.platform, channel.deleted) == (event_pb2.PLATFORM_GOOGLE_BUSINESS, True)
    assert "unspecified" not in PLATFORMS


def test_a_brands_settings_and_a_segment_say_everything() -> None:
    full, segment = encode(ENTITIES[4]).brand, encode(ENTITIES[5]).segment
    assert dict(full.disclosures) == {"default": "(automatic)"}
    assert [(one.flag, one.language, list(one.terms)) for one in full.flag_terms] == [("spam", "*", ["f4f", "l4l"])]
    remote = full.understanding
    assert (remote.url, remote.timeout_ms, remote.sealed_token) == ("https://m.example/", 99, b"k1.x")
    assert not encode(ENTITIES[0]).brand.HasField("understanding")
    assert (segment.brand, segment.segment, list(segment.authors), segment.deleted) == ("acme", "vip", ["facebook:1"], False)


def test_a_topic_and_a_link_say_everything() -> None:
    topic, link = encode(ENTITIES[6]).topic, encode(ENTITIES[7]).link
    assert (topic.kind, topic.name, list(topic.terms), topic.deleted) == ("product", "Bike", ["bike one", "#bike"], False)
    assert (link.link, link.url, link.campaign, link.deleted) == ("shop", "https://acme.example/", "summer", False)


def test_a_campaign_says_everything_with_its_defaults_filled_in() -> None:
    record = encode(ENTITIES[8]).campaign
    assert (record.version, record.state, record.mode) == (4, config_pb2.CAMPAIGN_STATE_ACTIVE, decision_pb2.MODE_AUTO)
    assert record.start_time.ToDatetime().isoformat() == "2026-02-28T23:00:00"
    assert record.end_time.ToDatetime().isoformat() == "2026-03-31T22:00:00", "summer time has begun"
    assert (list(record.hashtags), list(record.mentions), record.form) == (["acmesummer"], ["acme"], False)
    assert list(record.kinds) == [event_pb2.EVENT_KIND_POST, event_pb2.EVENT_KIND_COMMENT]
    assert (record.caps.per_person, record.caps.per_person_day, record.contest.unique_friends) == (0, 1, 1)
    rights = record.rights
    assert (rights.version, dict(rights.terms), rights.by) == (2, {"default": "You let Acme show this."}, "reply")
    assert (rights.answer_seconds, rights.reminder_seconds, rights.granted_seconds) == (604_800, 172_800, 31_536_000)
    assert {"en", "de", "fr", "es", "it", "pt"} <= {phrases.language for phrases in rights.phrases}
    assert "#yesacme" in {phrase for phrases in rights.phrases for phrase in phrases.granted}


def test_the_engine_reads_a_campaign_as_it_was_written() -> None:
    campaign = to_campaign(encode(ENTITIES[8]).campaign)
    assert (campaign.hashtags, campaign.mentions, campaign.platforms) == ({"acmesummer"}, {"acme"}, {"instagram"})
    assert (campaign.eligibility, campaign.unique_friends, campaign.asks_rights) == (HasLeaf(("image",)), 1, True)
    assert campaign.phrases is not None
    assert "i agree" in campaign.phrases.granted


@pytest.mark.parametrize("state", ["draft", "paused", "archived"])
def test_only_the_active_version_of_an_active_rule_is_sent(state: Any) -> None:
    active = encode(ENTITIES[2], b'{"id":"price"}').rule
    assert (active.active, active.version, active.document) == (True, 3, b'{"id":"price"}')
    rests = Rule(brand="acme", rule_id="price", name="", state=state, latest_version=5, active_version=3, **WHEN)
    resting = encode(rests, b'{"id":"price"}').rule
    assert (resting.active, resting.document) == (False, b"")


def test_a_late_record_does_not_give_a_revoked_key_back() -> None:
    fresh, ring = new_key(), KeyRing(FakeClock())
    key = config_pb2.ApiKeyConfig(key_id=fresh.key_id, secret_sha256=fresh.secret_sha256, brands=["*"], role="viewer")
    name = f"api_key//{fresh.key_id}"
    ring.apply([Change(0, name, config_pb2.ConfigRecord(generation=1, api_key=key))])
    assert ring.authenticate(fresh.token) is not None
    revoked = config_pb2.ApiKeyConfig()
    revoked.CopyFrom(key)
    revoked.revoked = True
    ring.apply([Change(1, name, config_pb2.ConfigRecord(generation=2, api_key=revoked))])
    ring.apply([Change(2, name, config_pb2.ConfigRecord(generation=1, api_key=key))])
    assert ring.authenticate(fresh.token) is None
