"""Vetting: the checks of a rule beside the rules in force, as they change."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from antiphon.problems import Problem
from antiphon.testing import FakeClock
from rules.adapters.matching import build_matcher
from rules.domain.checking.examples import Example
from rules.domain.event import Understanding
from rules.domain.leaves import TextLeaf
from rules.domain.matching.index import MAX_RECENT, Snapshot, build_snapshot
from rules.domain.model import BrandSettings, Reply, Rule, Tag
from rules.vetting import MANY, MOST_ACTIVE, Draft, Vetting

Rules = Callable[..., Rule]
Brands = Callable[..., Snapshot]


@dataclass(slots=True)
class Standing:
    """A configuration that changes when told."""

    snapshot: Snapshot


def vetting(in_force: Standing) -> Vetting:
    def understand(text: str, language: str, settings: BrandSettings) -> Understanding:
        return Understanding(language or next(iter(settings.languages), ""))

    return Vetting(in_force=in_force, understands=understand, factory=build_matcher, clock=FakeClock())


def answering(rule: Rules, name: str, term: str, text: str) -> Rule:
    return rule(name, when=TextLeaf((term,)), then=(Reply(texts={"default": (text,)}),))


async def codes(asked: Vetting, rule: Rule, *examples: Example, brand: str = "acme") -> list[str]:
    return [finding.code for finding in await asked.findings(brand, Draft(rule, examples))]


async def test_a_change_of_the_rules_in_force_counts(rule: Rules, snapshot: Brands) -> None:
    in_force = Standing(snapshot())
    asked = vetting(in_force)
    draft = answering(rule, "draft", "price", "Thank you")
    assert await codes(asked, draft) == []
    in_force.snapshot = snapshot(answering(rule, "thanks", "thank you", "Welcome"))
    assert await codes(asked, draft) == ["self_triggering"]
    in_force.snapshot = snapshot(answering(rule, "thanks", "thank you very much", "Welcome"))
    assert await codes(asked, draft) == []


async def test_a_change_of_the_brands_settings_counts(rule: Rules, snapshot: Brands) -> None:
    in_force = Standing(snapshot())
    asked = vetting(in_force)
    draft = answering(rule, "draft", "robot", "49 €")
    assert await codes(asked, draft) == []
    in_force.snapshot = snapshot(disclosures={"default": "(a robot)"})
    assert await codes(asked, draft) == ["self_triggering"]


async def test_a_brand_that_is_not_live_yet_is_checked_alone(rule: Rules, snapshot: Brands) -> None:
    asked = vetting(Standing(snapshot(answering(rule, "thanks", "thank you", "Welcome"))))
    draft = rule("draft", brand="fresh", when=TextLeaf(("price",)), then=(Reply(texts={"default": ("Thank you",)}),))
    assert await codes(asked, draft, Example("price", "", True), Example("x", "", True), brand="fresh") == ["example_failed"]


async def test_rules_of_one_list_are_checked_as_if_all_were_saved(rule: Rules, snapshot: Brands) -> None:
    asked = vetting(Standing(snapshot(answering(rule, "one", "hello", "the price"), answering(rule, "kept", "x", "the cost"))))
    one, two = answering(rule, "one", "price", "Thank you"), answering(rule, "two", "thank you", "Welcome")
    three = answering(rule, "three", "cost", "49 €")
    together = await asked.lint("acme", [Draft(one, active=True), Draft(two, active=True), Draft(three)])
    assert [[finding.code for finding in findings] for findings in together] == [
        ["self_triggering"],
        [],
        ["self_triggering"],
    ]
    drafts = await asked.lint("acme", [Draft(one), Draft(two)])
    assert drafts == [(), ()], "a draft among them triggers nothing"


def test_a_brand_has_room_for_so_many_rules(rule: Rules) -> None:
    rules = [rule(f"r{number}", then=(Tag(tags=("x",)),)) for number in range(MOST_ACTIVE)]
    asked = vetting(Standing(build_snapshot(1, [BrandSettings("acme")], rules, (), build_matcher)))
    asked.check_room("acme", "r7")
    asked.check_room("other", "new")
    with pytest.raises(Problem, match="pause or archive some") as refused:
        asked.check_room("acme", "new")
    assert (refused.value.status, refused.value.code) == (409, "too_many_rules")


async def test_a_large_brand_is_made_ready_and_kept_so_while_rules_change(rule: Rules, snapshot: Brands) -> None:
    rules = [answering(rule, f"r{number}", f"word{number}", f"about {number}") for number in range(MANY)]
    in_force = Standing(snapshot(*rules))
    asked = vetting(in_force)
    passed = asyncio.Event()
    later: asyncio.Queue[Snapshot] = asyncio.Queue()

    async def newer(_: Snapshot) -> Snapshot:
        passed.set()
        in_force.snapshot = await later.get()
        return in_force.snapshot

    running = asyncio.create_task(asked.run(newer))
    await passed.wait()
    ready = asked._companies["acme"].watch
    changed = [answering(rule, f"new{number}", f"other{number}", "about word3") for number in range(MAX_RECENT + 1)]
    passed.clear()
    later.put_nowait(build_snapshot(2, [BrandSettings("acme")], [*rules, *changed], [], build_matcher, in_force.snapshot))
    await passed.wait()
    running.cancel()
    kept = asked._companies["acme"].watch
    assert (ready.is_overgrown, kept.is_overgrown, len(kept._watched)) == (False, False, MANY + MAX_RECENT + 1)
    assert await codes(asked, answering(rule, "draft", "word9", "about other7 and word3")) == ["self_triggering"] * 2


async def test_a_rule_saved_during_a_merge_is_compared_with_afterwards(rule: Rules, snapshot: Brands) -> None:
    rules = [answering(rule, f"r{number}", f"word{number}", f"about {number}") for number in range(MANY)]
    in_force = Standing(snapshot(*rules))
    asked = vetting(in_force)
    await codes(asked, rules[0])
    company = asked._companies["acme"]
    one = answering(rule, "one", "thanks", "welcome")
    in_force.snapshot = build_snapshot(2, [BrandSettings("acme")], [*rules[1:], one], [], build_matcher, in_force.snapshot)
    await asked._merge("acme", company)
    assert await codes(asked, answering(rule, "draft", "price", "thanks")) == ["self_triggering"]
    assert await codes(asked, answering(rule, "draft", "price", "word0")) == []
