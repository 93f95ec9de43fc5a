"""Each report on small stories: what is counted, what is stated, and what is never made up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from metrics.adapters.codec import EVENT_KINDS
from metrics.domain.facts import DecisionFact, DeliveryFact, EntryFact, EventFact, Hold, Referral, Said
from metrics.domain.fold import Records, fold
from metrics.domain.hour import Hour, Piece
from metrics.domain.levels import BLIND, REPORTED
from metrics.domain.reports.campaigns import campaigns
from metrics.domain.reports.cobra import cobra
from metrics.domain.reports.ewom import ewom
from metrics.domain.reports.guard import guard
from metrics.domain.reports.influencers import influencers
from metrics.domain.reports.responses import responses

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def said(identity: str, kind: str = "comment", *, at: timedelta = timedelta(), verb: str = "create", **more: Any) -> DecisionFact:
    platform, echo = more.pop("platform", "facebook"), more.pop("echo", False)
    return DecisionFact(
        event_id=identity, brand="acme", platform=platform, channel="main", kind=kind, verb=verb, echo=echo,
        event_time=NOON + at, received_time=None, decided_time=None, outcome="no_match", reason="none", rules=(), actions=(),
        said=Said(**{"object": identity, "root": "post", "parent": "post", "level": "contributing", **more}),
    )  # fmt: skip


def answer(identity: str, person: int, *, after: timedelta = timedelta(), **more: Any) -> DeliveryFact:
    known = {"kind": "reply", "mode": "auto", "state": "posted", "reason": "none", "posted_object": f"posted-{identity}", **more}
    return DeliveryFact(
        action_id=f"{known['kind']}-{identity}", sequence=1, event_id=identity, brand="acme", platform="facebook", channel="main",
        rule_id="r", event_time=NOON, received_time=None, delivered_time=NOON + after, person=person, target=identity,
        root="post", **known,
    )  # fmt: skip


def came(identity: str) -> EventFact:
    return EventFact(
        event_id=identity, brand="acme", platform="facebook", channel="main", kind="comment", verb="create", echo=False,
        event_time=NOON, received_time=NOON,
    )  # fmt: skip


def hours(*groups: list[Any]) -> list[Hour]:
    """Each group is folded apart, as hours are."""
    found = []
    for group in groups:
        records = Records()
        records.take(group)
        found.append(fold(records))
    return found


def test_a_person_counts_once_at_the_highest_level_over_all_hours() -> None:
    first = [said("1", "follow", person=1, level="consuming"), said("2", person=2), said("3", person=None)]
    second = [said("4", person=1), said("5", "mention", person=2, level="creating"), said("6", "like", person=3, level="")]
    report = cobra(hours(first, second))
    assert (report.people.consuming.count, report.people.contributing.count, report.people.creating.count) == (0, 1, 1)
    assert (report.events_total, report.events_without_level, report.events_without_person) == (5, 1, {"contributing": 1})
    assert report.funnel.creating_of_contributing.share == 0.5


def test_what_a_platform_does_not_report_is_stated_and_of_a_strange_one_it_is_unknown() -> None:
    group = [said("1"), said("2", platform="instagram"), said("3", "click", platform="web"), said("4", platform="youtube")]
    blind = {one.platform: one for one in cobra(hours(group)).blind}
    assert {name: one.share for name, one in blind.items()} == {
        "facebook": 8 / 16,
        "instagram": 10 / 15,
        "web": 2 / 4,
        "youtube": None,
    }
    assert {"post", "reaction", "share"} == set(blind["instagram"].unreported or ()) - set(blind["facebook"].unreported or ())


@pytest.mark.parametrize("platform", BLIND)
def test_no_activity_is_both_reported_and_not(platform: str) -> None:
    assert BLIND.keys() == REPORTED.keys()
    kinds = [*BLIND[platform], *REPORTED[platform]]
    assert len(set(kinds)) == len(kinds)
    known = set(EVENT_KINDS.all)
    assert set(REPORTED[platform]) <= known
    assert set(BLIND[platform]) - known <= {"read", "join"}, "which the contract has no word for, as nothing tells them"


def test_echoes_edits_and_deletions_are_no_activity() -> None:
    report = cobra(hours([said("1", person=1, echo=True), said("2", person=2, verb="edit"), said("3", person=3, verb="delete")]))
    assert (report.events_total, report.people_total, report.people.creating.share) == (0, 0, None)


def test_unknown_reach_is_the_median_and_is_stated() -> None:
    moods: tuple[dict[str, Any], ...] = {"polarity": "positive", "sentiment": 1_000}, {"polarity": "negative", "sentiment": -500}
    group = [
        said("1", reach=100, **moods[0]),
        said("2", reach=300, **moods[1]),
        said("3", reach=200, **moods[0]),
        said("4", **moods[1]),
    ]
    speech = ewom(hours(group[:2], group[2:])).all
    assert (speech.exposure.known, speech.exposure.estimated, speech.exposure.estimated_statements.count) == (600, 200, 1)
    assert speech.valence == 0.25
    assert speech.weighted_valence == pytest.approx((100 - 150 + 200 - 100) / 800)


def test_share_of_voice_counts_listed_competitors_in_the_same_source() -> None:
    group = [
        said("1"),
        said("2", topics=("competitor:rival", "product:shoe")),
        said("3", topics=("competitor:rival",)),
        said("4"),
    ]
    report = ewom(hours(group))
    assert (report.share_of_voice.brand, report.share_of_voice.share) == (4, 4 / 6)
    assert list(report.by_topic) == ["product:shoe"]
    assert ewom(hours([said("1")])).share_of_voice.share is None


def test_a_review_counts_by_its_last_change_across_hours() -> None:
    first = [said("r1", "review", rating=100), said("r2", "review", rating=500), said("r3", "review", rating=300)]
    later = timedelta(hours=1)
    second = [
        said("e1", "review", verb="edit", object="r1", rating=400, at=later),
        said("e2", "review", verb="edit", object="r2", at=later),
        said("d3", "review", verb="delete", object="r3", at=later),
    ]
    found = ewom(hours(second, first)).reviews
    assert (found.reviews, found.mean, found.distribution, found.edits, found.deleted) == (2, 4.5, {"4": 1, "5": 1}, 2, 1)


def test_advocates_weigh_by_exposure_resonance_and_recency() -> None:
    old = [said("o", person=1, polarity="positive", reach=100)]
    new = [
        said("n", person=2, polarity="positive", reach=60),
        said("x", "reply", person=3, parent="n"),
        said("y", "reaction", parent="n"),
    ]
    spans = [(NOON - timedelta(days=14), old), (NOON, new)]
    pieces = [Piece("acme", start, start + timedelta(hours=1), hours(group)[0]) for start, group in spans]
    report = influencers(pieces, (NOON + timedelta(hours=1)).timestamp(), 10)
    assert [(one.person, one.score, one.resonance) for one in report.advocates] == [(2, 180.0, 2), (1, 50.0, 0)]
    assert report.detractors == []


def test_answers_follow_ups_and_people_of_the_brand() -> None:
    minute = timedelta(minutes=1)
    group = [
        answer("1", 1, after=minute),
        answer("2", 2, after=10 * minute, mode="approval"),
        said("f1", "reply", person=1, polarity="positive", at=2 * minute),
        said("f2", "reply", person=2, polarity="negative", at=5 * minute),  # before the answer: no follow-up
        said("posted-1", "reply", echo=True, parent="1", at=minute),  # our own answer comes back
        said("human", "reply", echo=True, parent="3", at=minute),
    ]
    report = responses(hours(group), 120)
    assert (report.answers.auto.count, report.answers.approved.count, report.answers.human.count) == (1, 1, 1)
    assert (report.follow_ups.positive.count, report.follow_ups.negative.count, report.follow_ups.none.count) == (1, 0, 1)
    assert (report.first_response_ms.p50, report.first_response_ms.p99) == (60_000, 600_000)


def test_deflected_is_what_automation_answered_and_no_person_was_needed_for() -> None:
    group = [
        *(came(str(number)) for number in range(1, 8)),
        *(answer(str(number), number) for number in range(1, 6)),
        answer("1", 1, kind="private_reply"),  # the same comment, once
        answer("2", 2, kind="hide", state="waiting_approval"),
        answer("3", 3, kind="handoff", posted_object=""),
        answer("6", 6, mode="approval"),
        answer("7", 7, kind="handoff", posted_object=""),
        said("posted-1", "reply", echo=True, parent="1"),
    ]
    later = [said("a person of the brand", "reply", echo=True, parent="4", at=timedelta(hours=3))]
    report = responses(hours(group, later), 60)
    assert (report.deflected.count, report.deflected.share) == (2, 2 / 7), "1 and 5"
    assert responses(hours(later, group), 60) == report
    assert responses(hours(group), 60).deflected.count == 3, "nobody has answered 4 yet"
    assert responses(hours([came("1")]), 60).deflected.count == 0
    assert responses([], 60).deflected.share is None


def test_what_a_limit_held_back_and_what_came_too_late_are_apart() -> None:
    reasons = ["limit", "stale", "stale", "human_active"]
    held_back = [answer(str(number), number, state="suppressed", reason=reason) for number, reason in enumerate(reasons)]
    report = responses(hours(held_back), 60)
    assert (report.lost_to_limits, report.too_late, report.deflected.count) == (1, 2, 0)


def click(identity: str, link: str, at: int, person: int | None = 7) -> DecisionFact:
    referral = Referral(link, "", "", "", 0, "")
    return said(identity, "click", person=person, referral=referral, at=timedelta(hours=at), campaigns=("spring",))


def conversion(identity: str, at: int, person: int | None = 7, *, named: str = "", value: int = 10_000_000) -> DecisionFact:
    referral = Referral("", "", named, "order", value, "EUR")
    return said(identity, "conversion", person=person, referral=referral, at=timedelta(hours=at), campaigns=("spring",))


def test_conversions_by_last_touch_and_by_position() -> None:
    path = [click("1", "a", 0), click("2", "b", 1), click("3", "c", 2), click("4", "z", 9)]
    report = campaigns(hours(path, [conversion("v", 3), conversion("w", 4, None)]))
    assert {source.link: source.last_touch.conversions for source in report.sources} == {"a": 0, "b": 0, "c": 1, "z": 0}
    shared = {source.link: source.position_based.conversions for source in report.sources}
    assert shared == {"a": 0.4, "b": 0.2, "c": 0.4, "z": 0}
    assert (report.conversions, report.conversions_unattributed, report.conversions_of_unknown_people) == (2, 1, 1)
    [spring] = report.campaigns
    assert (spring.clicks, spring.position_based.value) == (4, {"EUR": 10.0})


def test_a_conversion_without_a_person_follows_the_click_it_names() -> None:
    report = campaigns(hours([click("1", "a", 0, None), conversion("v", 1, None, named="1")]))
    assert [(source.link, source.last_touch, source.position_based) for source in report.sources] == [
        ("a", report.sources[0].last_touch, report.sources[0].last_touch)
    ]
    assert report.sources[0].last_touch.conversions == 1


def test_entries_by_state_and_by_step_reached() -> None:
    def change(entry: str, sequence: int, state: str) -> EntryFact:
        return EntryFact(
            entry_id=entry, sequence=sequence, brand="acme", campaign="spring", platform="instagram", channel="main", state=state,
            reason="none", person=1, flags=(), terms_version=1, event_time=NOON, changed_time=NOON,
        )  # fmt: skip

    steps = ["captured", "eligible", "rights_requested", "granted", "featured"]
    group = [change("1", number, state) for number, state in enumerate(steps, 1)]
    group += [change("2", 1, "captured"), change("2", 2, "ineligible")]
    [spring] = campaigns(hours(group)).campaigns
    entries = spring.entries
    assert (entries.total, entries.people, entries.by_state) == (2, 1, {"featured": 1, "ineligible": 1})
    assert (entries.eligible.share, entries.granted.share, entries.featured.share) == (0.5, 1.0, 1.0)


def test_a_hold_lasts_from_its_beginning_to_a_persons_resume() -> None:
    def hold(generation: int, *, active: bool, at: int, actor: str) -> Hold:
        return Hold(
            brand="acme", hold="h", generation=generation, active=active, mode="approval", platform="facebook", campaign="",
            topic="", rule_id="", reason="spike", severity=8, notice_only=False, actor=actor, since_time=NOON,
            changed_time=NOON + timedelta(minutes=at),
        )  # fmt: skip

    chain = [
        hold(1, active=True, at=0, actor="guard"),
        hold(2, active=True, at=5, actor="guard"),
        hold(3, active=False, at=30, actor="k1"),
    ]
    report = guard([], chain, NOON, NOON + timedelta(hours=1))
    [held] = report.holds
    assert (held.seconds, held.resumed_by, held.scope, report.holds_by_guard, report.active) == (
        1_800,
        "k1",
        "platform facebook",
        1,
        0,
    )
    assert guard([], chain[:2], NOON, NOON + timedelta(hours=1)).active == 1
    assert guard([], chain, NOON + timedelta(hours=2), NOON + timedelta(hours=3)).holds == []
