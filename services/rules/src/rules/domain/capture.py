"""What campaigns take in, and what people say to their requests for rights. One index a brand.

A campaign is found by the hashtags and handles that a text holds, so that an event costs what stands in it, however many
campaigns there are.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from antiphon.ids import action_id
from rules.domain.campaign import Campaign, CampaignState, ConsentPhrases
from rules.domain.consent import read
from rules.domain.decision import Action, ActionKind, ConsentAnswer, ConsentReading, EntryDraft, Mode, strictest
from rules.domain.event import Event
from rules.domain.leaves import AuthorLeaf, TextMode, leaves_of
from rules.domain.matching.conditions import Check, compile_condition
from rules.domain.matching.facts import Facts
from rules.domain.matching.features import named
from rules.domain.matching.text import fold
from rules.domain.matching.vocabulary import Forms, MatcherFactory, Vocabulary, VocabularyBuilder
from rules.domain.model import SILENT_KINDS

BY_CAMPAIGN = "campaign:"
"""Before a campaign's id this is the rule id of the entries that its own triggers made; no rule's id holds a colon."""

HASHTAG, MENTION, FORM, RULE = "hashtag", "mention", "form", "rule"
"""What brings an entry in; of several the first is told."""

SUBMISSION = "submission"
"""The kind of event that a campaign's form makes."""

ANSWERING_KINDS = frozenset({"comment", "reply", "mention", "message"})
"""Kinds of events by which people answer a request."""

KEPT_SECONDS = 30 * 24 * 3600.0
"""An entry is no answer that comes too late: it is taken in also after the line stood still for days."""

Own = Collection[tuple[str, str]]
"""(platform, account) of the brands' own accounts."""


class Met(NamedTuple):
    """A campaign whose trigger an event met."""

    campaign: Campaign
    trigger: str


class CampaignIndex:
    """The campaigns of one brand; read-only after construction."""

    __slots__ = (
        "_by_hashtag", "_by_mention", "_checks", "_eligibility", "_handles", "_listening", "_phrases",
        "asks_first_contact", "by_id", "campaigns", "hears", "takes",
    )  # fmt: skip

    def __init__(self, campaigns: Sequence[Campaign], factory: MatcherFactory) -> None:
        self.campaigns = tuple(campaigns)
        self.by_id: Mapping[str, Campaign] = {campaign.campaign: campaign for campaign in self.campaigns}
        active = [campaign for campaign in self.campaigns if campaign.state is CampaignState.ACTIVE]
        self._by_hashtag = _filed((campaign, campaign.hashtags) for campaign in active)
        self._by_mention = _filed((campaign, campaign.mentions) for campaign in active)
        self._handles = frozenset(handle for campaign in self.campaigns for handle in campaign.mentions)
        builder = VocabularyBuilder()
        self._checks: dict[str, Check] = {
            campaign.campaign: compile_condition(campaign.eligibility, builder)
            for campaign in self.campaigns
            if campaign.eligibility is not None
        }
        self._eligibility = builder.build(factory)
        self._listening = [
            (campaign, campaign.phrases)
            for campaign in self.campaigns
            if campaign.phrases is not None and campaign.state is not CampaignState.DRAFT
        ]
        self._phrases = _phrases((phrases for _, phrases in self._listening), factory)
        self.takes = bool(active)
        """Whether any campaign may take something in."""
        self.hears = bool(self._listening)
        """Whether any campaign hears answers to its request for rights: also a closed one must, as people may withdraw."""
        self.asks_first_contact = any(map(_asks_first_contact, self.campaigns))

    def met(self, facts: Facts) -> list[Met]:
        """Return the campaigns that take the event in, eligible or not, in the order of their ids."""
        event, found = facts.event, dict[str, Met]()
        for campaign, trigger in self._triggered(event, facts.forms):
            if campaign.campaign not in found and _fits(campaign, event):
                found[campaign.campaign] = Met(campaign, trigger)
        return [found[name] for name in sorted(found)] if len(found) > 1 else list(found.values())

    def _triggered(self, event: Event, forms: Forms) -> Iterator[Met]:
        folded, words = forms
        if event.kind == SUBMISSION:
            campaign = self.by_id.get(event.campaign)
            if campaign is not None and campaign.form:
                yield Met(campaign, FORM)
            return
        if self._by_hashtag and "#" in words:
            yield from _at(self._by_hashtag, named(words, "#"), HASHTAG)
        if self._by_mention and event.kind == "story_mention":
            # The platform hides the words, and says that one of the brand's accounts is named.
            yield from _at(self._by_mention, self._by_mention, MENTION)
        elif self._by_mention and "@" in folded:
            yield from _at(self._by_mention, named(folded, "@"), MENTION)

    def draft(self, met: Met, facts: Facts, own: Own) -> EntryDraft:
        """Return what the campaign would take in, with the first condition that fails."""
        campaign, event = met.campaign, facts.event
        friends = self._friends(facts, own)
        reason, detail = self._failing(campaign, facts, friends)
        urls = event.media_urls or ("",) * len(event.media)
        return EntryDraft(
            eligible=not reason,
            reason=reason,
            detail=detail,
            text=event.text,
            media=tuple(zip(event.media, urls, strict=True)),
            hashtags=tuple(sorted(named(facts.forms[1], "#"))),
            friends=friends,
            campaign_version=campaign.version,
            trigger=met.trigger,
        )

    def _friends(self, facts: Facts, own: Own) -> tuple[str, ...]:
        event = facts.event
        names = named(facts.forms[0], "@") - self._handles - {fold(event.author_handle)}
        return tuple(sorted(name for name in names if (event.platform, name) not in own))

    def _failing(self, campaign: Campaign, facts: Facts, friends: Sequence[str]) -> tuple[str, str]:
        check = self._checks.get(campaign.campaign)
        if check is not None:
            found = self._eligibility.find(facts.forms)
            if not check.holds(found, facts):
                if not check.matches(found):
                    return "text", "none of the words that are asked for is in the text"
                refusal = check.refusal(found, facts)
                return str(refusal.reason), refusal.detail
        if len(friends) < campaign.unique_friends:
            return "friends", f"names {len(friends)} of {campaign.unique_friends} friends"
        return "", ""

    def enter(self, met: Met, facts: Facts, own: Own, brand: Mode) -> Action:
        """Return the action that hands the entry to the ledger; its id is the same however often the event is decided."""
        campaign, event = met.campaign, facts.event
        rule_id = BY_CAMPAIGN + campaign.campaign
        return Action(
            action_id=action_id(event.brand, event.event_id, rule_id, 0),
            rule_id=rule_id,
            rule_version=campaign.version,
            position=0,
            kind=ActionKind.ENTER,
            mode=strictest(brand, campaign.mode),
            text="",
            language="",
            variant=0,
            not_before=event.received_time,
            expires=max(event.event_time, event.received_time) + KEPT_SECONDS,
            limits=(),
            campaign=campaign.campaign,
            entry=self.draft(met, facts, own),
        )

    def heard(self, event: Event, forms: Forms) -> tuple[ConsentReading, ...]:
        """Return how the words read as an answer to the requests for rights that people answer in words."""
        if event.kind not in ANSWERING_KINDS or not event.text.strip():
            return ()
        spoken = bool(self._phrases.find(forms)) if self._phrases is not None else False
        answers = bool(event.parent) or event.kind == "message"
        readings = []
        for campaign, phrases in self._listening if spoken or answers else ():
            reading = read(phrases, forms[1]) if spoken else None
            if reading is not None:
                readings.append(ConsentReading(campaign.campaign, reading.answer, reading.phrase))
            elif answers and campaign.state is not CampaignState.ARCHIVED:
                readings.append(ConsentReading(campaign.campaign, ConsentAnswer.UNCLEAR))
        return tuple(readings)


def _at(filed: Mapping[str, Sequence[Campaign]], names: Iterable[str], trigger: str) -> Iterator[Met]:
    return (Met(campaign, trigger) for name in names for campaign in filed.get(name, ()))


def _filed(named_by: Iterable[tuple[Campaign, frozenset[str]]]) -> Mapping[str, Sequence[Campaign]]:
    filed: defaultdict[str, list[Campaign]] = defaultdict(list)
    for campaign, names in named_by:
        for name in names:
            filed[name].append(campaign)
    return dict(filed)


def _phrases(listening: Iterable[ConsentPhrases], factory: MatcherFactory) -> Vocabulary | None:
    builder = VocabularyBuilder()
    terms = {term for phrases in listening for term in (*phrases.granted, *phrases.refused, *phrases.withdrawn)}
    for term in sorted(terms):
        builder.keys(term, TextMode.WORDS, squeeze=False)
    return builder.build(factory) if terms else None


def _fits(campaign: Campaign, event: Event) -> bool:
    """Tell whether the campaign is open when and where the event happened."""
    kinds = campaign.kinds
    return (
        not campaign.closed_at(event.event_time)
        and (not campaign.platforms or event.platform in campaign.platforms or event.kind == SUBMISSION)
        and (not campaign.channels or event.channel in campaign.channels or event.kind == SUBMISSION)
        and (event.kind in kinds if kinds else event.kind not in SILENT_KINDS or event.kind == SUBMISSION)
    )


def _asks_first_contact(campaign: Campaign) -> bool:
    if campaign.eligibility is None or campaign.state is not CampaignState.ACTIVE:
        return False
    return any(isinstance(leaf, AuthorLeaf) and leaf.first_contact is not None for leaf in leaves_of(campaign.eligibility))
