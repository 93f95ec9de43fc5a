"""Records of an hour → the hour. The only place where records become sums, for buckets and for reports alike."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from metrics.domain.facts import POSTED, DecisionFact, DeliveryFact, EntryFact, EventFact, Fact, Said
from metrics.domain.hour import NO_NUMBER, SPEECH, Hour, add, append, ident
from metrics.domain.levels import ANSWERS, DRAWN, FOLLOW_UPS, NODES, RANK, STATEMENTS, TREE_DELETES

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_SIGNS = {"positive": 1, "negative": -1}
_HANDED_OVER = "handoff"
_NO_STATEMENT = (1, *[0] * (len(SPEECH) - 1))


@dataclass(slots=True)
class Records:
    """The records of one period of a brand, each once."""

    events: list[EventFact] = field(default_factory=list)
    decisions: list[DecisionFact] = field(default_factory=list)
    deliveries: list[DeliveryFact] = field(default_factory=list)
    entries: list[EntryFact] = field(default_factory=list)

    def take(self, facts: Iterable[Fact]) -> None:
        """Add facts."""
        for fact in facts:
            match fact:
                case EventFact():
                    self.events.append(fact)
                case DecisionFact():
                    self.decisions.append(fact)
                case DeliveryFact():
                    self.deliveries.append(fact)
                case EntryFact():
                    self.entries.append(fact)


def fold(records: Records) -> Hour:
    """Return the hour that the records make; the order of the records changes nothing."""
    hour = Hour()
    _events(hour, records)
    people: dict[str, dict[int, str]] = {}
    for decision in sorted(records.decisions, key=lambda fact: (fact.event_time, fact.event_id)):
        _decision(hour, decision)
        if not decision.echo and decision.verb == "create":
            _activity(hour, people, decision)
    for platform, levels in people.items():
        for person, level in sorted(levels.items()):
            append(hour.people, f"{platform} {level}", person)
    _deliveries(hour, records.deliveries)
    _entries(hour, records.entries)
    return hour


def epoch_ms(moment: datetime) -> int:
    """Return milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _events(hour: Hour, records: Records) -> None:
    decided = {fact.event_id for fact in records.decisions}
    for event in records.events:
        add(hour.counts, ("event", event.platform, event.kind, event.verb, int(event.echo)), 1)
    waiting = sorted(epoch_ms(event.received_time) for event in records.events if event.event_id not in decided)
    if waiting:
        hour.undecided["received"] = array("q", waiting)


def _decision(hour: Hour, fact: DecisionFact) -> None:
    add(hour.counts, ("outcome", fact.outcome, fact.reason), 1)
    for rule in fact.rules:
        add(hour.counts, ("rule", rule.reason), 1)
    for action in fact.actions:
        add(hour.counts, ("action", action.kind, action.mode), 1)
    if fact.decide_ms is not None:
        append(hour.latency, "decided", fact.decide_ms)
    if fact.kind == "review" and not fact.echo and fact.verb in {"create", "edit", "delete"}:
        rating = fact.said.rating
        hour.reviews.append([ident(fact.said.object), epoch_ms(fact.event_time), fact.verb, rating, fact.platform])
    _node(hour, fact)
    if fact.echo:
        _echo(hour, fact)


def _node(hour: Hour, fact: DecisionFact) -> None:
    said = fact.said
    deletes = fact.verb == "delete" and fact.kind in TREE_DELETES
    if not said.object or not (deletes or (fact.verb == "create" and fact.kind in NODES)):
        return
    root = said.root or said.object
    if said.object == root and not deletes:
        return  # a root is part of its tree by being named; on its own it is no tree
    parent = 0 if said.object == root else ident(said.parent or root)
    hour.nodes.append([root, fact.platform, ident(said.object), parent, int(deletes), epoch_ms(fact.event_time)])


def _echo(hour: Hour, fact: DecisionFact) -> None:
    said = fact.said
    if fact.verb != "create":
        return
    if fact.kind == "post":
        append(hour.posts, "own objects", ident(said.object))
        append(hour.posts, "own reaches", NO_NUMBER if said.reach is None else said.reach)
    elif fact.kind in FOLLOW_UPS | {"comment"} and said.parent:
        append(hour.service, "echo object", ident(said.object))
        append(hour.service, "echo parent", ident(said.parent))


def _activity(hour: Hour, people: dict[str, dict[int, str]], fact: DecisionFact) -> None:
    said = fact.said
    _speech(hour, fact)
    if said.level:
        if said.person is None:
            add(hour.counts, ("nobody", fact.platform, said.level), 1)
        else:
            known = people.setdefault(fact.platform, {})
            if RANK[said.level] > RANK[known.get(said.person, "")]:
                known[said.person] = said.level
        if said.root and RANK[said.level] >= RANK["contributing"]:
            append(hour.posts, "engaged", ident(said.root))
    _drawn(hour, fact)
    if said.referral is not None and fact.kind in {"click", "conversion"}:
        _referral(hour, fact)


def _speech(hour: Hour, fact: DecisionFact) -> None:
    said = fact.said
    add(hour.levels, (fact.platform, said.level), 1)
    statement = fact.kind in STATEMENTS
    values = _weighed(said) if statement else _NO_STATEMENT
    add(hour.speech, (fact.platform, said.polarity, fact.kind), *values)
    if not statement:
        return
    for topic in said.topics:
        add(hour.topics, (fact.platform, said.polarity, topic), *values)
    for campaign in said.campaigns:
        add(hour.campaigns, (fact.platform, said.polarity, campaign), *values)
    if said.reach is not None:
        append(hour.reach, fact.platform, said.reach)


def _weighed(said: Said) -> tuple[int, ...]:
    """Return the values of `SPEECH` of one statement."""
    scored, mood = int(said.sentiment is not None), said.sentiment or 0
    if said.reach is None:
        return (1, scored, mood, 0, 0, 0, 1, scored, mood)
    return (1, scored, mood, said.reach, said.reach * scored, said.reach * mood, 0, 0, 0)


def _drawn(hour: Hour, fact: DecisionFact) -> None:
    """Whose statements weigh, what they drew, and who went on talking after an answer."""
    said = fact.said
    sign = _SIGNS.get(said.polarity)
    if fact.kind in STATEMENTS and said.person is not None and sign:
        values = (said.person, ident(said.object), NO_NUMBER if said.reach is None else said.reach, sign)
        for name, value in zip(("persons", "objects", "reaches", "signs"), values, strict=True):
            append(hour.influence, f"{fact.platform} {name}", value)
    if fact.kind in DRAWN and said.parent:
        append(hour.influence, "drawn", ident(said.parent))
    if fact.kind in FOLLOW_UPS and said.person is not None:
        append(hour.service, "voice person", said.person)
        append(hour.service, "voice root", ident(said.root))
        append(hour.service, "voice time", epoch_ms(fact.event_time))
        append(hour.service, "voice sign", _SIGNS.get(said.polarity, 0))


def _referral(hour: Hour, fact: DecisionFact) -> None:
    told = fact.said.referral
    assert told is not None  # noqa: S101 (asked by the caller)
    campaign = " ".join(fact.said.campaigns)
    who = (fact.kind, fact.event_id, epoch_ms(fact.event_time), fact.said.person)
    hour.referrals.append([*who, told.link, told.action_id, told.click, told.value, told.currency, campaign])


def _deliveries(hour: Hour, facts: list[DeliveryFact]) -> None:
    latest = {fact.action_id: fact for fact in sorted(facts, key=lambda fact: fact.sequence)}
    approved = {fact.action_id for fact in facts if fact.state == "waiting_approval" or fact.mode == "approval"}
    answers = [fact for _, fact in sorted(latest.items()) if fact.state == POSTED and fact.kind in ANSWERS]
    for action, fact in sorted(latest.items()):
        add(hour.counts, ("delivery", fact.state, fact.reason, fact.kind, int(action in approved)), 1)
    for fact in answers:
        _answer(hour, fact, by_person=fact.action_id in approved)
    for target in sorted({ident(fact.target) for fact in facts if fact.action_id in approved or _handed_over(fact)}):
        append(hour.service, "needed", target)
    if answers:
        add(hour.counts, ("answered",), len({fact.event_id for fact in answers}))
    for ms in _fastest((fact.action_id, fact.pipeline_ms) for fact in facts):
        append(hour.latency, "posted", ms)
    for ms in _fastest((fact.event_id, fact.pipeline_ms) for fact in answers):
        append(hour.latency, "first", ms)


def _handed_over(fact: DeliveryFact) -> bool:
    return fact.kind == _HANDED_OVER and fact.state == POSTED


def _fastest(measured: Iterable[tuple[str, int | None]]) -> Iterable[int]:
    """Return the smallest measurement of each, once."""
    fastest: dict[str, int] = {}
    for name, ms in measured:
        if ms is not None:
            fastest[name] = min(ms, fastest.get(name, ms))
    return fastest.values()


def _answer(hour: Hour, fact: DeliveryFact, *, by_person: bool) -> None:
    values = {
        "target": ident(fact.target),
        "object": ident(fact.posted_object) if fact.posted_object else NO_NUMBER,
        "person": NO_NUMBER if fact.person is None else fact.person,
        "root": ident(fact.root),
        "time": epoch_ms(fact.delivered_time or fact.event_time),
        "approved": int(by_person),
    }
    for name, value in values.items():
        append(hour.service, f"answer {name}", value)


def _entries(hour: Hour, facts: list[EntryFact]) -> None:
    latest: dict[str, EntryFact] = {}
    reached: set[tuple[str, str, str]] = set()
    for fact in sorted(facts, key=lambda fact: (fact.sequence, fact.entry_id)):
        latest[fact.entry_id] = fact
        reached.add((fact.campaign, fact.state, fact.entry_id))
    for campaign, state, _ in sorted(reached):
        add(hour.entries, ("reached", campaign, state), 1)
    entrants: dict[str, set[int]] = {}
    for _, fact in sorted(latest.items()):
        add(hour.entries, ("now", fact.campaign, fact.platform, fact.state, fact.reason), 1)
        for flag in fact.flags:
            add(hour.entries, ("flag", fact.campaign, flag), 1)
        if fact.person is not None:
            entrants.setdefault(fact.campaign, set()).add(fact.person)
    hour.entrants = {campaign: array("q", sorted(people)) for campaign, people in sorted(entrants.items())}
