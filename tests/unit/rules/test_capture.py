"""A campaign takes in what people make: by hashtag, handle, form or rule, and never what is not theirs to enter."""

from collections.abc import Callable
from typing import Any

import pytest

from antiphon.ids import action_id
from rules.domain.campaign import Campaign, CampaignState, ConsentPhrases, Topic
from rules.domain.decision import Action, ActionKind, ConsentAnswer, Decision, Mode, Outcome, Reason
from rules.domain.evaluate import evaluate
from rules.domain.event import NOTHING_UNDERSTOOD, Event, Referral
from rules.domain.holding import Hold
from rules.domain.leaves import AuthorLeaf, HasLeaf, TextLeaf
from rules.domain.model import Enter, Reply, RequestRights, Rule, Tag, Where
from rules.domain.programme import Link, Source
from rules.domain.state import EMPTY

Maker = Callable[..., Any]


@pytest.fixture
def campaign(noon: float) -> Maker:
    def make(**changes: Any) -> Campaign:
        usual = {"version": 3, "name": "Summer", "start": noon - 60, "end": noon + 60, "hashtags": frozenset({"acmesummer"})}
        return Campaign("summer", **{**usual, **changes})

    return make


@pytest.fixture
def decide(snapshot: Maker) -> Maker:
    def make(event: Event, *campaigns: Campaign, rules: tuple[Rule, ...] = (), **more: Any) -> Decision:
        source = Source(more.pop("topics", ()), campaigns, more.pop("links", ()))
        return evaluate(snapshot(*rules, programme=source, **more), EMPTY, event, NOTHING_UNDERSTOOD)[0]

    return make


def entry(decision: Decision) -> Action:
    (found,) = [action for action in decision.actions if action.kind is ActionKind.ENTER]
    assert found.entry is not None
    return found


def test_a_hashtag_makes_one_entry_with_an_id_of_its_own(comment: Maker, campaign: Maker, decide: Maker) -> None:
    event = comment("e", text="Mine! #AcmeSummer #fun with @Tom.K", media=("image",), media_urls=("https://cdn.example/1.jpg",))
    decision = decide(event, campaign())
    action = entry(decision)
    assert (decision.outcome, decision.campaigns, decision.rules) == (Outcome.ACTED, ("summer",), ())
    assert action.action_id == action_id("acme", event.event_id, "campaign:summer", 0)
    assert (action.rule_id, action.rule_version, action.position, action.campaign) == ("campaign:summer", 3, 0, "summer")
    draft = action.entry
    assert draft is not None
    assert (draft.eligible, draft.reason, draft.trigger, draft.campaign_version) == (True, "", "hashtag", 3)
    assert (draft.text, draft.media) == (event.text, (("image", "https://cdn.example/1.jpg"),))
    assert (draft.hashtags, draft.friends) == (("acmesummer", "fun"), ("tom.k",))
    assert decide(event, campaign()) == decision, "deciding again gives the same"


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({"state": CampaignState.PAUSED}, {}),
        ({"state": CampaignState.DRAFT}, {}),
        ({"state": CampaignState.CLOSED}, {}),
        ({}, {"at": -61}),
        ({}, {"at": 60}),
        ({"platforms": frozenset({"facebook"})}, {}),
        ({"channels": frozenset({"other"})}, {}),
        ({"kinds": frozenset({"post"})}, {}),
        ({}, {"text": "#acmesummers"}),
        ({}, {"text": "acmesummer"}),
        ({}, {"text": "https://acme.example/#acmesummer"}),
        ({}, {"verb": "delete"}),
        ({}, {"echo": True}),
        ({}, {"kind": "reaction"}),
        ({}, {"author_id": "17841400000000001"}),
        ({}, {"author_id": "blocked"}),
        ({}, {"author_id": "opted-out"}),
    ],
)
def test_what_does_not_fit_is_not_taken_in(
    comment: Maker, campaign: Maker, decide: Maker, changes: dict[str, Any], event: dict[str, Any]
) -> None:
    asked = comment("e", **{"text": "#acmesummer", **event})
    decision = decide(
        asked,
        campaign(**changes),
        accounts=(("instagram", "17841400000000001"),),
        blocked=frozenset({"instagram:blocked"}),
        opted_out=frozenset({"instagram:opted-out"}),
    )
    assert (decision.campaigns, decision.actions) == ((), ())
    assert decision.outcome is not Outcome.ACTED


def test_the_first_and_the_last_moment_are_told_apart(comment: Maker, campaign: Maker, decide: Maker) -> None:
    assert entry(decide(comment("e", at=-60, text="#acmesummer"), campaign()))
    assert entry(decide(comment("e", at=59.999, text="#acmesummer"), campaign()))
    assert entry(decide(comment("e", at=10**8, text="#acmesummer"), campaign(end=0.0)))


def test_handles_stories_and_forms_bring_entries_in(comment: Maker, campaign: Maker, decide: Maker) -> None:
    mentioning = campaign(hashtags=frozenset(), mentions=frozenset({"acme"}), form=True)
    named = entry(decide(comment("e", text="look @Acme, with @tom"), mentioning)).entry
    assert named is not None
    assert (named.trigger, named.friends) == ("mention", ("tom",)), "the brand is no friend"
    assert entry(decide(comment("e", kind="story_mention", text=""), mentioning)).entry.trigger == "mention"
    form = comment("e", kind="submission", platform="web", text="my entry", campaign="summer")
    assert entry(decide(form, mentioning)).entry.trigger == "form"
    assert not decide(form, campaign()).actions, "without a form nothing comes by one"
    assert not decide(form._replace(campaign="winter"), mentioning).actions


def test_who_is_not_eligible_is_taken_in_with_the_reason(comment: Maker, campaign: Maker, decide: Maker) -> None:
    event = comment("e", text="#acmesummer hello", followers=5)
    cases = [
        ({"eligibility": HasLeaf(("image",))}, "media", "image"),
        ({"eligibility": AuthorLeaf(followers_at_least=10)}, "author", "followers 5"),
        ({"eligibility": TextLeaf(any=("bike",))}, "text", "none of the words"),
        ({"eligibility": TextLeaf(none=("hello",))}, "excluded_term", "hello"),
        ({"unique_friends": 1}, "friends", "0 of 1"),
    ]
    for changes, reason, detail in cases:
        draft = entry(decide(event, campaign(**changes))).entry
        assert draft is not None
        assert (draft.eligible, draft.reason) == (False, reason)
        assert detail in draft.detail
    assert entry(decide(event, campaign(eligibility=TextLeaf(any=("hello",))))).entry.eligible


def test_friends_are_counted_once_and_without_the_author(comment: Maker, campaign: Maker, decide: Maker) -> None:
    event = comment("e", text="#acmesummer @tom @TOM @anna.m", author_handle="anna.m")
    draft = entry(decide(event, campaign(unique_friends=2))).entry
    assert draft is not None
    assert (draft.friends, draft.reason, draft.detail) == (("tom",), "friends", "names 1 of 2 friends")


@pytest.mark.parametrize(("brand", "mode", "strict"), [("auto", "approval", "approval"), ("shadow", "auto", "shadow")])
def test_the_strictest_mode_wins(comment: Maker, campaign: Maker, decide: Maker, brand: str, mode: str, strict: str) -> None:
    action = entry(decide(comment("e", text="#acmesummer"), campaign(mode=Mode(mode)), mode=Mode(brand)))
    assert action.mode == strict


def test_an_edit_is_an_event_with_an_action_of_its_own(comment: Maker, campaign: Maker, decide: Maker) -> None:
    first, edit = comment("e", text="#acmesummer"), comment("edit", verb="edit", text="#acmesummer better")
    assert entry(decide(first, campaign())).action_id != entry(decide(edit, campaign())).action_id


def test_a_brand_on_hold_posts_nothing_and_still_takes_entries_in(comment: Maker, campaign: Maker, decide: Maker) -> None:
    decision = decide(comment("e", text="#acmesummer"), campaign(), rules=(_thanks(),), held=True)
    assert [action.kind for action in decision.actions] == [ActionKind.ENTER]
    assert decision.rules[0].reason is Reason.HELD


def _thanks(*then: Any, **more: Any) -> Rule:
    return Rule("thanks", 1, "acme", then=then or (Reply(texts={"default": ("Thanks",)}),), **more)


def test_a_rule_enters_what_no_trigger_does_and_never_twice(comment: Maker, campaign: Maker, decide: Maker) -> None:
    rules = (_thanks(Enter(campaign="summer")),)
    by_rule = decide(comment("e", text="lovely"), campaign(), rules=rules)
    action = entry(by_rule)
    assert (action.rule_id, action.entry.trigger, by_rule.campaigns) == ("thanks", "rule", ())
    twice = decide(comment("e", text="lovely #acmesummer"), campaign(), rules=rules)
    assert entry(twice).rule_id == "campaign:summer"
    assert twice.rules[0].reason is Reason.DUPLICATE
    closed = decide(comment("e", text="lovely"), campaign(state=CampaignState.PAUSED), rules=rules)
    assert (closed.actions, closed.rules[0].reason) == ((), Reason.SCHEDULE)
    assert "paused" in closed.rules[0].detail


def test_a_rule_asks_for_rights_that_its_campaign_asks_for(comment: Maker, campaign: Maker, decide: Maker) -> None:
    rules = (_thanks(RequestRights(campaign="summer")),)
    asked = decide(comment("e", text="lovely"), campaign(asks_rights=True, mode=Mode.APPROVAL), rules=rules).actions[0]
    assert (asked.kind, asked.campaign, asked.mode) == (ActionKind.REQUEST_RIGHTS, "summer", Mode.APPROVAL)
    assert not decide(comment("e", text="lovely"), campaign(), rules=rules).actions


def test_texts_name_the_campaign_and_carry_links(comment: Maker, campaign: Maker, decide: Maker) -> None:
    texts = {"default": ("{{campaign.name}}: see {{link.shop}} and {{link.gone|our page}}",)}
    rules = (_thanks(Reply(texts=texts), Enter(campaign="summer")),)
    decision = decide(comment("e", text="lovely"), campaign(), rules=rules, links=(Link("shop", "https://acme.example/shop"),))
    assert decision.actions[0].text == "Summer: see https://acme.example/shop and our page"


CLICK = {"kind": "click", "platform": "web", "text": "", "referral": Referral("shop")}
LED = (Link("shop", "https://acme.example/", "summer"), Link("help", "https://acme.example/help"))


@pytest.mark.parametrize(
    ("link", "campaigns"),
    [("shop", ("summer",)), ("help", ()), ("gone", ()), ("", ())],
    ids=["its", "no-ones", "deleted", "none"],
)
def test_what_a_campaigns_link_led_to_is_the_campaigns(
    comment: Maker, decide: Maker, link: str, campaigns: tuple[str, ...]
) -> None:
    for event in (
        comment("e", **{**CLICK, "referral": Referral(link)}),
        comment("e", **{**CLICK, "kind": "conversion", "referral": Referral(link, click="c", value=9.5, currency="EUR")}),
    ):
        decision = decide(event, links=LED)
        assert (decision.campaigns, decision.actions, decision.outcome) == (campaigns, (), Outcome.NO_MATCH)


def test_a_click_of_someone_who_is_not_answered_is_still_the_campaigns(comment: Maker, decide: Maker) -> None:
    event = comment("e", **CLICK)
    decision = decide(event, links=LED, opted_out=frozenset({f"web:{event.author_id}"}))
    assert (decision.campaigns, decision.outcome) == (("summer",), Outcome.NOT_ELIGIBLE)


def test_a_hold_on_a_campaign_is_on_what_its_link_led_to(comment: Maker, decide: Maker) -> None:
    rules = (_thanks(Tag(tags=("came",)), where=Where(kinds=frozenset({"click"}))),)
    settings = {"links": LED, "rules": rules, "holds": (Hold("h1", Mode.APPROVAL, campaign="summer"),)}
    assert decide(comment("e", **CLICK), **settings).holds == ("h1",)
    assert decide(comment("e", **{**CLICK, "referral": Referral("help")}), **settings).holds == ()


def test_topics_are_named_on_every_event_with_words(comment: Maker, decide: Maker) -> None:
    topics = (Topic("product:bike", ("bike one",)), Topic("competitor:rival", ("rival",)))
    assert decide(comment("e", text="Bike One beats Rival"), topics=topics).topics == ("competitor:rival", "product:bike")
    assert decide(comment("e", text="hello"), topics=topics).topics == ()
    assert decide(comment("e", text="our bike one", echo=True), topics=topics).topics == ("product:bike",)


PHRASES = ConsentPhrases(granted=("#yesacme",), refused=("#noacme",), withdrawn=("#stopacme",))


@pytest.mark.parametrize(
    ("event", "answer", "phrase"),
    [
        ({"text": "#yesacme"}, "granted", "#yesacme"),
        ({"text": "#noacme", "kind": "reply"}, "refused", "#noacme"),
        ({"text": "fine I guess", "kind": "reply", "parent": "c0"}, "unclear", ""),
        ({"text": "fine I guess", "kind": "message"}, "unclear", ""),
        ({"text": "#stopacme", "author_id": "opted-out"}, "withdrawn", "#stopacme"),
        ({"text": "#yesacme", "verb": "edit"}, "granted", "#yesacme"),
    ],
)
def test_answers_to_a_request_are_heard(
    comment: Maker, campaign: Maker, decide: Maker, event: dict[str, Any], answer: str, phrase: str
) -> None:
    decision = decide(comment("e", **event), campaign(phrases=PHRASES), opted_out=frozenset({"instagram:opted-out"}))
    (reading,) = decision.consents
    assert (reading.campaign, reading.answer, reading.phrase) == ("summer", answer, phrase)
    assert len(decision.text_sha256) == 64


@pytest.mark.parametrize(
    "event",
    [
        {"text": "#yesacme", "echo": True},
        {"text": "#yesacme", "author_id": "17841400000000001"},
        {"text": "#yesacme", "verb": "delete"},
        {"text": "#yesacme", "kind": "review"},
        {"text": "lovely"},
        {"text": "", "kind": "message"},
    ],
)
def test_what_is_no_answer_is_not_read(comment: Maker, campaign: Maker, decide: Maker, event: dict[str, Any]) -> None:
    decision = decide(comment("e", **event), campaign(phrases=PHRASES), accounts=(("instagram", "17841400000000001"),))
    assert (decision.consents, decision.text_sha256) == ((), "")


def test_a_withdrawal_is_heard_after_the_close(comment: Maker, campaign: Maker, decide: Maker) -> None:
    for state in (CampaignState.PAUSED, CampaignState.CLOSED, CampaignState.ARCHIVED):
        decision = decide(comment("e", text="#stopacme", at=10**7), campaign(phrases=PHRASES, state=state))
        assert decision.consents[0].answer is ConsentAnswer.WITHDRAWN
    assert not decide(comment("e", text="#stopacme"), campaign(phrases=PHRASES, state=CampaignState.DRAFT)).consents


def test_a_place_with_no_entry_keeps_a_rule_for_posts_out(comment: Maker, campaign: Maker, decide: Maker) -> None:
    rules = (_thanks(where=Where(kinds=frozenset({"post"}))),)
    decision = decide(comment("e", text="#acmesummer"), campaign(), rules=rules)
    assert (decision.rules, [action.kind for action in decision.actions]) == ((), [ActionKind.ENTER])
