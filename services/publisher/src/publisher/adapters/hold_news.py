"""Configuration records of holds → what the service works on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import ConfigRecord
from publisher.adapters import words
from publisher.domain.notices import HoldNews


def news_of(changes: Sequence[Change]) -> list[HoldNews]:
    """Return what changed of holds, in order."""
    records = (change.record for change in changes if change.record is not None)
    return [_news(record) for record in records if record.WhichOneof("entity") == "hold"]


def _news(record: ConfigRecord) -> HoldNews:
    hold = record.hold
    platform = words.PLATFORMS.get(hold.platform, "") if hold.platform else ""
    scope = {"platform": platform, "campaign": hold.campaign, "topic": hold.topic, "rule": hold.rule_id}
    return HoldNews(
        brand=hold.brand,
        hold=hold.hold,
        generation=record.generation,
        changed_at=record.changed_time.seconds + record.changed_time.nanos / 1e9,
        actor=record.actor,
        platform=platform,
        scope={what: name for what, name in scope.items() if name},
        active=hold.active,
        notice_only=hold.notice_only,
        reason=hold.reason,
        severity=hold.severity,
        since=float(hold.since_time.seconds),
        evidence=_evidence(hold.evidence),
        emails=tuple(hold.emails),
        url=hold.url,
        secret_ref=hold.secret_ref,
    )


def _evidence(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
