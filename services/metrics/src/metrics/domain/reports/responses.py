"""How the brand answers: engagement, response rate and time, automation, and what follows after a reply."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from metrics.domain.counts import Histogram
from metrics.domain.hour import NO_NUMBER, Hour, Table, together
from metrics.domain.reports.figures import Described, Latency, Part, latency, part, ratio
from metrics.domain.reports.summary import measured, response, split

PARTS = ("counts", "latency", "service", "posts")
"""What the report reads of each hour."""

FOLLOW_UP_MS = 72 * 3_600_000
"""A person who goes on within three days of an answer follows up on it; later it is another matter."""


@dataclass(frozen=True, slots=True)
class Engagement(Described):
    """Contributing and creating activities on posts, by the reach of those posts."""

    activities: int
    """Contributing and creating activities that belong to a post."""
    posts: int
    """The brand's own posts of the period."""
    posts_with_reach: Part
    """Those whose reach (or, failing that, the account's followers at the time) is known, of all."""
    rate: float | None
    """Activities on posts of known reach, divided by the sum of that reach; null where none is known."""


@dataclass(frozen=True, slots=True)
class Answers(Described):
    """Who answered: without a person, with one's approval, or a person alone on the platform itself."""

    auto: Part
    """Posted replies and private replies without a person's approval, of all answers."""
    approved: Part
    """Posted ones that a person approved, of all answers."""
    human: Part
    """Comments that people of the brand answered on the platform themselves, by the time of their answer, of all answers."""


@dataclass(frozen=True, slots=True)
class FollowUps(Described):
    """What the person answered said next in the same thread, within 72 hours and within the period: the first reply or
    message.
    """

    answers: int
    """Posted answers to people whom the platform does not hide."""
    positive: Part
    """Answers whose first follow-up is positive, of all these."""
    neutral: Part
    """Answers whose first follow-up is neutral or undetermined, of all these."""
    negative: Part
    """Answers whose first follow-up is negative, of all these."""
    none: Part
    """Answers without a follow-up, of all these."""


@dataclass(frozen=True, slots=True)
class Responses(Described):
    """Service in a period, by the time of the event answered."""

    answerable: int
    """New comments, replies, mentions, messages, reviews, posts and story mentions by people."""
    answered: int
    """Events with at least one reply or private reply posted by this platform."""
    response_rate: Part
    """Answered, of answerable."""
    first_response_ms: Latency
    """From the time of the event on its platform to its first posted answer."""
    target_s: float
    """The target asked for, in seconds."""
    inside_target: Part
    """First answers within the target, of answerable events: what was never answered is outside."""
    answers: Answers
    deflected: Part
    """What automation answered and no person was needed for, of answerable events: nothing about it waited for approval or was
    handed over, and nobody of the brand answered it on the platform within the period."""
    follow_ups: FollowUps
    lost_to_limits: int
    """Actions that a limit of the brand's rules held back for good."""
    too_late: int
    """Actions whose time had run out before they could be posted: they waited for approval, for the end of a hold, for a
    platform's quota or for a platform that was away."""
    failed: int
    """Actions that the platform refused for good."""
    engagement: Engagement


def responses(hours: Sequence[Hour], target_s: float) -> Responses:
    """Return the report of a period."""
    families = split(hours, "counts")
    first = measured(hours, "first")
    told = response(families)
    deliveries = families.get("delivery", {})
    return Responses(
        answerable=told.answerable,
        answered=told.answered,
        response_rate=part(min(told.answered, told.answerable), told.answerable),
        first_response_ms=latency(first),
        target_s=target_s,
        inside_target=part(min(_inside(first, target_s), told.answerable), told.answerable),
        answers=_answers(hours),
        deflected=part(min(_deflected(hours), told.answerable), told.answerable),
        follow_ups=_follow_ups(hours),
        lost_to_limits=_delivered(deliveries, "suppressed", "limit"),
        too_late=_delivered(deliveries, "suppressed", "stale"),
        failed=_delivered(deliveries, "failed", None),
        engagement=_engagement(hours),
    )


def _inside(first: Histogram, target_s: float) -> int:
    return first.within(int(target_s * 1_000))


def _delivered(deliveries: Table, state: str, reason: str | None) -> int:
    return sum(values[0] for key, values in deliveries.items() if key[0] == state and reason in (None, key[1]))


def _answers(hours: Sequence[Hour]) -> Answers:
    decided = together(hours, "service", "answer approved")
    approved, human = sum(decided), len(_answered_by_people(hours))
    whole = len(decided) + human
    return Answers(part(len(decided) - approved, whole), part(approved, whole), part(human, whole))


def _answered_by_people(hours: Sequence[Hour]) -> set[int]:
    """Return what people of the brand answered on the platform themselves."""
    ours = set(together(hours, "service", "answer object"))
    echoes = zip(together(hours, "service", "echo object"), together(hours, "service", "echo parent"), strict=True)
    return {parent for echo, parent in echoes if echo not in ours}


def _deflected(hours: Sequence[Hour]) -> int:
    answered, needed = (set(together(hours, "service", name)) for name in ("answer target", "needed"))
    return len(answered - needed - _answered_by_people(hours))


def _follow_ups(hours: Sequence[Hour]) -> FollowUps:
    voices = _voices(hours)
    found = {1: 0, 0: 0, -1: 0, None: 0}
    names = ("answer person", "answer root", "answer time")
    for hour in hours:
        for person, root, time in zip(*(hour.service.get(name, ()) for name in names), strict=True):
            if person != NO_NUMBER:
                found[_first_after(voices.get((person, root), []), time)] += 1
    whole = sum(found.values())
    return FollowUps(whole, part(found[1], whole), part(found[0], whole), part(found[-1], whole), part(found[None], whole))


def _voices(hours: Sequence[Hour]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Return person and root → time and sign of what the person said there, in order; of those alone who were answered."""
    answered = {
        pair
        for hour in hours
        for pair in zip(hour.service.get("answer person", ()), hour.service.get("answer root", ()), strict=True)
    }
    voices: dict[tuple[int, int], list[tuple[int, int]]] = {}
    names = ("voice person", "voice root", "voice time", "voice sign")
    for hour in hours:
        for person, root, time, sign in zip(*(hour.service.get(name, ()) for name in names), strict=True):
            if (person, root) in answered:
                voices.setdefault((person, root), []).append((time, sign))
    for said in voices.values():
        said.sort()
    return voices


def _first_after(said: list[tuple[int, int]], time: int) -> int | None:
    position = bisect_right(said, (time, 2))
    if position == len(said) or said[position][0] > time + FOLLOW_UP_MS:
        return None
    return said[position][1]


def _engagement(hours: Sequence[Hour]) -> Engagement:
    engaged = Counter(together(hours, "posts", "engaged"))
    own = dict(zip(together(hours, "posts", "own objects"), together(hours, "posts", "own reaches"), strict=True))
    reached = {root: reach for root, reach in own.items() if reach > 0}
    on_reached = sum(engaged[root] for root in reached)
    return Engagement(
        activities=engaged.total(),
        posts=len(own),
        posts_with_reach=part(len(reached), len(own)),
        rate=ratio(on_reached, sum(reached.values())),
    )
