"""Crises in made streams: what holds, what does not, and that order and repetition change nothing."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rules.adapters.guard_codec import pack, pack_repeats, unpack, unpack_repeats
from rules.domain.guard.baseline import Known, Usual, learn
from rules.domain.guard.counts import HOUR, Heard, Scope
from rules.domain.guard.repeats import KEPT, Repeats
from rules.domain.guard.severity import MIN_EVENTS, Terms
from rules.domain.guard.watch import CALM, HOLD, NOTICE, Watch, Watched

DAY = 24 * HOUR
START = 20_000 * DAY
DAYS = 21
NOW = float(START + DAYS * DAY)


def stream(seed: int, *, an_hour: float = 20.0, negative: float = 0.2, days: int = DAYS, **more: object) -> list[Heard]:
    """Return a brand's ordinary weeks, at day twice as much as at night."""
    chance, made, moment = random.Random(seed), [], float(START)
    while True:
        busy = 1.33 if 8 <= moment % DAY // HOUR < 20 else 0.67
        moment += chance.expovariate(an_hour * busy / HOUR)
        if moment >= START + days * DAY:
            return made
        made.append(heard(len(made), moment, chance.random() < negative, **more))


def heard(number: int, moment: float, negative: bool, **more: object) -> Heard:
    known = {"platform": "facebook", "root": f"post{number % 7}", **more}
    return Heard(0, number, f"e{number}", "b", time=moment, negative=negative, **known)  # type: ignore[arg-type]


def burst(
    first: int, count: int, *, start: float = NOW, minutes: float = 30.0, negative: bool = True, **more: object
) -> list[Heard]:
    return [heard(first + n, start + n * minutes * 60 / count, negative, **more) for n in range(count)]


def fed(events: Sequence[Heard]) -> Watch:
    watch = Watch()
    for number, event in enumerate(events):
        watch.take(event._replace(offset=number))
    return watch


def whole(watch: Watch) -> Watched:
    (found,) = [one for one in watch.of("b") if one.scope.whole]
    return found


def usual(events: Sequence[Heard]) -> Usual:
    return whole(fed(events)).usual(NOW, MIN_EVENTS)


def severity(watch: Watch, now: float, terms: Terms | None = None) -> int:
    watch.look("b", now, terms or Terms())
    look = whole(watch).look
    assert look is not None
    return look.severity


def test_an_ordinary_day_is_no_crisis_and_twelve_times_the_negative_is() -> None:
    past = stream(1)
    assert severity(fed(past), NOW) < Terms().notify_at
    watch = fed([*past, *burst(len(past), 24 * 2)])
    (alarm,) = watch.look("b", NOW + 1_800, Terms())
    assert alarm.scope == Scope("b")
    assert alarm.incident is not None
    assert alarm.incident.level == HOLD
    assert alarm.look is not None
    assert alarm.look.baseline is Known.SEASONAL


def test_a_success_is_no_crisis() -> None:
    """Ten times as much of everything, critics included."""
    past = stream(2)
    noise = random.Random(2)
    more = [event._replace(negative=noise.random() < 0.2) for event in burst(len(past), 200, minutes=60)]
    assert severity(fed([*past, *more]), NOW + 3_600) < Terms().notify_at


def test_what_grows_for_hours_is_held_and_half_a_day_of_it_is_not_yet_usual() -> None:
    past = stream(12)
    sizes = [3 * min(hour, 8) for hour in range(1, 13)]
    growing = [e for at, size in enumerate(sizes) for e in burst(90_000 + 100 * at, size, start=NOW + at * HOUR, minutes=60)]
    watch, held = fed(past), []
    for number, event in enumerate(growing):
        watch.take(event._replace(offset=len(past) + number))
        if severity(watch, event.time) >= Terms().hold_at:
            held.append((event.time - NOW) / HOUR)
    assert 1 < held[0] < 5, "of the eight in which it grows from the usual to nine times as much"
    assert held[-1] > 11.9


def test_what_is_heard_late_counts_where_it_belongs() -> None:
    past, late = stream(15), burst(90_000, 40, minutes=30)
    since = burst(95_000, 10, minutes=40, negative=False)
    assert severity(fed([*past, *since]), NOW + 2_400) < Terms().notify_at
    assert severity(fed([*past, *since, *late]), NOW + 2_400) >= Terms().hold_at
    assert severity(fed([*past, *since, *late]), NOW + 5 * HOUR) < Terms().notify_at, "it is over, whenever it was heard"


def test_a_brand_whose_crowd_comes_in_waves_is_asked_for_more() -> None:
    calm = stream(13)
    waves = [e for day in range(1, DAYS, 2) for e in burst(day * 100_000, 14, start=START + (day + 0.4) * DAY, minutes=15)]
    wavy = sorted([*calm, *waves], key=lambda event: event.time)
    rarity, rarity_wavy = (usual(events).recurrence.rarity(4.0) for events in (calm, wavy))
    assert rarity_wavy < rarity - 1, "ten times as often"


def test_few_are_never_a_crisis() -> None:
    past = stream(3, an_hour=1.0)
    assert severity(fed([*past, *burst(len(past), 9)]), NOW + 1_800) < Terms().notify_at
    assert severity(fed([*past, *burst(len(past), 30)]), NOW + 1_800) >= Terms().hold_at


def test_a_past_crisis_is_no_new_normal() -> None:
    past = stream(4)
    crises = [e for week in (7, 14) for e in burst(50_000 + week * 1_000, 300, start=NOW - week * DAY, minutes=60)]
    together = sorted([*past, *crises], key=lambda event: event.time)
    with_, without = (usual(events).negative.expected(NOW, NOW + HOUR) for events in (together, past))
    assert with_ < 3 * without


@pytest.mark.parametrize(("said", "negative", "level"), [(60, 58, 7), (30, 28, 5), (60, 20, 1), (12, 12, 1)])
def test_without_history_only_many_and_surely_negative_ones_count_and_it_is_said(said: int, negative: int, level: int) -> None:
    events = [*burst(0, negative), *burst(negative, said - negative, negative=False)]
    watch = fed(sorted(events, key=lambda event: event.time))
    assert severity(watch, NOW + 1_800) == level
    look = whole(watch).look
    assert look is not None
    assert look.document()["baseline"] == "cold"
    assert "less than a day of history" in look.words


def test_only_the_campaign_where_it_burns_is_held() -> None:
    calm, summer = stream(5, an_hour=30.0), stream(6, an_hour=10.0, campaigns=("summer",))
    past = sorted([*calm, *(e._replace(event_id=f"s{e.event_id}") for e in summer)], key=lambda event: event.time)
    watch = fed([*past, *burst(90_000, 90, campaigns=("summer",))])
    alarms = watch.look("b", NOW + 1_800, Terms())
    assert [(one.scope, one.incident and one.incident.level) for one in alarms] == [(Scope("b", campaign="summer"), HOLD)]


def test_what_tipped_the_scale_is_the_last_negative_statement_before_the_look() -> None:
    past = stream(7)
    negative, after = burst(len(past), 60), burst(90_000, 3, start=NOW + 1_790, minutes=0.1, negative=False)
    watch = fed([*past, *negative, *after])
    (alarm,) = watch.look("b", NOW + 1_800, Terms(hold_at=11))
    assert alarm.incident is not None
    assert (alarm.incident.level, alarm.tipped) == (NOTICE, negative[-1].time)
    watch.take(heard(91_000, NOW + 1_795, negative=True))
    watch.look("b", NOW + 1_801, Terms(hold_at=11))
    assert alarm.tipped == negative[-1].time, "it goes no further by it"
    watch.look("b", NOW + 1_802, Terms())
    assert (alarm.incident.level, alarm.tipped) == (HOLD, NOW + 1_795)
    assert unpack(alarm.scope.key, pack(alarm), {}, 1).tipped == NOW + 1_795


def test_one_crisis_is_one_however_it_flickers_and_the_next_is_another() -> None:
    past = stream(7)
    watch = fed([*past, *burst(len(past), 60)])
    (alarm,) = watch.look("b", NOW + 1_800, Terms())
    assert alarm.incident is not None
    began, alarm.incident.told = alarm.incident.start, alarm.incident.level
    assert watch.look("b", NOW + 1_860, Terms()) == [], "people know"
    for minute in range(31, 400):
        assert watch.look("b", NOW + minute * 60, Terms()) == []
    assert whole(watch).incident is None, f"over {CALM} s after it was last seen"
    for event in burst(95_000, 80, start=NOW + 8 * HOUR):
        watch.take(event)
    (again,) = watch.look("b", NOW + 8 * HOUR + 1_800, Terms())
    assert again.incident is not None
    assert again.incident.start > began


def test_order_lateness_and_repetition_change_no_count() -> None:
    events = stream(8, days=5)
    late = events.copy()
    random.Random(8).shuffle(late)
    watch, other = fed(events), fed(late)
    for number, event in enumerate(late[-KEPT // 2 :]):
        assert not other.take(event._replace(offset=len(late) + number)), "the same event under another offset"
    counted = [{hour: (h.said, h.negative) for hour, h in whole(one).counts.hours.items()} for one in (watch, other)]
    assert counted[0] == counted[1]
    assert sum(said for said, _ in counted[0].values()) == len(events)


def test_bursts_are_found_in_any_order() -> None:
    events = [*burst(0, 12, minutes=59), *burst(12, 30, start=NOW + 35 * 60, minutes=15)]
    mixed = events.copy()
    random.Random(14).shuffle(mixed)
    counts, other = (whole(fed(sequence)).counts for sequence in (events, mixed))
    assert counts == other
    assert counts.hours[int(NOW // HOUR)].burst == 30 + 3


def test_what_was_saved_at_any_moment_counts_on_to_the_same() -> None:
    """A scope saved later than the place to read on from skips what it has, record by record."""
    events = [event._replace(offset=number) for number, event in enumerate(stream(9, days=3))]
    read_on, saved = 400, 700
    before = fed(events[:saved])
    scopes = [unpack(one.scope.key, pack(one), {str(p): o for p, o in one.offsets.items()}, 1) for one in before.all()]
    after = Watch(scopes, {0: unpack_repeats(pack_repeats(before.repeats[0]))})
    for event in events[read_on:]:
        after.take(event)
    uninterrupted = {one.scope: one.counts for one in fed(events).all()}
    assert {one.scope: one.counts for one in after.all()} == uninterrupted


def test_of_repeats_only_the_first_is_new_and_stays_so() -> None:
    repeats = Repeats()
    assert repeats.is_new("a", 5)
    assert not repeats.is_new("a", 9)
    assert repeats.is_new("a", 5), "the same record read again"


def test_more_reach_is_worse() -> None:
    past = stream(10, followers=100)
    small, large = (
        severity(fed([*past, *burst(len(past), 13, followers=followers)]), NOW + 1_800) for followers in (100, 100_000)
    )
    assert small < large <= small + 2


def test_the_course_of_day_is_known_after_two_days_and_the_week_after_two_weeks() -> None:
    for days, known in ((0.5, Known.COLD), (2, Known.DAILY), (20, Known.SEASONAL)):
        counts = whole(fed(stream(11, days=DAYS)[: int(20 * 24 * days)])).counts
        assert learn(counts, counts.first + days * DAY + 4 * HOUR, MIN_EVENTS).known is known
    negative = usual(stream(11)).negative
    noon, night = (negative.expected(START + at * HOUR, START + (at + 4) * HOUR) for at in (10, 1))
    assert 1.4 < noon / night < 2.8, "made twice as much by day"


@pytest.mark.parametrize("seed", range(3))
def test_quiet_weeks_stay_quiet(seed: int) -> None:
    """Looked at every ten minutes for a week: chance alone holds once in ten weeks, here not in three."""
    events = stream(100 + seed, an_hour=30.0, days=DAYS + 7)
    watch, place, alarms = Watch(), 0, 0
    for step in range(int(DAYS * 144), int((DAYS + 7) * 144)):
        now = START + step * 600.0
        while place < len(events) and events[place].time <= now:
            watch.take(events[place]._replace(offset=place))
            place += 1
        for alarm in watch.look("b", now, replace(Terms(), notify_at=7)):
            assert alarm.incident is not None
            alarm.incident.told, alarms = alarm.incident.level, alarms + 1
    assert alarms == 0
