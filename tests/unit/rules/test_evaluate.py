"""Decisions, one story each."""

import itertools
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.ids import action_id
from rules.domain.decision import ActionKind, CobraLevel, Decision, LimitScope, Mode, Outcome, Reason, RuleLimit
from rules.domain.evaluate import evaluate
from rules.domain.event import Event, Understanding
from rules.domain.leaves import TextLeaf
from rules.domain.matching.index import Snapshot
from rules.domain.model import Delete, Handoff, Hide, Like, Notify, PrivateReply, Reply, Rule, Schedule, Tag, Where
from rules.domain.state import EMPTY, AuthorState

Comments = Callable[..., Event]
Rules = Callable[..., Rule]
Brands = Callable[..., Snapshot]


def decide(snapshot: Snapshot, event: Event, state: AuthorState = EMPTY, language: str = "") -> Decision:
    return evaluate(snapshot, state, event, Understanding(language))[0]


def reasons(decision: Decision) -> list[tuple[str, Reason]]:
    return [(outcome.rule_id, outcome.reason) for outcome in decision.rules]


def test_a_question_is_answered(comment: Comments, rule: Rules, snapshot: Brands, noon: float) -> None:
    asks = rule(
        "price", version=3, when=TextLeaf(("how much",)), then=(Reply(texts={"default": ("Hi {{author.first_name}}, 49 €",)}),)
    )
    event = comment()
    decision = decide(snapshot(asks), event)
    assert decision.outcome is Outcome.ACTED
    assert reasons(decision) == [("price", Reason.UNSPECIFIED)]
    assert decision.config_revision == 7
    action = decision.actions[0]
    assert action.text == "Hi Anna, 49 €"
    assert action.action_id == action_id("acme", event.event_id, "price", 0)
    assert (action.kind, action.mode, action.rule_version, action.language) == (ActionKind.REPLY, Mode.AUTO, 3, "default")
    assert (action.not_before, action.expires) == (noon + 1, noon + 86400)


def test_nothing_matches(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    decision = decide(snapshot(rule(when=TextLeaf(("refund",)))), comment())
    assert (decision.outcome, decision.rules, decision.actions) == (Outcome.NO_MATCH, (), ())


def test_an_unknown_brand(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    assert decide(snapshot(rule()), comment(brand="other")).outcome is Outcome.UNKNOWN_BRAND


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"echo": True}, Reason.OWN_ACCOUNT),
        ({"author_id": "own", "platform": "facebook"}, Reason.OWN_ACCOUNT),
        ({"verb": "delete"}, Reason.UNSPECIFIED),
        ({"verb": "hide"}, Reason.UNSPECIFIED),
        ({"verb": "unhide"}, Reason.UNSPECIFIED),
        ({"verb": "unspecified"}, Reason.UNSPECIFIED),
        ({"kind": "unspecified"}, Reason.UNSPECIFIED),
        ({"author_id": "troll"}, Reason.BLOCKED),
        ({"author_id": "quiet"}, Reason.OPTED_OUT),
    ],
)
def test_what_is_never_answered(
    comment: Comments, rule: Rules, snapshot: Brands, changes: dict[str, object], reason: Reason
) -> None:
    brand = snapshot(
        rule(),
        accounts=(("facebook", "own"),),
        blocked=frozenset({"instagram:troll"}),
        opted_out=frozenset({"instagram:quiet"}),
    )
    decision = decide(brand, comment(**changes))
    assert (decision.outcome, decision.reason, decision.actions, decision.rules) == (Outcome.NOT_ELIGIBLE, reason, (), ())


@pytest.mark.parametrize("changes", [{"author_id": "own"}, {"author_id": "troll", "platform": "facebook"}, {"verb": "edit"}])
def test_what_only_looks_like_it_is_answered(
    comment: Comments, rule: Rules, snapshot: Brands, changes: dict[str, object]
) -> None:
    brand = snapshot(rule(), accounts=(("facebook", "own"),), blocked=frozenset({"instagram:troll"}))
    assert decide(brand, comment(**changes)).outcome is Outcome.ACTED


def test_each_rule_that_does_not_act_has_its_reason(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    brand = snapshot(
        rule("a-excluded", when=TextLeaf(("much",), ("how much",))),
        rule("b-closed", schedule=Schedule("Europe/Berlin", except_=frozenset({date(2026, 1, 5)}))),
        rule("c-stale", freshness_seconds=0.5),
        rule("d-no-language", then=(Reply(texts={"de": ("Hallo",)}),)),
        rule("e-acts", when=TextLeaf(("much",))),
        rule("f-too-late"),
        rule("g-elsewhere", where=Where(kinds=frozenset({"review"}))),
    )
    decision = decide(brand, comment())
    assert reasons(decision) == [
        ("a-excluded", Reason.EXCLUDED_TERM),
        ("b-closed", Reason.SCHEDULE),
        ("c-stale", Reason.STALE),
        ("d-no-language", Reason.NO_TEMPLATE_LANGUAGE),
        ("e-acts", Reason.UNSPECIFIED),
        ("f-too-late", Reason.SLOT_TAKEN),
    ]
    assert [outcome.detail for outcome in decision.rules[:3]] == [
        "how much",
        "Mon 2026-01-05 10:40 Europe/Berlin",
        "1 s old, at most 0 s",
    ]


def test_priority_goes_before_id(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    decision = decide(snapshot(rule("a", priority=2), rule("z", priority=1), rule("b", priority=2)), comment())
    assert reasons(decision) == [("z", Reason.UNSPECIFIED), ("a", Reason.SLOT_TAKEN), ("b", Reason.SLOT_TAKEN)]


def test_slots_are_taken_once_and_tags_add_up(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    public, private = Reply(texts={"default": ("a",)}), PrivateReply(texts={"default": ("b",)})
    brand = snapshot(
        rule("a", then=(public, Tag(tags=("one",)))),
        rule("b", then=(public, private, Hide(), Tag(tags=("two",)))),
        rule("c", then=(Like(), Handoff(queue="sales", note="please"))),
        rule("d", then=(private,)),
    )
    decision = decide(brand, comment())
    taken = [(action.rule_id, action.kind, action.position) for action in decision.actions]
    assert taken == [
        ("a", ActionKind.REPLY, 0),
        ("a", ActionKind.TAG, 1),
        ("b", ActionKind.PRIVATE_REPLY, 1),
        ("b", ActionKind.HIDE, 2),
        ("b", ActionKind.TAG, 3),
        ("c", ActionKind.HANDOFF, 1),
    ]
    assert reasons(decision)[-1] == ("d", Reason.SLOT_TAKEN)
    assert decision.rules[1].detail == "reply: slot_taken (public reply by a)"
    handoff = decision.actions[-1]
    assert (handoff.queue, handoff.note) == ("sales", "please")


def test_stop_ends_the_event_only_if_its_rule_acted(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    closed = rule("a", stop=True, when=TextLeaf(("much",), ("how",)))
    acts = rule("b", stop=True, then=(Tag(tags=("x",)),))
    decision = decide(snapshot(closed, acts, rule("c")), comment())
    assert reasons(decision) == [("a", Reason.EXCLUDED_TERM), ("b", Reason.UNSPECIFIED), ("c", Reason.STOPPED)]


def test_a_held_brand_decides_and_does_nothing(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    limited = rule("a", limits=(RuleLimit(LimitScope.AUTHOR, 1),))
    decision, after = evaluate(snapshot(limited, rule("b"), held=True, held_reason="crisis"), EMPTY, comment(), Understanding())
    assert reasons(decision) == [("a", Reason.HELD), ("b", Reason.SLOT_TAKEN)]
    assert (decision.outcome, decision.actions, decision.rules[0].detail) == (Outcome.NOT_ACTED, (), "crisis")
    assert after is EMPTY


@pytest.mark.parametrize(
    ("brand", "own", "action", "expected"),
    [
        (Mode.AUTO, Mode.AUTO, Mode.AUTO, Mode.AUTO),
        (Mode.UNSPECIFIED, Mode.AUTO, Mode.AUTO, Mode.AUTO),
        (Mode.APPROVAL, Mode.AUTO, Mode.AUTO, Mode.APPROVAL),
        (Mode.AUTO, Mode.SHADOW, Mode.APPROVAL, Mode.SHADOW),
        (Mode.AUTO, Mode.AUTO, Mode.APPROVAL, Mode.APPROVAL),
        (Mode.SHADOW, Mode.APPROVAL, Mode.AUTO, Mode.SHADOW),
    ],
)
def test_the_strictest_mode_wins(
    comment: Comments, rule: Rules, snapshot: Brands, brand: Mode, own: Mode, action: Mode, expected: Mode
) -> None:
    decision = decide(snapshot(rule(mode=own, then=(Hide(mode=action),)), mode=brand), comment())
    assert decision.actions[0].mode is expected


def test_deleting_always_asks(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    assert decide(snapshot(rule(then=(Delete(mode=Mode.AUTO),))), comment()).actions[0].mode is Mode.APPROVAL


@pytest.mark.parametrize(
    ("language", "expected"),
    [("de", "de"), ("pt-BR", "pt-br"), ("pt_PT", "pt"), ("en-GB", "default"), ("", "default"), ("DE-at", "de")],
)
def test_the_language_of_the_answer(comment: Comments, rule: Rules, snapshot: Brands, language: str, expected: str) -> None:
    texts = {"de": ("de",), "pt": ("pt",), "pt-br": ("pt-br",), "default": ("default",)}
    action = decide(snapshot(rule(then=(Reply(texts=texts),))), comment(), language=language).actions[0]
    assert (action.text, action.language) == (expected, expected)


@pytest.mark.parametrize(
    ("kind", "length", "fits"),
    [("comment", 2200, True), ("comment", 2201, False), ("message", 1001, False), ("message", 1000, True)],
)
def test_length_is_checked_again_after_rendering(
    comment: Comments, rule: Rules, snapshot: Brands, kind: str, length: int, fits: bool
) -> None:
    decision = decide(snapshot(rule(then=(Reply(texts={"default": ("x" * length,)}),))), comment(kind=kind))
    assert reasons(decision) == [("any", Reason.UNSPECIFIED if fits else Reason.TOO_LONG)]
    assert bool(decision.actions) is fits


def test_a_delay_lies_in_its_range_and_never_changes(comment: Comments, rule: Rules, snapshot: Brands, noon: float) -> None:
    brand = snapshot(rule(then=(Reply(texts={"default": ("x",)}, delay=(20.0, 90.0)),)))
    delays = [decide(brand, comment(str(number))).actions[0].not_before - noon - 1 for number in range(50)]
    assert all(20.0 <= delay < 90.0 for delay in delays)
    assert len(set(delays)) > 40
    assert delays == [decide(brand, comment(str(number))).actions[0].not_before - noon - 1 for number in range(50)]


def test_limits_that_cross_authors_travel_with_the_action(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    scopes = [
        LimitScope.AUTHOR,
        LimitScope.OBJECT,
        LimitScope.RULE,
        LimitScope.THREAD,
        LimitScope.BRAND,
        LimitScope.AUTHOR_OBJECT,
    ]
    limited = rule(limits=tuple(RuleLimit(scope, 5, 60.0) for scope in scopes))
    action = decide(snapshot(limited), comment()).actions[0]
    assert [limit.per for limit in action.limits] == [LimitScope.OBJECT, LimitScope.RULE, LimitScope.THREAD, LimitScope.BRAND]


def test_marks_for_people_consume_no_limit_that_crosses_authors(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    steps = (Like(), Tag(tags=("x",)), Handoff(queue="sales"), Notify(url="https://example.com", secret_ref="crm"))
    limited = rule(limits=(RuleLimit(LimitScope.RULE, 5, 60.0),), then=steps)
    actions = decide(snapshot(limited), comment()).actions
    assert [(action.kind, len(action.limits)) for action in actions] == [
        (ActionKind.LIKE, 1),
        (ActionKind.TAG, 0),
        (ActionKind.HANDOFF, 0),
        (ActionKind.NOTIFY, 1),
    ]


def test_a_rule_that_could_not_act_consumes_nothing(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    limited = rule(limits=(RuleLimit(LimitScope.AUTHOR, 1),), then=(Reply(texts={"de": ("x", "y")}),))
    decision, after = evaluate(snapshot(limited), EMPTY, comment(), Understanding("en"))
    assert reasons(decision) == [("any", Reason.NO_TEMPLATE_LANGUAGE)]
    assert after is EMPTY


def test_variants_never_come_twice_in_a_row_and_all_come(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    brand = snapshot(rule(then=(Reply(texts={"default": ("a", "b", "c")}),)))
    state, given_texts = EMPTY, []
    for number in range(40):
        decision, state = evaluate(brand, state, comment(str(number), at=60.0 * number), Understanding())
        given_texts.append(decision.actions[0].text)
        again, same = evaluate(brand, state, comment(str(number), at=60.0 * number), Understanding())
        assert same is state
        assert again == decision
    assert all(one != other for one, other in itertools.pairwise(given_texts))
    assert set(given_texts) == {"a", "b", "c"}


def test_one_variant_leaves_no_trace(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    assert evaluate(snapshot(rule()), EMPTY, comment(), Understanding())[1] is EMPTY


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(order=st.permutations(range(6)), repeats=st.lists(st.integers(0, 5), max_size=6), at_most=st.integers(1, 3))
def test_no_order_and_no_redelivery_exceeds_a_limit(
    comment: Comments, rule: Rules, snapshot: Brands, order: list[int], repeats: list[int], at_most: int
) -> None:
    window = 3600.0
    limited = rule(
        limits=(RuleLimit(LimitScope.AUTHOR, at_most, window), RuleLimit(LimitScope.AUTHOR_OBJECT, 1)),
        then=(Reply(texts={"default": ("a", "b")}),),
    )
    brand = snapshot(limited)
    events = [comment(str(number), at=1500.0 * number, root=f"post-{number % 4}") for number in range(6)]
    state, decisions = EMPTY, dict[int, Decision]()
    for number in [*order, *repeats]:
        state = AuthorState.from_bytes(state.to_bytes())
        decision, after = evaluate(brand, state, events[number], Understanding())
        if number in decisions:
            assert after is state
            assert reasons(decision) == reasons(decisions[number])  # which of two limits refuses first may change
            assert decision.actions == decisions[number].actions
        decisions[number] = decision
        state = after
    acted = [event for number, event in enumerate(events) if decisions[number].actions]
    assert acted
    for event in acted:
        inside = [other for other in acted if event.event_time <= other.event_time < event.event_time + window]
        assert len(inside) <= at_most
    assert len({event.root for event in acted}) == len(acted)


def test_the_same_input_gives_the_same_decision(comment: Comments, rule: Rules, snapshot: Brands) -> None:
    rules = (rule("a", then=(Tag(tags=("x",)),)), rule("b", limits=(RuleLimit(LimitScope.AUTHOR, 1, 60.0),)))
    event = comment()
    understood = Understanding("en", 0.9, -0.5, "negative", 0.8, frozenset({"question"}))
    first = evaluate(snapshot(*rules), EMPTY, event, understood)
    second = evaluate(snapshot(*reversed(rules)), EMPTY, event._replace(), understood)
    assert first == second
    assert (first[0].understanding, first[0].cobra) == (understood, CobraLevel.CONTRIBUTING)
