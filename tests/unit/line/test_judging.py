"""The judgement of a run: what it counts, and that it complains about everything that must not happen."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from antiphon.times import to_timestamp
from antiphon.v1.decision_pb2 import Action, ActionKind, Decision, Outcome
from antiphon.v1.delivery_pb2 import Delivery, DeliveryState
from antiphon.v1.event_pb2 import Event, EventKind, Verb
from antiphon_local.errors import SetupError
from antiphon_local.line.feed import endless, recorded, sample
from antiphon_local.line.judge import judge
from antiphon_local.line.seed import rules
from antiphon_local.line.tally import Tally, percentiles
from rules.adapters.schema.document import to_rule

NOW = to_timestamp(datetime(2026, 3, 2, tzinfo=UTC))
LATER = to_timestamp(datetime(2026, 3, 2, 0, 0, 2, tzinfo=UTC))

CLEAN = {"accepted_comments": 1, "comments_answered_twice": 0, "comments_private_replied_twice": 0}


def comment(name: str = "e1", **more) -> Event:
    return Event(event_id=name, kind=EventKind.EVENT_KIND_COMMENT, verb=Verb.VERB_CREATE, **more)


def decision(name: str = "e1", action: str | None = "a1") -> Decision:
    actions = [Action(action_id=action, kind=ActionKind.ACTION_KIND_REPLY)] if action else []
    return Decision(event_id=name, outcome=Outcome.OUTCOME_ACTED, actions=actions)


def delivery(state: int, sequence: int = 1, action: str = "a1") -> Delivery:
    return Delivery(action_id=action, sequence=sequence, state=state, event_time=NOW, delivered_time=LATER)


def played(*deliveries: Delivery) -> Tally:
    tally = Tally()
    tally.add_event(comment())
    tally.add_decision(decision())
    for one in deliveries:
        tally.add_delivery(one)
    return tally


def verdict(tally: Tally, **simulator: int):
    return judge(tally, {**CLEAN, **simulator}, fed=1, wall_s=1.0, rss_mb={})


def test_a_comment_that_was_answered_once_is_right():
    summary = verdict(played(delivery(DeliveryState.DELIVERY_STATE_POSTED)))
    assert summary.complaints == ()
    assert (summary.accepted, summary.posted, summary.lost, summary.latency_ms["p50"]) == (1, 1, 0, 2000.0)


def test_repeated_records_change_nothing_but_the_count_of_duplicates():
    tally = played(delivery(DeliveryState.DELIVERY_STATE_POSTED), delivery(DeliveryState.DELIVERY_STATE_POSTED))
    tally.add_event(comment())
    tally.add_decision(decision())
    summary = verdict(tally)
    assert (summary.complaints, summary.duplicates, summary.posted, summary.actions) == ((), 1, 1, 1)


def test_the_latest_state_counts_in_whatever_order_it_comes():
    parked, posted = delivery(DeliveryState.DELIVERY_STATE_PARKED, 1), delivery(DeliveryState.DELIVERY_STATE_POSTED, 2)
    assert played(parked, posted).fates() == played(posted, parked).fates() == {"posted": 1}


@pytest.mark.parametrize(
    ("tally", "simulator", "complaint"),
    [
        (played(), {}, "1 actions have no end"),
        (played(delivery(DeliveryState.DELIVERY_STATE_POSTED)), {"comments_answered_twice": 1}, "1 comments were answered twice"),
        (Tally(), {}, "1 accepted comments have no decision"),
        (played(delivery(DeliveryState.DELIVERY_STATE_POSTED)), {"accepted_comments": 0}, "1 comments were not accepted"),
    ],
    ids=["open", "double", "lost", "refused"],
)
def test_what_must_not_happen_is_complained_about(tally, simulator, complaint):
    assert complaint in verdict(tally, **simulator).complaints


def test_an_event_decided_in_two_ways_is_complained_about():
    tally = played(delivery(DeliveryState.DELIVERY_STATE_POSTED))
    tally.add_decision(decision(action="a2"))
    assert "1 events were decided in two ways" in verdict(tally).complaints


def test_the_brands_own_doing_is_no_comment():
    tally = Tally()
    tally.add_event(comment("e2", echo=True))
    assert (len(tally.events), tally.heard()) == (1, 0)


def test_percentiles_are_nearest_rank():
    assert percentiles(range(1, 101)) == {"p50": 50, "p95": 95, "p99": 99}
    assert percentiles([]) == {"p50": 0.0, "p95": 0.0, "p99": 0.0}


def test_a_recorded_file_alternates_between_the_platforms(tmp_path: Path):
    file = tmp_path / "r.jsonl"
    file.write_text('{"author": "a", "brand": "X", "text": "hi", "created": "24-02-2015"}\n\n{"author": "b", "text": "ho"}\n')
    assert [(c.author, c.post, c.text) for c in recorded(file)] == [("a", "X", "hi"), ("b", "", "ho")]


@pytest.mark.parametrize("line", ["{", '{"author": "a"}', "[]", '{"text": "t"}'])
def test_a_bad_line_is_named(tmp_path: Path, line: str):
    file = tmp_path / "r.jsonl"
    file.write_text('{"author": "a", "text": "t"}\n' + line)
    with pytest.raises(SetupError, match="line 2"):
        recorded(file)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(SetupError, match="cannot be read"):
        recorded(tmp_path / "none.jsonl")


def test_the_sample_speaks_many_languages_and_goes_on_with_other_people():
    supply = endless()
    first = [next(supply) for _ in sample()]
    second = [next(supply) for _ in sample()]
    assert [c.text for c in first] == [c.text for c in second]
    assert not {c.author for c in first} & {c.author for c in second}


def test_the_demo_brand_has_twelve_rules_that_the_engine_reads():
    documents = rules()
    assert len(documents) == 12
    assert [to_rule("demo", 1, document).rule_id for document in documents] == [document["id"] for document in documents]
