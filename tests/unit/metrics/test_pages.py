"""Pages: facts of one hour of a brand together, bounded, in their order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from metrics.adapters.pages import PAGE_BYTES, PAGE_MOST, facts_of, key_of, pages, row_of
from metrics.domain.facts import EventFact
from metrics.domain.periods import HOUR

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def event(number: int, **changes: Any) -> EventFact:
    base = EventFact(
        event_id=f"e{number}", brand="acme", platform="facebook", channel="main", kind="comment", verb="create", echo=False,
        event_time=NOON + timedelta(microseconds=number), received_time=NOON,
    )  # fmt: skip
    return replace(base, **changes)


def test_facts_of_one_hour_of_a_brand_lie_together_and_come_back_in_their_order() -> None:
    kept = [event(0), event(1, event_time=NOON + HOUR), event(2, brand="other"), event(3), event(4, event_time=NOON - HOUR)]
    made = pages(EventFact, map(row_of, kept))
    assert [(page["brand"], page["hour"]) for page in made] == [
        ("acme", NOON), ("acme", NOON + HOUR), ("other", NOON), ("acme", NOON - HOUR),
    ]  # fmt: skip
    assert [facts_of(EventFact, page) for page in made] == [[kept[0], kept[3]], [kept[1]], [kept[2]], [kept[4]]]
    assert made[0]["keys"] == [key_of("e0"), key_of("e3")]
    assert [page["_id"] for page in made] == [page["keys"][0] for page in made]


def test_a_page_takes_so_many_facts_and_no_more() -> None:
    made = pages(EventFact, [row_of(event(number)) for number in range(2 * PAGE_MOST + 1)])
    assert [len(page["keys"]) for page in made] == [PAGE_MOST, PAGE_MOST, 1]
    assert [fact.event_id for page in made for fact in facts_of(EventFact, page)] == [f"e{n}" for n in range(2 * PAGE_MOST + 1)]


def test_a_page_takes_so_much_text_unless_one_fact_is_larger() -> None:
    third = "x" * (PAGE_BYTES // 3)
    sizes = [third, third, third, "x" * (2 * PAGE_BYTES), "small"]
    made = pages(EventFact, [row_of(event(number, channel=text)) for number, text in enumerate(sizes)])
    assert [len(page["keys"]) for page in made] == [2, 1, 1, 1]


def test_nothing_makes_no_page() -> None:
    assert pages(EventFact, []) == []
