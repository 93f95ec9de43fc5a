"""What a decision says of campaigns crosses the wire and comes back from the archive as it was."""

import base64
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from antiphon.links import LinkCode, LinkSettings, read_code
from antiphon.v1.decision_pb2 import Decision as DecisionMessage
from rules.adapters.codec import encode_decision
from rules.adapters.history.recorded import decode_recorded, verdict_of
from rules.adapters.matching import build_matcher
from rules.adapters.programmes import tracked_links
from rules.domain.campaign import Campaign, ConsentPhrases, Topic
from rules.domain.decision import Decision, Outcome
from rules.domain.evaluate import evaluate
from rules.domain.event import NOTHING_UNDERSTOOD, Event, Referral
from rules.domain.matching.index import BrandSettings, build_snapshot
from rules.domain.model import Enter, Reply, Rule, Tag, Where
from rules.domain.programme import Link, Source, build_programme
from rules.domain.replaying import replay
from rules.domain.state import EMPTY

KEY = bytes(range(32))
LINKS = LinkSettings(link_key=SecretStr(base64.b64encode(KEY).decode()), link_base_url="https://go.acme.example")
SUMMER = Campaign("summer", 2, name="Summer", hashtags=frozenset({"summer"}), phrases=ConsentPhrases(granted=("#yesacme",)))
SOURCE = Source((Topic("product:bike", ("bike",)),), (SUMMER,), (Link("shop", "https://acme.example/", "summer"),))


def decided(event: Event, *rules: Rule) -> Decision:
    programme = build_programme(SOURCE, build_matcher, tracked=tracked_links(LINKS))
    snapshot = build_snapshot(7, [BrandSettings("acme")], rules, (), build_matcher, programmes={"acme": programme})
    return evaluate(snapshot, EMPTY, event, NOTHING_UNDERSTOOD)[0]


def message(decision: Decision) -> DecisionMessage:
    return DecisionMessage.FromString(encode_decision(decision, 1.0))


def test_everything_that_is_said_of_campaigns_comes_back(comment: Callable[..., Any]) -> None:
    event = comment("e", text="my bike #summer #yesacme @tom", media=("image",), media_urls=("https://cdn.example/1",))
    event = event._replace(rating=4.0, reach=120, ad=True, referral=Referral("shop", "a" * 64, "c", "order-1", 9.5, "EUR"))
    decision = decided(event)
    back = decode_recorded(message(decision)).decision
    assert (back.topics, back.campaigns, back.consents) == (("product:bike",), ("summer",), decision.consents)
    assert (back.actions, back.text_sha256, back.outcome) == (decision.actions, decision.text_sha256, Outcome.ACTED)
    assert (back.event.rating, back.event.reach, back.event.ad, back.event.referral) == (4.0, 120, True, event.referral)


def test_entries_of_campaigns_do_not_count_when_rules_compare(comment: Callable[..., Any], rule: Callable[..., Rule]) -> None:
    alone, beside = decided(comment("e", text="#summer")), decided(comment("e", text="#summer"), rule())
    assert verdict_of(message(alone)) == replay.verdict_of(alone) == replay.Verdict(Outcome.NO_MATCH, alone.reason)
    assert verdict_of(message(beside)) == replay.verdict_of(beside)
    assert [kind for _, kind, _ in replay.verdict_of(beside).actions] == ["reply"]
    entered = decided(comment("e", text="lovely"), rule(then=(Enter(campaign="summer"),)))
    assert [kind for _, kind, _ in replay.verdict_of(entered).actions] == ["enter"], "a rule's entries do"


def test_a_campaigns_link_changes_no_outcome_when_rules_compare(comment: Callable[..., Any], rule: Callable[..., Rule]) -> None:
    click = comment("e", kind="click", text="", referral=Referral("shop"))
    for decision in (
        decided(click),
        decided(click, rule(then=(Tag(tags=("came",)),), where=Where(kinds=frozenset({"click"})))),
        decided(click._replace(echo=True)),
    ):
        assert decision.campaigns == ("summer",)
        assert verdict_of(message(decision)) == replay.verdict_of(decision)
        assert replay.verdict_of(decision).outcome is decision.outcome


def test_a_tracked_link_tells_which_answer_carried_it(comment: Callable[..., Any], rule: Callable[..., Rule]) -> None:
    (action,) = decided(comment("e", text="where?"), rule(then=(Reply(texts={"default": ("{{link.shop}}",)}),))).actions
    base, _, code = action.text.rpartition("/l/")
    assert base == "https://go.acme.example"
    assert read_code(KEY, code) == LinkCode("acme", "shop", action.action_id)


def test_links_are_tracked_only_where_that_is_set_up_and_also_in_another_process() -> None:
    assert tracked_links(LinkSettings(link_key=SecretStr(""), link_base_url="https://go.acme.example")) is None
    tracked = tracked_links(LINKS)
    assert tracked is not None
    assert pickle.loads(pickle.dumps(tracked))("acme", "shop", "") == tracked("acme", "shop", "")


def test_what_has_not_changed_is_not_built_again() -> None:
    first = build_programme(SOURCE, build_matcher)
    renamed = build_programme(replace(SOURCE, campaigns=()), build_matcher, previous=first)
    assert renamed.topics is first.topics
    assert renamed.campaigns is not first.campaigns
    assert build_programme(SOURCE, build_matcher, previous=first).campaigns is first.campaigns
    assert not build_programme(Source(), build_matcher).attends
