"""Loop safety: no text that a rule may post triggers a rule that answers."""

from collections.abc import Callable

import pytest

from rules.adapters.matching import build_matcher
from rules.domain.checking.echoes import echoes
from rules.domain.checking.findings import Finding
from rules.domain.checking.loops import Watch, comes_back
from rules.domain.decision import Mode
from rules.domain.event import Understanding
from rules.domain.leaves import All, AuthorLeaf, Condition, HasLeaf, LanguageLeaf, Not, SentimentLeaf, TextLeaf, TextMode
from rules.domain.model import BrandSettings, Handoff, Hide, PrivateReply, Reply, Rule, Tag, Where

Rules = Callable[..., Rule]
ACME = BrandSettings("acme")


def understand(text: str, language: str) -> Understanding:
    polarity = "positive" if "happy" in text else "neutral"
    return Understanding(language or "en", 1.0, 0.0, polarity, 1.0)


def says(*texts: str, language: str = "default", **more: object) -> tuple[Reply]:
    return (Reply(texts={language: texts}, **more),)  # type: ignore[arg-type]


def found(rule: Rule, *others: Rule, settings: BrandSettings = ACME) -> tuple[Finding, ...]:
    return Watch(others, settings, build_matcher).findings(rule, understand)


def places(rule: Rule, *others: Rule) -> list[str]:
    findings = found(rule, *others)
    assert all((finding.severity, finding.code) == ("error", "self_triggering") for finding in findings)
    return [finding.pointer for finding in findings]


def test_an_answer_that_repeats_the_question(rule: Rules) -> None:
    (finding,) = found(rule(when=TextLeaf(("price", "cost")), then=says("It is 49 €.", "The price is 49 €.")))
    assert (finding.code, finding.pointer) == ("self_triggering", "/then/0/reply/text/default/1")
    assert finding.detail == "the text 'The price is 49 €.' would trigger this rule itself: it holds 'price'"


def test_an_answer_that_triggers_another_rule(rule: Rules) -> None:
    thanks = rule("thanks", when=TextLeaf(("thank you",)), then=says("You are welcome."))
    price = rule("price", when=TextLeaf(("price",)), then=(Tag(tags=("x",)), *says("Thank you, it is 49 €.")))
    (finding,) = found(price, thanks)
    assert finding.pointer == "/then/1/reply/text/default/0"
    assert "would trigger the rule 'thanks': it holds 'thank you'" in finding.detail


def test_a_rule_that_another_ones_answer_would_trigger(rule: Rules) -> None:
    thanks = rule("thanks", when=TextLeaf(("thank you",)), then=says("You are welcome."))
    price = rule("price", when=TextLeaf(("price",)), then=says("Thank you, it is 49 €."))
    (finding,) = found(thanks, price)
    assert finding.pointer == "/when"
    assert finding.detail.startswith("the text 'Thank you, it is 49 €.' of the rule 'price' would trigger this rule")
    assert Watch([price], ACME, build_matcher).findings(thanks, understand, asked=("price",)) == ()


def test_a_rule_that_answers_everything_answers_itself(rule: Rules) -> None:
    (finding,) = found(rule())
    assert finding.detail.endswith("would trigger this rule itself, which asks for no words")


@pytest.mark.parametrize("then", [(Tag(tags=("x",)),), (Handoff(queue="x"),), (Hide(),), says("the price", mode=Mode.SHADOW)])
def test_what_does_not_answer_makes_no_loop(rule: Rules, then: tuple[object, ...]) -> None:
    silent = rule("silent", when=TextLeaf(("price",)), then=then)
    assert places(silent, rule(when=TextLeaf(("price",)), then=says("49 €"))) == []
    assert places(rule(when=TextLeaf(("x",)), then=says("the price")), silent) == []


def test_what_waits_for_approval_answers(rule: Rules) -> None:
    assert places(rule(when=TextLeaf(("price",)), then=says("the price", mode=Mode.APPROVAL))) != []
    assert places(rule(when=TextLeaf(("price",)), mode=Mode.SHADOW, then=says("the price"))) == []


def test_placeholders_stand_with_a_sample_and_with_their_default(rule: Rules) -> None:
    price = rule(when=TextLeaf(("price",)), then=says("Hi {{author.first_name|price hunter}}"))
    assert [echo.text for echo in echoes(price, ACME)] == ["Hi price hunter", "Hi Alex"]
    assert places(price) == ["/then/0/reply/text/default/0"]
    assert places(rule(when=TextLeaf(("hi there",)), then=says("Hi {{author.first_name}} there"))) != []


def test_the_disclosure_belongs_to_the_text(rule: Rules) -> None:
    price = rule(when=TextLeaf(("robot",)), then=says("49 €"))
    assert places(price) == []
    (finding,) = found(price, settings=BrandSettings("acme", disclosures={"default": "(a robot)"}))
    assert finding.detail == "the text '49 € (a robot)' would trigger this rule itself: it holds 'robot'"


@pytest.mark.parametrize(
    "leaf",
    [
        TextLeaf(("prices?",), mode=TextMode.REGEX),
        TextLeaf(("our price list",), mode=TextMode.EXACT),
        TextLeaf(("priiice",), squeeze=True),
        TextLeaf(("pri",), mode=TextMode.PREFIX),
        TextLeaf(("rice l",), mode=TextMode.CONTAINS),
        TextLeaf(("zebra", "price-list")),
    ],
)
def test_every_way_of_looking_finds_the_texts_of_others(rule: Rules, leaf: TextLeaf) -> None:
    others = [rule(f"r{number}", when=TextLeaf((f"word{number}",)), then=says(f"text {number}")) for number in range(5)]
    lists = rule("lists", when=TextLeaf(("lists",)), then=says("Our priiice list.", "Our price list."))
    assert places(rule(when=leaf, then=says("hello")), *others, lists) != []
    assert places(rule(when=All((Not(TextLeaf(("x",))), leaf)), then=says("hello")), *others, lists) != []
    assert places(rule(when=leaf, then=says("hello")), *others) == []


def test_a_private_reply_may_come_back_too(rule: Rules) -> None:
    texts = {"default": ("Our price list",)}
    assert places(rule(when=TextLeaf(("price",)), then=(PrivateReply(texts=texts),))) == ["/then/0/private_reply/text/default/0"]


@pytest.mark.parametrize(
    ("when", "loops"),
    [
        (All((TextLeaf(("price",)), LanguageLeaf(frozenset({"en"})))), True),
        (All((TextLeaf(("price",)), LanguageLeaf(frozenset({"fr"})))), False),
        (All((TextLeaf(("price",)), SentimentLeaf(at_most="neutral"))), True),
        (All((TextLeaf(("price",)), SentimentLeaf(at_least="positive"))), False),
        (All((TextLeaf(("price",)), AuthorLeaf(followers_at_least=1000))), True),
        (All((TextLeaf(("price",)), HasLeaf(("image",)))), True),
        (All((TextLeaf(("price",)), HasLeaf(("question",)))), False),
        (TextLeaf(("price",), ("our",)), False),
        (Not(TextLeaf(("refund",))), True),
    ],
)
def test_the_text_is_understood_as_a_comment_would_be(rule: Rules, when: Condition, *, loops: bool) -> None:
    assert bool(places(rule(when=when, then=says("Our price.")))) is loops


def test_a_text_has_the_language_it_is_written_for(rule: Rules) -> None:
    german = rule("german", when=LanguageLeaf(frozenset({"de"})), where=Where(top_level_only=True), then=says("Hi"))
    greeting = {"where": Where(kinds=frozenset({"post"})), "when": TextLeaf(("x",))}
    assert places(rule(**greeting, then=says("Hallo", language="de")), german) == ["/then/0/reply/text/de/0"]
    assert places(rule(**greeting, then=says("Hello", language="en")), german) == []


def only(**changes: object) -> Where:
    return Where(**{name: value if isinstance(value, bool | str) else frozenset(value) for name, value in changes.items()})  # type: ignore


@pytest.mark.parametrize(
    ("source", "target", "back"),
    [
        (only(), only(), True),
        (only(platforms={"x"}), only(platforms={"facebook"}), False),
        (only(platforms={"x", "facebook"}), only(platforms={"facebook"}), True),
        (only(channels={"one"}), only(channels={"two"}), False),
        (only(objects_only={"1"}), only(objects_only={"2"}), False),
        (only(objects_only={"1"}), only(objects_except={"1"}), False),
        (only(objects_only={"1", "2"}), only(objects_except={"1"}), True),
        (only(ads="only"), only(ads="exclude"), False),
        (only(ads="only"), only(ads="include"), True),
        (only(), only(kinds={"review", "mention"}), False),
        (only(kinds={"review"}), only(kinds={"reply"}), True),
        (only(), only(kinds={"comment"}, top_level_only=True), True),
        (only(kinds={"mention"}), only(kinds={"comment"}, top_level_only=True), True),
        (only(kinds={"comment", "reply"}), only(kinds={"comment"}, top_level_only=True), False),
        (only(kinds={"comment"}), only(kinds={"message"}), True),
    ],
)
def test_where_an_answer_may_come_back(source: Where, target: Where, *, back: bool) -> None:
    assert comes_back(source, target) is back


def test_a_rule_in_force_is_not_held_against_its_next_version(rule: Rules) -> None:
    before = rule("price", when=TextLeaf(("price",)), then=says("The cost is 49 €."))
    after = rule("price", when=TextLeaf(("cost",)), then=says("The price is 49 €."))
    assert places(after, before) == []


def test_a_watch_that_follows_another_says_the_same(rule: Rules) -> None:
    rules = [rule(f"r{number}", when=TextLeaf((f"word{number}",)), then=says(f"about word{number + 1}")) for number in range(40)]
    first = Watch(rules, ACME, build_matcher)
    changed = [*rules[:20], rule("r20", when=TextLeaf(("other",)), then=says("about word5")), *rules[22:]]
    following = Watch(changed, ACME, build_matcher, first)
    draft = rule("draft", when=TextLeaf(("word6",)), then=says("word3 and word21", "word2", "about word20"))
    fresh = Watch(changed, ACME, build_matcher).findings(draft, understand)
    assert following.findings(draft, understand) == fresh
    assert len(fresh) == 3, "word3, word2, and what r5 posts; r20 has changed and r21 is gone"
    assert following.is_for(ACME)
    assert not following.is_for(BrandSettings("acme", languages=("de",)))
