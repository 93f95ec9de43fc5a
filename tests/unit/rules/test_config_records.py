"""Configuration records: the newest of each entity is in force, whatever order they come in; what ended is gone."""

import orjson
import pytest

from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import BrandConfig, ChannelConfig, ConfigRecord, HoldConfig, LinkConfig, RuleConfig, SegmentConfig
from antiphon.v1.decision_pb2 import Mode
from antiphon.v1.event_pb2 import Platform
from rules.adapters.config_records import ConfigRecords


def records(*given: tuple[str, ConfigRecord | None]) -> ConfigRecords:
    kept = ConfigRecords()
    for revision, (key, record) in enumerate(given):
        kept.take(Change(revision, key, record))
    return kept


def brand(*, generation: int = 1, held: bool = False, deleted: bool = False) -> tuple[str, ConfigRecord]:
    config = BrandConfig(brand="acme", mode=Mode.MODE_AUTO, held=held, deleted=deleted)
    return "brand/acme/", ConfigRecord(generation=generation, brand=config)


def hold(**more: bool) -> tuple[str, ConfigRecord]:
    return "hold/acme/h", ConfigRecord(generation=1, hold=HoldConfig(brand="acme", hold="h", mode=Mode.MODE_APPROVAL, **more))


def rule(generation: int, *, active: bool) -> tuple[str, ConfigRecord]:
    document = {"id": "r", "name": "R", "when": {"text": {"any": ["word"]}}, "then": [{"tag": ["x"]}]}
    config = RuleConfig(brand="acme", rule_id="r", version=generation, document=orjson.dumps(document), active=active)
    return "rule/acme/r", ConfigRecord(generation=generation, rule=config)


def test_a_state_that_comes_after_a_newer_one_changes_nothing() -> None:
    kept = records(brand(generation=2, held=True), brand(generation=1))
    assert [settings.held for settings in kept.brand_settings()] == [True]


@pytest.mark.parametrize("end", [brand(generation=2, deleted=True), ("brand/acme/", None)])
def test_a_brand_that_ended_is_gone(end: tuple[str, ConfigRecord | None]) -> None:
    assert len(records(brand()).brand_settings()) == 1
    assert records(brand(), end).brand_settings() == []


def test_a_rule_is_among_them_while_it_acts() -> None:
    assert [one.version for one in records(rule(1, active=True)).rules] == [1]
    assert records(rule(1, active=True), rule(2, active=False)).rules == []


def test_a_notice_holds_nothing() -> None:
    (held,) = records(brand(), hold(active=True)).brand_settings()
    (told,) = records(brand(), hold(active=True, notice_only=True)).brand_settings()
    assert ([one.hold for one in held.holds], told.holds) == (["h"], ())


def test_deleted_channels_segments_and_links_are_gone() -> None:
    def given(*, deleted: bool) -> list[tuple[str, ConfigRecord]]:
        channel = ChannelConfig(brand="acme", channel="c", platform=Platform.PLATFORM_FACEBOOK, account="1", deleted=deleted)
        segment = SegmentConfig(brand="acme", segment="s", authors=["facebook:7"], deleted=deleted)
        link = LinkConfig(brand="acme", link="l", url="https://acme.example/", deleted=deleted)
        generation = 2 if deleted else 1
        return [
            ("channel/acme/c", ConfigRecord(generation=generation, channel=channel)),
            ("segment/acme/s", ConfigRecord(generation=generation, segment=segment)),
            ("link/acme/l", ConfigRecord(generation=generation, link=link)),
        ]

    kept = records(brand(), *given(deleted=False))
    (settings,) = kept.brand_settings()
    assert (kept.accounts, list(settings.segments), list(kept.sources())) == ([("facebook", "1")], ["s"], ["acme"])
    gone = records(brand(), *given(deleted=False), *given(deleted=True))
    (settings,) = gone.brand_settings()
    assert (gone.accounts, dict(settings.segments), dict(gone.sources())) == ([], {}, {})
