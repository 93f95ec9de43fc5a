"""Entities → records of `rules.config.v1`; protobuf classes of the configuration stop here."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message

from antiphon.times import to_timestamp
from antiphon.v1 import config_pb2, decision_pb2, event_pb2
from rules.adapters.campaign_records import campaign_record
from rules.entities import ApiKey, Brand, Campaign, Channel, Entity, Hold, Link, Mode, Person, Rule, Segment, Topic

PLATFORMS = {
    name.removeprefix("PLATFORM_").lower(): number
    for name, number in event_pb2.Platform.items()
    if name != "PLATFORM_UNSPECIFIED"
}
"""The contract's platforms as the lower-case words that people write."""

_MODES: dict[Mode, decision_pb2.Mode.ValueType] = {
    "auto": decision_pb2.MODE_AUTO,
    "approval": decision_pb2.MODE_APPROVAL,
    "shadow": decision_pb2.MODE_SHADOW,
}


def encode(entity: Entity, document: bytes = b"") -> config_pb2.ConfigRecord:
    """Return the record. `document`: of a rule's active version, empty unless the rule is active."""
    record = config_pb2.ConfigRecord(
        generation=entity.generation, changed_time=to_timestamp(entity.changed_time), actor=entity.actor
    )
    if isinstance(entity, Rule):
        record.rule.CopyFrom(_rule(entity, document))
        return record
    make = _PARTS.get(type(entity))
    if make is None:
        raise TypeError(f"no record for {type(entity).__name__}")
    getattr(record, entity.kind).CopyFrom(make(entity))  # the record's fields have the kinds' names
    return record


def _brand(brand: Brand) -> config_pb2.BrandConfig:
    return config_pb2.BrandConfig(
        brand=brand.brand,
        name=brand.name,
        mode=_MODES[brand.mode],
        held=brand.held,
        held_reason=brand.held_reason,
        languages=brand.languages,
        blocked_authors=brand.blocked_authors,
        opted_out_authors=brand.opted_out_authors,
        human_pause_seconds=brand.human_pause_seconds,
        disclosures=brand.disclosures,
        flag_terms=[config_pb2.FlagTerms(flag=one.flag, language=one.language, terms=one.terms) for one in brand.flag_terms],
        understanding=_understanding(brand),
        guard=_guard(brand),
    )


def _understanding(brand: Brand) -> config_pb2.RemoteUnderstanding | None:
    remote = brand.understanding
    if remote is None:
        return None
    return config_pb2.RemoteUnderstanding(url=remote.url, timeout_ms=remote.timeout_ms, sealed_token=remote.sealed_token.encode())


def _guard(brand: Brand) -> config_pb2.GuardSettings | None:
    guard = brand.guard
    if guard is None:
        return None
    return config_pb2.GuardSettings(
        off=guard.off,
        hold_at=guard.hold_at,
        notify_at=guard.notify_at,
        min_events=guard.min_events,
        emails=guard.emails,
        url=guard.url,
        secret_ref=guard.secret_ref,
    )


def _channel(channel: Channel) -> config_pb2.ChannelConfig:
    return config_pb2.ChannelConfig(
        brand=channel.brand,
        channel=channel.channel,
        platform=PLATFORMS[channel.platform],
        account=channel.account,
        name=channel.name,
        deleted=channel.deleted,
    )


def _segment(segment: Segment) -> config_pb2.SegmentConfig:
    return config_pb2.SegmentConfig(
        brand=segment.brand,
        segment=segment.segment,
        authors=() if segment.deleted else segment.authors,
        deleted=segment.deleted,
    )


def _person(person: Person) -> config_pb2.PersonConfig:
    return config_pb2.PersonConfig(
        brand=person.brand,
        person=person.person,
        sealed_author=person.sealed_author.encode(),
        asked_time=to_timestamp(person.asked_time),
    )


def _topic(topic: Topic) -> config_pb2.TopicConfig:
    return config_pb2.TopicConfig(
        brand=topic.brand,
        topic=topic.topic,
        kind=topic.topic_kind,
        name=topic.name,
        terms=() if topic.deleted else topic.terms,
        deleted=topic.deleted,
    )


def _link(link: Link) -> config_pb2.LinkConfig:
    return config_pb2.LinkConfig(brand=link.brand, link=link.link, url=link.url, campaign=link.campaign, deleted=link.deleted)


def _hold(hold: Hold) -> config_pb2.HoldConfig:
    return config_pb2.HoldConfig(
        brand=hold.brand,
        hold=hold.hold,
        platform=PLATFORMS[hold.platform] if hold.platform else event_pb2.PLATFORM_UNSPECIFIED,
        campaign=hold.campaign,
        topic=hold.topic,
        rule_id=hold.rule_id,
        mode=_MODES[hold.mode],
        active=hold.active,
        reason=hold.reason if hold.active else hold.resumed_reason,
        severity=hold.severity,
        since_time=to_timestamp(hold.since_time),
        evidence=hold.evidence,
        emails=hold.emails,
        url=hold.url,
        secret_ref=hold.secret_ref,
        notice_only=hold.notice_only,
    )


def _rule(rule: Rule, document: bytes) -> config_pb2.RuleConfig:
    active = rule.state == "active"
    return config_pb2.RuleConfig(
        brand=rule.brand,
        rule_id=rule.rule_id,
        version=rule.active_version if active else rule.latest_version,
        active=active,
        document=document if active else b"",
    )


def _api_key(key: ApiKey) -> config_pb2.ApiKeyConfig:
    return config_pb2.ApiKeyConfig(
        key_id=key.key_id,
        secret_sha256=key.secret_sha256,
        brands=key.brands,
        role=key.role,
        expires_time=to_timestamp(key.expires_time),
        revoked=key.revoked,
    )


_PARTS: Mapping[type[Entity], Callable[[Any], Message]] = {
    ApiKey: _api_key,
    Brand: _brand,
    Campaign: campaign_record,
    Channel: _channel,
    Hold: _hold,
    Link: _link,
    Person: _person,
    Segment: _segment,
    Topic: _topic,
}
