"""What is said and done: language, disclosure, webhooks, experiments, and who is met for the first time."""

import json
from collections.abc import Callable

import pytest

from rules.domain.acting import disclosed
from rules.domain.decision import Decision, LimitScope, Mode, Outcome, Reason, RuleLimit
from rules.domain.evaluate import evaluate
from rules.domain.event import NOTHING_UNDERSTOOD, Event, Understanding
from rules.domain.leaves import All, AuthorLeaf, Not, TextLeaf
from rules.domain.matching.index import Snapshot
from rules.domain.model import BrandSettings, Experiment, Notify, PrivateReply, Reply, Rule, Tag
from rules.domain.state import EMPTY, AuthorState

Comments = Callable[..., Event]
Rules = Callable[..., Rule]
Brands = Callable[..., Snapshot]


def decide(brand: Snapshot, event: Event, understood: Understanding = NOTHING_UNDERSTOOD) -> Decision:
    return evaluate(brand, EMPTY, event, understood)[0]


@pytest.mark.parametrize(
    ("language", "confidence", "texts", "expected"),
    [
        ("de", 0.9, ["de", "en", "default"], "de"),
        ("fr", 0.9, ["de", "en", "default"], "default"),
        ("fr", 0.9, ["de", "en"], None),
        ("fr", 0.3, ["de", "en", "fr"], "en"),
        ("fr", 0.3, ["de", "fr", "default"], "default"),
        ("de", 0.3, ["de", "en", "default"], "de"),
        ("fr", 0.0, ["fr", "en"], "fr"),
        ("", 0.0, ["de", "en"], "en"),
        ("", 0.0, ["de", "default"], "default"),
        ("", 0.0, ["de", "it"], "de"),
        ("", 0.0, ["it"], None),
    ],
)
def test_the_language_of_the_answer_when_the_author_s_is_unsure(
    comment: Comments, rule: Rules, snapshot: Brands, language: str, confidence: float, texts: list[str], expected: str | None
) -> None:
    brand = snapshot(rule(then=(Reply(texts={name: (name,) for name in texts}),)), languages=("en-GB", "de"))
    decision = decide(brand, comment(), Understanding(language, confidence))
    assert [action.text for action in decision.actions] == ([expected] if expected else [])
    assert decision.rules[0].reason is (Reason.UNSPECIFIED if expected else Reason.NO_TEMPLATE_LANGUAGE)


def test_an_unsure_language_counts_where_a_brand_names_none(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    brand = snapshot(rule(then=(Reply(texts={"fr": ("fr",), "default": ("default",)}),)))
    assert decide(brand, comment(), Understanding("fr", 0.1)).actions[0].text == "fr"


@pytest.mark.parametrize(
    ("language", "disclosures", "expected"),
    [
        ("de", {"de": "(Automatisch)", "default": "(Automatic)"}, "Hi (Automatisch)"),
        ("de-at", {"de": "(Automatisch)", "default": "(Automatic)"}, "Hi (Automatisch)"),
        ("fr", {"de": "(Automatisch)", "default": "(Automatic)"}, "Hi (Automatic)"),
        ("default", {"en": "(Automatic)", "de": "(Automatisch)"}, "Hi (Automatisch)"),
        ("fr", {"es": "(Automático)"}, "Hi (Automático)"),
        ("fr", {}, "Hi"),
    ],
)
def test_the_disclosure_is_that_of_the_answer_s_language(language: str, disclosures: dict[str, str], expected: str) -> None:
    brand = BrandSettings("acme", languages=("de-DE", "en"), disclosures=disclosures)
    assert disclosed("Hi", language, brand) == expected


def test_a_disclosure_stands_once_and_on_its_own_line_below_several() -> None:
    brand = BrandSettings("acme", disclosures={"default": "(Automatic)"})
    assert disclosed("Hi\nthere", "en", brand) == "Hi\nthere\n(Automatic)"
    assert disclosed("Hi (Automatic)", "en", brand) == "Hi (Automatic)"


def test_every_answer_is_disclosed_and_its_length_counts(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    answers = (Reply(texts={"default": ("x" * 2189,)}), PrivateReply(texts={"default": ("Hi",)}), Tag(tags=("t",)))
    longer = rule("longer", then=(Reply(texts={"default": ("x" * 2190,)}),))
    brand = snapshot(longer, rule("such", then=answers), disclosures={"default": "(Automatic"})
    decision = decide(brand, comment())
    assert [len(action.text) for action in decision.actions] == [2200, len("Hi (Automatic"), 0]
    assert (decision.rules[0].reason, decision.rules[0].detail) == (
        Reason.TOO_LONG,
        "reply: too_long (2201 characters, instagram allows 2200)",
    )


def test_a_webhook_tells_what_happened_and_what_was_understood(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    tells = rule("crm", version=3, then=(Notify(url="https://example.com/x", secret_ref="crm"),))
    understood = Understanding("de", 0.9, -0.5, "negative", 0.8, frozenset({"question", "complaint"}))
    event = comment(text="Wie viel? „ä“")
    action = decide(snapshot(tells), event, understood).actions[0]
    assert (action.url, action.secret_ref, action.text, action.mode) == ("https://example.com/x", "crm", "", Mode.AUTO)
    assert json.loads(action.body) == {
        "type": "rule.matched",
        "timestamp": "2026-01-05T09:40:00.000+00:00",
        "data": {
            "event_id": event.event_id,
            "event_time": "2026-01-05T09:40:00.000+00:00",
            "brand": "acme",
            "platform": "instagram",
            "channel": "ig-main",
            "kind": "comment",
            "object": "comment-1",
            "root": "post-1",
            "author": {"id": "anna", "name": "Anna Müller", "handle": "anna.m"},
            "text": "Wie viel? „ä“",
            "language": "de",
            "polarity": "negative",
            "sentiment": -0.5,
            "flags": ["complaint", "question"],
            "rule": {"id": "crm", "version": 3},
        },
    }
    assert action.body == decide(snapshot(tells), event, understood).actions[0].body
    assert ": " not in action.body.replace("Wie viel? ", "")


def arms(brand: Snapshot, comment: Comments, people: int = 2000) -> dict[str, str]:
    decisions = {f"p{number}": decide(brand, comment(str(number), author_id=f"p{number}")) for number in range(people)}
    return {author: decision.assignments[0].arm for author, decision in decisions.items()}


def test_a_share_of_authors_is_treated_and_a_larger_share_keeps_them(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    drawn = [arms(snapshot(rule(test=Experiment("greeting", share))), comment) for share in (0.0, 0.1, 0.5, 1.0)]
    treated = [{author for author, arm in one.items() if arm == "treatment"} for one in drawn]
    assert [len(one) for one in (treated[0], treated[3])] == [0, 2000]
    assert 150 < len(treated[1]) < 250
    assert 900 < len(treated[2]) < 1100
    assert treated[1] < treated[2]


def test_the_same_author_is_always_in_the_same_arm_and_other_experiments_draw_anew(
    comment: Comments, rule: Rules, snapshot: Brands
) -> None:
    first = snapshot(rule(test=Experiment("greeting", 0.5)))
    other = snapshot(rule(test=Experiment("farewell", 0.5)))
    once, again = arms(first, comment, 300), {f"p{n}": decide(first, comment(f"later{n}", author_id=f"p{n}")) for n in range(300)}
    assert {author: decision.assignments[0].arm for author, decision in again.items()} == once
    same = sum(arm == once[author] for author, arm in arms(other, comment, 300).items())
    assert 100 < same < 200


def test_who_is_held_out_gets_nothing_and_the_rules_of_an_experiment_share_the_draw(
    comment: Comments, rule: Rules, snapshot: Brands
) -> None:
    test, limits = Experiment("greeting", 0.5), (RuleLimit(LimitScope.AUTHOR, 1),)
    brand = snapshot(rule("a", test=test, limits=limits, stop=True), rule("b", test=test), rule("c", then=(Tag(tags=("x",)),)))
    for number in range(40):
        decision, after = evaluate(brand, EMPTY, comment(author_id=f"p{number}"), NOTHING_UNDERSTOOD)
        assert [assignment.rule_id for assignment in decision.assignments] == ["a", "b", "c"][: len(decision.assignments)]
        assert len({assignment.arm for assignment in decision.assignments}) == 1
        held = decision.assignments[0].arm == "holdout"
        reasons = [outcome.reason for outcome in decision.rules]
        expected = (
            [Reason.HOLDOUT, Reason.HOLDOUT, Reason.UNSPECIFIED] if held else [Reason.UNSPECIFIED, Reason.STOPPED, Reason.STOPPED]
        )
        assert reasons == expected
        assert (after is EMPTY) is held
        assert decision.outcome is Outcome.ACTED
    assert decision.rules[0].detail in {"experiment greeting, acts for a share of 0.5", ""}


def test_a_rule_that_does_not_hold_draws_no_arm(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    excluded = rule(test=Experiment("greeting", 0.5), when=TextLeaf(("how",), ("much",)))
    decision = decide(snapshot(excluded), comment())
    assert (decision.rules[0].reason, decision.assignments) == (Reason.EXCLUDED_TERM, ())


def test_an_author_is_met_once_and_a_repetition_meets_again(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    brand = snapshot(rule("welcome", when=All((TextLeaf(("how",)), AuthorLeaf(first_contact=True)))))
    first, second = comment("1"), comment("2", at=60.0)
    decision, met = evaluate(brand, EMPTY, first, NOTHING_UNDERSTOOD)
    again, same = evaluate(brand, AuthorState.from_bytes(met.to_bytes()), first, NOTHING_UNDERSTOOD)
    later, after = evaluate(brand, met, second, NOTHING_UNDERSTOOD)
    assert decision == again
    assert same == met
    assert (decision.outcome, later.outcome) == (Outcome.ACTED, Outcome.NOT_ACTED)
    assert (later.rules[0].reason, later.rules[0].detail) == (Reason.AUTHOR, "known from before, first contact")
    assert after is met


def test_whoever_matched_nothing_or_met_a_held_brand_is_known_too(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    asks = rule("welcome", when=All((TextLeaf(("how",)), Not(AuthorLeaf(first_contact=False)))))
    silent, met = evaluate(snapshot(asks), EMPTY, comment("1", text="hm"), NOTHING_UNDERSTOOD)
    _, held = evaluate(snapshot(asks, held=True), EMPTY, comment("1"), NOTHING_UNDERSTOOD)
    assert silent.outcome is Outcome.NO_MATCH
    assert met == held == EMPTY._replace(first_event=comment("1").event_id[:32])
    assert evaluate(snapshot(asks), met, comment("2"), NOTHING_UNDERSTOOD)[0].outcome is Outcome.NOT_ACTED


def test_nobody_is_remembered_where_no_rule_asks(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    brand = snapshot(rule(when=AuthorLeaf(verified=True)))
    assert evaluate(brand, EMPTY, comment(), NOTHING_UNDERSTOOD)[1] is EMPTY
